import logging
import os

import nibabel
import numpy as np
import pytest
from PIL import Image, ImageFile

from monai_sfda.data import SameSize, find_images, find_pairs, readable
from monai_sfda.failures import write_failures
from monai_sfda.imageio import MaskReader, PhotoReader

IMAGE = SameSize({"image": PhotoReader()})
PAIR = SameSize({"image": PhotoReader(), "label": MaskReader([0, 1, 2])})


def photo(path, size=(64, 48), cut=0):
    """A noisy picture, its last bytes cut off if asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(0).integers(256, size=(*size[::-1], 3), dtype=np.uint8)).save(path)
    if cut:
        path.write_bytes(path.read_bytes()[:-cut])


@pytest.fixture
def clinic(tmp_path):
    """Two good images among five bad ones."""
    photo(tmp_path / "a good.jpg")
    photo(tmp_path / "z/good.tif")
    photo(tmp_path / "cut.png", cut=2000)
    photo(tmp_path / "cut.jpg", cut=2000)
    (tmp_path / "empty.bmp").touch()
    (tmp_path / "text.png").write_text("I am a text")
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    return tmp_path


def test_a_plain_datalist_of_monai_will_do(clinic):
    items = [{"image": item["image"]} for item in find_images(clinic)]
    good, failures = readable(items, IMAGE, progress=False)
    assert good == [{"case": str(clinic / name), "image": str(clinic / name)} for name in ("a good.jpg", "z/good.tif")]
    assert [row["case"] for row in failures] == [
        str(clinic / f) for f in ("cut.jpg", "cut.png", "empty.bmp", "link.png", "text.png")
    ]


@pytest.mark.parametrize(
    ("item", "found"),
    [({"picture": "a.png"}, "the keys picture"), ("a.png", "a str"), ({"image": None}, "the keys image")],
)
def test_items_without_a_path_are_one_sentence(item, found):
    with pytest.raises(ValueError, match=rf'Expected items such as {{"image": path, "case": .*, found {found}; add'):
        readable([item], IMAGE, progress=False)


def test_bad_files_are_listed_and_the_rest_goes_on(clinic, caplog):
    with caplog.at_level(logging.WARNING):
        good, failures = readable(find_images(clinic), IMAGE, progress=False)
    assert [item["case"] for item in good] == ["a good.jpg", "z/good.tif"]
    reasons = {row["case"]: row["reason"] for row in failures}
    assert list(reasons) == ["cut.jpg", "cut.png", "empty.bmp", "link.png", "text.png"]
    assert "cut short" in reasons["cut.jpg"].lower()
    assert "empty file" in reasons["empty.bmp"]
    assert (
        reasons["link.png"]
        == "Expected a file, found none (a link may point to a file that no longer exists); restore it."
    )
    assert "found other content" in reasons["text.png"]
    assert all("\n" not in reason and str(clinic) not in reason for reason in reasons.values())
    assert len(caplog.records) == 1
    assert "5 of 7 images cannot be read" in caplog.text


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
@pytest.mark.parametrize("cut", [500, 5000])
def test_truncated_files_of_every_format_are_found(tmp_path, suffix, cut):
    photo(tmp_path / "good.png")
    photo(tmp_path / f"cut.{suffix}", cut=min(cut, 1500) if suffix == "jpg" else cut)
    _, failures = readable(find_images(tmp_path), IMAGE, progress=False)
    assert [row["case"] for row in failures] == [f"cut.{suffix}"]
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_files_without_permission_are_listed(tmp_path):
    photo(tmp_path / "good.png")
    photo(tmp_path / "locked.png")
    (tmp_path / "locked.png").chmod(0)
    _, failures = readable(find_images(tmp_path), IMAGE, progress=False)
    assert failures == [{"case": "locked.png", "reason": "Permission denied"}]


def test_reasons_of_the_operating_system_lose_their_paths(tmp_path):
    class Locked(PhotoReader):
        def decode(self, path):
            raise PermissionError(13, "Permission denied", str(path))

    photo(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"\(first failure: a.png: Permission denied\)"):
        readable(find_images(tmp_path), SameSize({"image": Locked()}), progress=False)


def test_a_picture_of_unreasonable_size_is_a_failure_and_not_a_crash(tmp_path, monkeypatch):
    photo(tmp_path / "good.png", size=(4, 4))
    photo(tmp_path / "huge.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    _, failures = readable(find_images(tmp_path), IMAGE, progress=False)
    assert "exceeds limit" in failures[0]["reason"]


def test_a_nifti_mask_of_a_photograph_that_exif_turns_is_refused(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 3
    (tmp_path / "image").mkdir()
    (tmp_path / "mask").mkdir()
    Image.new("RGB", (6, 6)).save(tmp_path / "image" / "a.jpg", exif=turned)
    nibabel.save(nibabel.Nifti1Image(np.eye(6, dtype=np.uint8), np.eye(4)), tmp_path / "mask" / "a.nii.gz")
    with pytest.raises(ValueError, match=r"a photograph that EXIF rotates, .* save it as png"):
        readable(find_pairs(tmp_path), PAIR, progress=False)
    Image.new("RGB", (6, 6)).save(tmp_path / "image" / "a.jpg")
    assert len(readable(find_pairs(tmp_path), PAIR, progress=False).good) == 1


def test_masks_that_do_not_fit_are_listed(tmp_path):
    masks = {
        "a.png": np.ones((48, 64), np.uint8),
        "b.png": np.ones((64, 48), np.uint8),
        "c.png": np.full((48, 64), 255, np.uint8),
        "d.png": np.zeros((48, 64, 3), np.uint8) + np.array([0, 1, 2], np.uint8),
    }
    (tmp_path / "mask").mkdir()
    for name, mask in masks.items():
        photo(tmp_path / "image" / name)
        Image.fromarray(mask).save(tmp_path / "mask" / name)
    good, failures = readable(find_pairs(tmp_path), PAIR, progress=False)
    assert [item["case"] for item in good] == ["a.png"]
    reasons = [row["reason"] for row in failures]
    assert reasons[0].startswith("Expected files of one size, found image 64x48, label 48x64; save")
    assert reasons[1].startswith("Expected the class ids 0, 1, 2 in the mask of c.png, found 255; save")
    assert reasons[2].startswith("Expected class ids in mask d.png, found colours; save")


def test_the_size_of_a_rotated_photo_is_that_of_the_upright_picture(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "image").mkdir()
    (tmp_path / "mask").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "image/a.jpg", exif=exif)
    Image.new("L", (48, 64)).save(tmp_path / "mask/a.png")
    assert readable(find_pairs(tmp_path), PAIR, progress=False).failures == []


def test_too_few_good_files_stop_with_the_first_reason(clinic, tmp_path):
    items = find_images(clinic)
    message = r"Expected at least 3 readable image\(s\), found 2 of 7 \(first failure: cut.jpg"
    with pytest.raises(ValueError, match=message):
        readable(items, IMAGE, min_count=3, progress=False)
    bad = [item for item in items if item["case"] == "empty.bmp"]
    with pytest.raises(ValueError, match=r"found 0 of 1 \(first failure: empty.bmp: Expected an image"):
        readable(bad, IMAGE, progress=False)


@pytest.mark.parametrize("processors", [1, 3])
def test_the_order_does_not_depend_on_the_threads(tmp_path, monkeypatch, processors):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: range(processors), raising=False)
    for index in range(12):
        photo(tmp_path / f"{index}.png", size=(8, 8), cut=150 * (index % 3 == 0))
    items = find_images(tmp_path)
    good, failures = readable(items, IMAGE, progress=False)
    assert good == [item for item in items if int(item["case"][:-4]) % 3]
    assert [row["case"] for row in failures] == ["0.png", "3.png", "6.png", "9.png"]


def test_progress_is_shown_on_request(tmp_path, capsys):
    photo(tmp_path / "a.png", size=(8, 8))
    readable(find_images(tmp_path), IMAGE)
    assert "checking images" in capsys.readouterr().err
    readable(find_images(tmp_path), IMAGE, progress=False)
    assert capsys.readouterr().err == ""


def test_failures_are_written_as_a_table_and_replace_older_ones(tmp_path):
    path = tmp_path / "new/failures.csv"
    write_failures(path, [{"case": "ä, b\udcff.png", "reason": 'said "no"'}])
    assert path.read_text(encoding="utf-8-sig") == 'case,reason\n"ä, b\\udcff.png","said ""no"""\n'
    write_failures(path, [])
    assert path.read_text(encoding="utf-8-sig") == "case,reason\n"
    assert os.listdir(path.parent) == ["failures.csv"]


