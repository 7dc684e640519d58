import logging
import os
from pathlib import Path

import pytest
from PIL import Image

from monai_sfda.data import find_images, find_pairs, mask_names
from monai_sfda.files import SUFFIXES
from monai_sfda.imageio import PhotoReader


def touch(root, *names):
    """Files with something in them; listing never decodes."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"pixels")
    return root


def cases(folder, **kwargs):
    return [item["case"] for item in find_images(folder, **kwargs)]


def test_a_tree_is_listed_sorted_with_paths_and_outputs(tmp_path):
    touch(tmp_path, "b.PNG", "a.jpg", "site 2/x.Tiff", "site 10/ärztin/眼.nii.gz", "notes.txt")
    assert find_images(tmp_path) == [
        {"image": str(tmp_path / case), "case": case, "output": output}
        for case, output in [
            ("a.jpg", "a.png"),
            ("b.PNG", "b.png"),
            ("site 10/ärztin/眼.nii.gz", "site 10/ärztin/眼.png"),
            ("site 2/x.Tiff", "site 2/x.png"),
        ]
    ]


def test_every_accepted_suffix_has_a_reader(tmp_path):
    touch(tmp_path, *(f"{i}{suffix}" for i, suffix in enumerate(SUFFIXES)))
    assert len(find_images(tmp_path)) == len(SUFFIXES)
    assert PhotoReader().verify_suffix([f"a{suffix}" for suffix in SUFFIXES])


def test_hidden_files_and_folders_are_left_out(tmp_path):
    touch(tmp_path, "a.png", "._a.png", ".hidden/b.png", "__MACOSX/._a.png", "sub/.c.png")
    assert cases(tmp_path) == ["a.png"]


def test_dicom_files_without_a_suffix_are_found_by_content(tmp_path):
    for name in ("IM0001", "1.2.840.5", "DICOMDIR", "readme.txt"):
        (tmp_path / name).write_bytes(bytes(128) + b"DICM")
    touch(tmp_path, "LICENSE")
    assert [(item["case"], item["output"]) for item in find_images(tmp_path)] == [
        ("1.2.840.5", "1.2.840.5.png"),
        ("IM0001", "IM0001.png"),
    ]


@pytest.mark.parametrize(
    "head", [b"\2\0\0\0UL\4\0", b"\x08\0\5\0CS\x0a\0", b"\x08\0\5\0\x0a\0\0\0", b"\x08\0\x16\0UI\x1a\0"]
)
def test_dicom_files_without_suffix_and_preamble_are_found_by_their_first_element(tmp_path, head):
    for name in ("IM0001", "1.2.840.5", "DICOMDIR", "scan.txt"):
        (tmp_path / name).write_bytes(head + bytes(200))
    assert cases(tmp_path) == ["1.2.840.5", "IM0001"]


@pytest.mark.parametrize(
    "name",
    [
        *("DIC.mr", "DIC.dc3", "DIC.acr", "DIC.DCM30", "DIC.v1a", "DIC.Smith", "DIC.dcm_", "DIC.dcm.bak", "DIC.img"),
        "MR.1.3.12.2.1107.5_0001",
    ],
)
def test_dicom_files_of_an_unknown_suffix_are_found_by_content(tmp_path, name, caplog):
    (tmp_path / name).write_bytes(bytes(128) + b"DICM")
    assert cases(tmp_path) == [name]
    assert "left out" not in caplog.text


def test_files_that_are_never_images_are_not_opened(tmp_path, monkeypatch, caplog):
    touch(tmp_path, "a.png", "b.csv", "c.json", "d.txt", "e.xml", "f.html", "g.PDF")
    monkeypatch.setattr("builtins.open", None)
    assert cases(tmp_path) == ["a.png"]
    assert not caplog.records


@pytest.mark.parametrize(
    "head", [b"", b"\x08\0", b"\x08\0\5\0\xff\xff\xff\x7f", b"\x08\0\5\0cs\x0a\x10", b"\x7fELF\2\1\1"]
)
def test_other_files_without_a_suffix_are_no_images(tmp_path, head):
    touch(tmp_path, "a.png")
    (tmp_path / "data").write_bytes(head + bytes(200 if len(head) > 2 else 0))
    assert cases(tmp_path) == ["a.png"]


def test_links_cannot_loop_and_prefer_the_real_folder(tmp_path):
    touch(tmp_path / "in", "z/a.png")
    touch(tmp_path / "elsewhere", "b.png")
    (tmp_path / "in/z/up").symlink_to(tmp_path / "in")
    (tmp_path / "in/a_link").symlink_to(tmp_path / "in/z")
    (tmp_path / "in/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/self").symlink_to(tmp_path / "in/self")
    assert cases(tmp_path / "in") == ["linked/b.png", "z/a.png"]


def test_a_broken_link_is_listed_so_that_reading_can_report_it(tmp_path):
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert cases(tmp_path) == ["gone.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_left_out(tmp_path):
    touch(tmp_path, "a.png")
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe")
    assert cases(tmp_path) == ["a.png"]


def test_excluded_files_and_folders_are_left_out(tmp_path):
    touch(tmp_path, "a.png", "b.png", "out/masks/a.png", "outer/c.png")
    assert cases(tmp_path, exclude=[tmp_path / "out", tmp_path / "b.png"]) == ["a.png", "outer/c.png"]


def test_only_the_images_of_a_labelled_folder_are_listed(tmp_path):
    touch(tmp_path, "image/s/a.png", "mask/s/a.png", "contact_sheet.png")
    assert find_images(tmp_path)[0] == {
        "image": str(tmp_path / "image/s/a.png"),
        "case": "s/a.png",
        "output": "s/a.png",
    }
    assert len(find_images(tmp_path)) == 1


def test_a_missing_or_wrong_folder_gets_one_sentence(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(FileNotFoundError, match="Expected a folder of images, found an empty name; give the folder"):
        find_images("")
    with pytest.raises(FileNotFoundError, match=r"Expected a folder of images at .*nowhere, found nothing there; give"):
        find_images(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError, match=r"Expected a folder of images at .*a.png, found a file; give"):
        find_images(tmp_path / "a.png")


def test_a_folder_without_images_says_what_is_there_and_what_is_accepted(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected images in .*, found no file; accepted are png, jpg, "):
        find_images(tmp_path)
    touch(tmp_path, "a.txt", "b.TXT", "c.xlsx", "LICENSE")
    with pytest.raises(FileNotFoundError, match=r"found other files \(2 .txt, 1 without suffix, 1 .xlsx\); accepted"):
        find_images(tmp_path)


def test_folders_beside_image_and_mask_are_named(tmp_path, caplog):
    touch(tmp_path, "image/a.png", "mask/a.png", "2024/b.png", "contact_sheet.png")
    with caplog.at_level(logging.WARNING):
        assert [item["case"] for item in find_images(tmp_path)] == ["a.png"]
    assert "left out: 2024." in caplog.text


def test_folders_without_permission_stop_the_root_and_skip_below(tmp_path, monkeypatch, caplog):
    touch(tmp_path, "a.png", "locked/b.png")
    listdir = os.listdir

    def refuse(name):
        def guarded(folder):
            if os.path.basename(folder) == name:
                raise PermissionError(13, "Permission denied")
            return listdir(folder)

        return guarded

    monkeypatch.setattr(os, "listdir", refuse("locked"))
    with caplog.at_level(logging.WARNING):
        assert cases(tmp_path) == ["a.png"]
    assert "locked is left out: no permission to read it" in caplog.text
    monkeypatch.setattr(os, "listdir", refuse(tmp_path.name))
    with pytest.raises(PermissionError, match=r"Expected a readable folder at .*, found no permission; ask"):
        find_images(tmp_path)


def test_outputs_are_unique_even_where_case_is_ignored():
    assert mask_names(["a.jpg", "a.png", "b.jpg"]) == {"a.jpg": "a.jpg.png", "a.png": "a.png.png", "b.jpg": "b.png"}
    assert mask_names(["a.jpg", "A.png"]) == {"a.jpg": "a.jpg.png", "A.png": "A.png.png"}
    # The full name of one case is the plain name of another.
    names = mask_names(["a.png", "a.tif", "a.png.jpg"])
    assert names == {"a.png": "a.png.png", "a.tif": "a.tif.png", "a.png.jpg": "a.png.jpg.png"}
    assert mask_names(["s/a.png", "t/a.png"]) == {"s/a.png": "s/a.png", "t/a.png": "t/a.png"}


def test_a_name_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="Expected a name of its own for each image, found b twice; rename files, or"):
        mask_names(["a", "b", "b"])


def test_names_that_differ_in_case_alone_do_not_hang():
    assert mask_names(["a.png", "A.PNG"]) == {"a.png": "a.png.png", "A.PNG": "A.PNG.png"}


def test_pairs_match_by_name_output_or_stem(tmp_path):
    touch(tmp_path / "image", "a.jpg", "b.png", "s/c.JPG", "d.png", "d.tif")
    touch(tmp_path / "mask", "a.png", "b.png", "s/c.tif", "d.png.png", "d.tif.png")
    pairs = {item["case"]: os.path.relpath(item["label"], tmp_path / "mask") for item in find_pairs(tmp_path)}
    assert pairs == {
        "a.jpg": "a.png",
        "b.png": "b.png",
        "d.png": "d.png.png",
        "d.tif": "d.tif.png",
        "s/c.JPG": os.path.join("s", "c.tif"),
    }


def test_images_without_a_mask_are_named_up_to_three(tmp_path):
    touch(tmp_path, "mask/a.png", *(f"image/{name}.png" for name in "abcde"))
    message = r"Expected one mask for each of 5 images .* for 4 of them \(b.png, c.png, d.png, \.\.\.\); add"
    with pytest.raises(ValueError, match=message):
        find_pairs(tmp_path)


def test_two_possible_masks_are_refused(tmp_path):
    touch(tmp_path, "image/a.jpg", "mask/a.tif", "mask/a.bmp")
    with pytest.raises(ValueError, match=r"found none or several for 1 of them \(a.jpg\)"):
        find_pairs(tmp_path)


def test_masks_without_an_image_are_left_out_with_a_warning(tmp_path, caplog):
    touch(tmp_path, "image/a.png", "mask/a.png", "mask/b.png")
    with caplog.at_level(logging.WARNING):
        assert [item["case"] for item in find_pairs(tmp_path)] == ["a.png"]
    assert "1 masks" in caplog.text
    assert "(b.png)" in caplog.text


def test_an_unlabelled_folder_is_refused_as_a_labelled_one(tmp_path):
    touch(tmp_path, "a.png")
    with pytest.raises(
        FileNotFoundError, match=r"Expected the folders image and mask in .* found no image and no mask"
    ):
        find_pairs(tmp_path)


def test_listed_paths_open_as_they_are(tmp_path, monkeypatch):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert Image.open(find_images(".")[0]["image"]).size == (2, 2)


def test_a_mask_is_not_named_as_a_folder_of_the_images():
    assert mask_names(["c.jpg", "c.png/in.png"]) == {"c.jpg": "c.jpg.png", "c.png/in.png": "c.png/in.png"}


def test_pictures_that_are_not_read_are_counted(tmp_path, caplog):
    touch(tmp_path, "a.png", "b.webp", "c.webp", "d.gif", "notes.txt", "LICENSE")
    Image.new("RGB", (4, 4)).save(tmp_path / "IMG_0001", "jpeg")
    assert len(find_images(tmp_path)) == 1
    assert "are left out: 2 .webp, 1 without suffix, 1 .gif." in caplog.text


def test_volumes_and_raw_photographs_are_counted_too(tmp_path, caplog):
    touch(tmp_path, "a.png", "b.hdr", "b.img", "c.nrrd", "d.JFIF", "e.NEF", "f.tar.gz")
    assert len(find_images(tmp_path)) == 1
    assert "are left out: 1 .hdr, 1 .img, 1 .nrrd, 1 .jfif, 1 .nef, ...." in caplog.text


@pytest.mark.parametrize("name", ["b.nii.bz2", "b.nii.zst", "b.nii.xz", "b.MNC", "b.par", "b.nia", "b.mif", "b.BRIK"])
def test_volumes_of_other_programs_are_counted(tmp_path, name, caplog):
    touch(tmp_path, "a.png", name)
    assert cases(tmp_path) == ["a.png"]
    assert f"are left out: 1 {Path(name).suffix.lower()}." in caplog.text


@pytest.mark.parametrize("name", ["IMG.0001", "scan.bak"])
def test_pictures_of_an_unknown_suffix_are_counted(tmp_path, name, caplog):
    touch(tmp_path, "a.png")
    Image.new("RGB", (4, 4)).save(tmp_path / name, "jpeg")
    assert cases(tmp_path) == ["a.png"]
    assert f"are left out: 1 {Path(name).suffix}." in caplog.text


def test_dicom_that_begins_as_tiff_is_read_and_not_counted(tmp_path, caplog):
    (tmp_path / "slide").write_bytes(b"II*\0".ljust(128, b"\0") + b"DICM")
    assert cases(tmp_path) == ["slide"]
    assert "left out" not in caplog.text


def test_a_name_that_is_no_text_does_not_replace_the_file_that_is_called_as_it_is_written(tmp_path):
    try:
        (tmp_path / os.fsdecode(b"n\xff.png")).write_bytes(b"1")
    except OSError:
        pytest.skip("this disk only takes text")
    (tmp_path / "n\\xff.png").write_bytes(b"2")
    found = find_images(tmp_path)
    assert len({item["case"] for item in found}) == len({item["output"] for item in found}) == 2
    assert {Path(item["image"]).read_bytes() for item in found} == {b"1", b"2"}


def test_masks_have_names_that_a_disk_takes(tmp_path):
    cases = [f"s/{'z' * 251}.jpg", f"s/{'z' * 251}.bmp", f"s/{'ä' * 120}.jpg"]
    names = mask_names(cases)
    assert len(set(names.values())) == 3
    assert names[cases[2]] == f"s/{'ä' * 120}.png"
    for name in names.values():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    long = mask_names([f"{'ä' * 126}.jpg"], suffix=".nii.gz")
    (name,) = long.values()
    assert len(name.encode()) <= 255
    assert name.endswith(".nii.gz")


@pytest.mark.parametrize("content", [b"", b"\0" * 90, b"\0" * 400])
def test_what_a_broken_copy_leaves_among_dicom_files_is_listed(tmp_path, content):
    folders = ("dicom", "other")
    for folder in folders:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "IM2").write_bytes(content)
        (tmp_path / folder / "notes.txt").write_bytes(content)
        (tmp_path / folder / "DICOMDIR").write_bytes(content)
    (tmp_path / "dicom" / "IM1").write_bytes(b"\0" * 128 + b"DICM")
    touch(tmp_path, "other/a.png")
    assert cases(tmp_path) == ["dicom/IM1", "dicom/IM2", "other/a.png"]


@pytest.mark.parametrize("name", ["LOCKFILE", "_SUCCESS", "done", "Icon\r", "study.ok", "a.tmp", "vol1.bin", "seg.raw"])
@pytest.mark.parametrize("content", [b"", b"\0" * 400])
def test_blank_files_with_other_names_than_dicom_has_are_no_images(tmp_path, name, content):
    for number in (1, 2):
        (tmp_path / f"IM{number}").write_bytes(b"\0" * 128 + b"DICM")
    (tmp_path / name).write_bytes(content)
    assert cases(tmp_path) == ["IM1", "IM2"]