def nifti_pair(tmp_path, image_affine, mask_affine, mask=None):
    ids = np.zeros((6, 4), np.uint8) if mask is None else mask
    nibabel.save(nibabel.Nifti1Image(np.arange(24, dtype=np.uint8).reshape(6, 4), image_affine), tmp_path / "a.nii")
    nibabel.save(nibabel.Nifti1Image(ids, mask_affine), tmp_path / "b.nii")
    return {"image": tmp_path / "a.nii", "label": tmp_path / "b.nii"}


LPS = np.diag([-0.01, -0.01, 1, 1])


def test_a_mask_of_the_same_place_is_taken_up_to_rounding(tmp_path):
    near = LPS.copy()
    near[0, 3] = 0.004
    PAIR(nifti_pair(tmp_path, LPS, near))


def test_a_mask_that_lies_in_another_order_or_elsewhere_is_refused(tmp_path):
    turned, moved, coarse = np.diag([0.01, 0.01, 1, 1]), LPS.copy(), np.diag([-0.02, -0.02, 1, 1])
    turned[:2, 3] = -0.05, -0.03  # the corners of the same place, the other way round
    moved[0, 3] = 0.02
    for affine, codes in ((turned, r"\(LPS and RAS\)"), (moved, ""), (coarse, "")):
        with pytest.raises(ValueError, match=rf"found other positions or axes in their affines {codes}"):
            PAIR(nifti_pair(tmp_path, LPS, affine))


def test_a_mask_that_does_not_say_where_it_lies_is_taken(tmp_path):
    item = nifti_pair(tmp_path, LPS, np.eye(4))
    mask = nibabel.load(item["label"])
    mask.header["sform_code"] = mask.header["qform_code"] = 0
    nibabel.save(nibabel.Nifti1Image(np.asarray(mask.dataobj), None, mask.header), item["label"])
    PAIR(item)


@pytest.mark.parametrize("marked", [0, 1])
def test_masks_that_are_all_empty_are_said(tmp_path, caplog, marked):
    items = []
    for number in range(2):
        photo(tmp_path / f"{number}.png")
        ids = np.full((48, 64), number * marked, np.uint8)
        Image.fromarray(ids).save(tmp_path / f"mask{number}.png")
        items.append(
            {"case": str(number), "image": tmp_path / f"{number}.png", "label": tmp_path / f"mask{number}.png"}
        )
    readable(items, SameSize({"image": PhotoReader(), "label": MaskReader([0, 1, 2])}), progress=False)
    assert ("found all 2 empty" in caplog.text) == (not marked)


def test_a_series_of_files_that_cannot_be_read_is_one_failure(tmp_path):
    def check(item):
        raise ValueError(f"Expected slices, found {item['image'][0]}.")

    series = {"image": [str(tmp_path / "1.dcm"), str(tmp_path / "2.dcm")], "case": "series_1"}
    sorted_out = readable([series], check, min_count=0, progress=False)
    assert sorted_out.failures == [{"case": "series_1", "reason": "Expected slices, found 1.dcm."}]
