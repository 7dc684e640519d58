import shutil
import struct
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.volumes import VolumeReader, find_volume_pairs, find_volumes, read_volume

AFFINE = np.diag([-1.0, -1.0, 8.0, 1.0])


def save(path, shape=(5, 4, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.random.default_rng(0).random(shape, np.float32), AFFINE), path)


def listed(folder, **options):
    return {item["case"]: item["output"] for item in find_volumes(folder, **options)}


def test_each_frame_is_an_item_with_a_mask_of_its_own(tmp_path):
    save(tmp_path / "p1.nii.gz", (5, 4, 3, 12))
    save(tmp_path / "p2.nii")
    assert listed(tmp_path) == {"p1.nii.gz": "p1.nii.gz", "p2.nii": "p2.nii.gz"}
    assert listed(tmp_path, frames=[0, 11]) == {
        "p1.nii.gz frame 0": "p1_frame00.nii.gz",
        "p1.nii.gz frame 11": "p1_frame11.nii.gz",
        "p2.nii": "p2.nii.gz",
    }
    items = find_volumes(tmp_path, frames="all")
    assert len(items) == 13
    assert [item["frame"] for item in items[:-1]] == list(range(12))
    assert listed(tmp_path, frames="0,11") == listed(tmp_path, frames=(0, 11)) == listed(tmp_path, frames=["0", 11])
    assert list(listed(tmp_path, frames=3)) == ["p1.nii.gz frame 3", "p2.nii"]


def test_a_frame_that_is_not_there_is_refused_by_the_reader(tmp_path):
    save(tmp_path / "p1.nii.gz", (5, 4, 3, 2))
    (item,) = find_volumes(tmp_path, frames=[7])
    with pytest.raises(ValueError, match=r"Expected a frame from 0 to 1 of p1\.nii\.gz, found 7"):
        read_volume(item["image"], item["frame"])


@pytest.mark.parametrize("frames", ["some", [], "", [-1], "0,x", 1.5, [None], True, False])
def test_frames_that_are_none_are_refused(tmp_path, frames):
    save(tmp_path / "p1.nii.gz")
    with pytest.raises(ValueError, match="Expected --frames all, or indices from 0 such as 0,12, found"):
        find_volumes(tmp_path, frames=frames)


def test_no_two_masks_have_one_name(tmp_path):
    for name, shape in [("p1.nii.gz", (5, 4, 3, 2)), ("p1.nii", (5, 4, 3, 2)), ("p1_frame00.nii.gz", (5, 4, 3))]:
        save(tmp_path / name, shape)
    save(tmp_path / "p2.nii.gz", (5, 4, 3, 2))
    save(tmp_path / "P2_Frame01.nii.gz")
    outputs = list(listed(tmp_path, frames="all").values())
    assert len({output.casefold() for output in outputs}) == len(outputs) == 8
    assert listed(tmp_path, frames="all")["p1_frame00.nii.gz"] == "p1_frame00.nii.gz"


def test_a_damaged_file_is_listed_and_refused_when_read(tmp_path):
    save(tmp_path / "p1.nii.gz")
    (tmp_path / "p2.nii.gz").write_bytes(b"")
    (tmp_path / "p3.nii.gz").write_bytes(b"no image")
    (tmp_path / "p4.dcm").write_bytes(b"no image" * 40)
    pictures(tmp_path, ["p5_1.png", "p5_2.png", "p6.png"])
    group = r"(?P<volume>.+)_(?P<slice>\d+)"
    names = ["p1.nii.gz", "p2.nii.gz", "p3.nii.gz", "p4.dcm", "p5", "p6.png"]
    assert list(listed(tmp_path, frames="all", group=group)) == names


def test_pairs_have_frames_and_series_have_masks(tmp_path):
    save(tmp_path / "image" / "p1.nii.gz", (5, 4, 3, 2))
    save(tmp_path / "mask" / "p1.nii", (5, 4, 3, 2))
    items = find_volume_pairs(tmp_path, frames=[1])
    assert [(item["case"], item["frame"]) for item in items] == [("p1.nii.gz frame 1", 1)]
    assert items[0]["label"].endswith("p1.nii")


def pictures(folder, names, size=(5, 4)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        value = int("".join(filter(str.isdigit, name)) or 0) % 256
        Image.fromarray(np.arange(size[0] * size[1], dtype=np.uint8).reshape(size[::-1]) + value).save(folder / name)


def test_pictures_of_a_patient_are_slices_of_a_volume(tmp_path):
    pictures(tmp_path / "s", [f"p1_{n}.png" for n in (1, 2, 10, 9, 8, 7, 6, 5, 4, 3)] + ["p2_1.png", "p2_2.png"])
    items = find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")
    assert [item["case"] for item in items] == ["s/p1", "s/p2"]
    assert items[0]["output"] == "s/p1.nii.gz"
    image, _, volume = VolumeReader([1.0, 1.0], percentiles=[0, 100], pixel_size=1).read(items[0])
    assert volume.values.shape == (5, 4, 10)
    assert volume.values[0, 0].tolist() == [11, 12, 13, 14, 15, 16, 17, 18, 19, 110]
    assert image.shape == (1, 10, 4, 5)
    assert image[0, 0, 0, 1] > image[0, 0, 0, 0]


def test_a_picture_without_a_group_is_a_volume_of_one_slice(tmp_path):
    pictures(tmp_path, ["a_1.png", "a_2.png", "other.png"])
    assert list(listed(tmp_path)) == ["a_1.png", "a_2.png", "other.png"]
    assert list(listed(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")) == ["a", "other.png"]
    assert read_volume(str(tmp_path / "other.png")).values.shape == (5, 4, 1)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a_1.png", "a_01.png"], "found several of slice 1; correct --group"),
        (["a_1.png", "a_2.png", "a_4.png"], "found none between slice 2 and slice 4; add them"),
    ],
)
def test_slices_that_are_not_complete_cost_their_volume_alone(tmp_path, names, words):
    pictures(tmp_path, [*names, "b_1.png", "b_2.png"])
    first, second = find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")
    reader = VolumeReader([1.0, 1.0], percentiles=[0, 100], pixel_size=1)
    with pytest.raises(ValueError, match=words):
        reader.read(first)
    reader.read(second)


def test_slices_of_other_sizes_or_in_colours_are_refused(tmp_path):
    pictures(tmp_path, ["a_1.png"])
    pictures(tmp_path, ["a_2.png"], size=(6, 4))
    (item,) = find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")
    with pytest.raises(ValueError, match="Expected slices of one size, found 5 x 4 and 6 x 4 pixels"):
        read_volume(item["image"])
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (4, 5, 3), np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(ValueError, match=r"found colours in c\.png"):
        read_volume(str(tmp_path / "c.png"))
    Image.fromarray(np.full((4, 5, 3), 7, np.uint8)).save(tmp_path / "d.png")
    assert (read_volume(str(tmp_path / "d.png")).values == 7).all()


def test_deep_slices_share_one_scale(tmp_path):
    for n, value in enumerate([100, 4000]):
        Image.fromarray(np.full((4, 5), value, np.uint16)).save(tmp_path / f"a_{n}.png")
    (item,) = find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")
    assert read_volume(item["image"]).values[0, 0].tolist() == [100, 4000]


def test_ids_of_a_palette_are_its_indices(tmp_path):
    mask = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8), "L").convert("P")
    mask.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    mask.save(tmp_path / "a.png")
    ids = np.array([[0, 1], [2, 1]])
    assert read_volume(str(tmp_path / "a.png"), ids=True).values[..., 0].T.shape == ids.shape


@pytest.mark.parametrize("group", ["(", "(?P<volume>.+)", r"nothing(?P<volume>.+)_(?P<slice>\d+)"])
def test_a_group_that_is_none_is_refused(tmp_path, group):
    pictures(tmp_path, ["a_1.png"])
    with pytest.raises(ValueError, match="Expected --group"):
        find_volumes(tmp_path, group=group)


def report(path):
    """A DICOM file of a kind that holds no image."""
    import pydicom
    from dicom_series import write_slice

    data = pydicom.dcmread(write_slice(path, 0, series="1.7"))
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.EnhancedSRStorage
    for name in ("Rows", "Columns", "PixelData"):
        delattr(data, name)
    data.save_as(path)


def test_series_are_found_in_any_tree_among_other_files(tmp_path, caplog):
    pytest.importorskip("pydicom")
    from dicom_series import write_series, write_slice

    write_series(tmp_path / "p1" / "a", series="1.1", SeriesNumber=3)
    write_series(tmp_path / "p1" / "b" / "c", series="1.2", SeriesNumber=4)
    write_slice(tmp_path / "p1" / "b" / "d" / "IM9", 32, series="1.2", SeriesNumber=4)
    write_series(tmp_path / "p1" / "a" / "x", heights=(0, 1), series="1.5", SeriesNumber=3)
    write_series(tmp_path / "all1", series="1.3", SeriesNumber=None)
    save(tmp_path / "p1" / "v.nii.gz")
    (tmp_path / "p1" / "notes.txt").write_text("no image")
    (tmp_path / "p1" / "broken.dcm").write_bytes(b"no image" * 40)
    report(tmp_path / "p1" / "report.dcm")
    items = find_volumes(tmp_path)
    assert {item["case"]: len(item["image"]) for item in items if isinstance(item["image"], list)} == {
        "all1/series": 4,
        "p1/a/series_3": 4,
        "p1/a/x/series_3": 2,
        "p1/b/series_4": 5,
        "p1/broken.dcm": 1,
    }
    assert len(items) == 6
    assert "1 DICOM files without images" in caplog.text
    assert [item["output"] for item in items if item["case"] == "p1/b/series_4"] == ["p1/b/series_4.nii.gz"]
    assert all("frames" not in item for item in items)


def test_series_of_one_number_in_one_folder_are_counted(tmp_path):
    pytest.importorskip("pydicom")
    from dicom_series import write_series, write_slice

    write_series(tmp_path, series="1.1")
    for n, series in enumerate(["1.2", "1.3"]):
        write_slice(tmp_path / f"X{n}", 0, series=series)
    assert list(listed(tmp_path)) == ["series_3", "series_3_2", "series_3_3"]


@pytest.mark.parametrize("studies", [("1.2", "1.77"), (None, "1.77")])
def test_two_studies_of_one_series_uid_stay_apart(tmp_path, studies):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    paths = []
    for n, study in enumerate(studies):
        heights = (8 * n, 8 * n + 16, 8 * n + 32)
        paths += write_series(tmp_path / f"p{n}", heights, StudyInstanceUID=study, FrameOfReferenceUID=None)
    items = find_volumes(tmp_path)
    assert [(item["case"], len(item["image"])) for item in items] == [("p0/series_3", 3), ("p1/series_3", 3)]
    with pytest.raises(ValueError, match="Expected a series of one study, found another in 3 of 6 images"):
        read_volume(paths)


def test_a_series_without_a_study_is_one(tmp_path):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    write_series(tmp_path, StudyInstanceUID=None)
    (item,) = find_volumes(tmp_path)
    assert read_volume(item["image"]).values.shape == (5, 6, 4)


def test_two_volumes_of_one_name_are_refused(tmp_path):
    pictures(tmp_path, [f"p1.nii_{n}.png" for n in range(3)])
    save(tmp_path / "p1.nii")
    with pytest.raises(ValueError, match=r"a name of its own for each image, found p1\.nii twice; .*--group"):
        find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")


def test_a_series_is_not_called_as_a_volume_of_pictures(tmp_path):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    pictures(tmp_path, [f"series_3_{n}.png" for n in range(3)])
    write_series(tmp_path)
    items = find_volumes(tmp_path, group=r"(?P<volume>.+)_(?P<slice>\d+)")
    assert [(item["case"], len(item["image"])) for item in items] == [("series_3", 3), ("series_3_2", 4)]


def test_frames_of_a_series_are_items(tmp_path):
    pytest.importorskip("pydicom")
    from dicom_series import write_slice

    for n in range(6):
        write_slice(tmp_path / str(n), 8 * (n // 2), TriggerTime=n % 2)
    assert listed(tmp_path) == {"series_3": "series_3.nii.gz"}
    assert listed(tmp_path, frames="all") == {
        "series_3 frame 0": "series_3_frame00.nii.gz",
        "series_3 frame 1": "series_3_frame01.nii.gz",
    }
    shutil.copytree(tmp_path, tmp_path / "image", ignore=shutil.ignore_patterns("image"))
    save(tmp_path / "mask" / "series_3.nii.gz", (5, 6, 3, 2))
    pairs = find_volume_pairs(tmp_path, frames="all")
    assert [item["frame"] for item in pairs] == [0, 1]
    assert pairs[0]["label"].endswith("mask/series_3.nii.gz")


def test_without_pydicom_a_series_is_one_sentence(tmp_path, monkeypatch):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    write_series(tmp_path)
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(ImportError, match=r"Expected pydicom to read the DICOM file IM.*install it with: pip"):
        find_volumes(tmp_path)


def put(path, old, new):
    """Text where pydicom would only write a number, of the same length."""
    content = path.read_bytes()
    assert len(old) == len(new)
    assert content.count(old) == 1
    path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("text", [b"/../../../pw", b"DOE^JOHN\n=1+", b"5\\6         ", b"99999999999 "])
def test_a_series_number_that_is_none_names_no_file(tmp_path, text):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    for path in write_series(tmp_path / "p1" / "x", SeriesNumber="987654321012"):
        put(tmp_path / path, b"987654321012", text)
    assert listed(tmp_path) == {"p1/x/series": "p1/x/series.nii.gz"}


def cut(path, length):
    path.write_bytes(path.read_bytes()[:length])


@pytest.mark.parametrize("where", ["meta", "kind", "study", "number", "empty", "nothing"])
@pytest.mark.parametrize("suffix", [".dcm", ""])
def test_a_file_cut_short_does_not_shorten_its_series(tmp_path, where, suffix):
    pytest.importorskip("pydicom")
    from dicom_series import write_slice

    for n in range(4):
        path = tmp_path / "p1" / f"{n}{suffix}"
        write_slice(path, 8 * n, InstanceNumber=n)
        write_slice(tmp_path / "p2" / path.name, 8 * n, series="1.8")
    report(tmp_path / "p2" / "report.dcm")
    content = path.read_bytes()
    # behind the group of the file, in its kind, behind the study, and behind the number of the image
    length = {"meta": 140, "empty": 0, "nothing": 90}.get(where) or content.index(
        {"kind": b"\x08\0\x16\0", "study": b"\x20\0\x0e\0", "number": b"\x28\0\x02\0"}.get(where, b"")
    )
    cut(path, length + 20 * (where == "kind"))
    items = {item["case"]: item for item in find_volumes(tmp_path)}
    reader = VolumeReader([1.5, 1.25], percentiles=[0, 100])
    reader.read(items["p2/series_3"])
    words = (
        "whole headers in the series, found 1 of 4 that end before the size of the image"
        if where == "number"
        else ("in the folder of the series to be readable, found 1 that cannot be read")
    )
    with pytest.raises(ValueError, match=words):
        reader.read(items["p1/series_3"])
    assert len(items) == (2 if where == "number" else 3)
    if where != "number":
        with pytest.raises(ValueError, match="Expected "):
            reader.read(items[f"p1/3{suffix}"])


def test_beside_a_damaged_file_several_series_are_named_and_a_file_of_a_volume_is_whole(tmp_path, caplog):
    pytest.importorskip("pydicom")
    from dicom_series import enhanced, write_slice

    for n in range(3):
        write_slice(tmp_path / "p1" / f"a{n}.dcm", 8 * n, series="1.7")
        write_slice(tmp_path / "p1" / f"b{n}.dcm", 8 * n, series="1.8", SeriesNumber=4)
    enhanced(tmp_path / "p2" / "e.dcm", (0, 8, 16), (1,))
    for folder in ("p1", "p2"):
        (tmp_path / folder / "damaged.dcm").write_bytes(b"")
    items = find_volumes(tmp_path)
    assert len(items) == 5
    assert not any("refused" in item for item in items)
    assert "these series may lack slices: p1/series_3, p1/series_4." in caplog.text
    assert "p2" not in caplog.text


def test_slices_farther_apart_than_the_file_says_are_named(tmp_path, caplog):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    write_series(tmp_path / "whole", SpacingBetweenSlices=8)
    write_series(tmp_path / "half", (0, 16, 32), series="1.8", SpacingBetweenSlices=8)
    find_volumes(tmp_path)
    assert "in 1 series, as if some were missing: half/series_3 (16 mm, not 8 mm)." in caplog.text


def test_names_stay_short_enough_for_a_disk(tmp_path):
    save(tmp_path / f"{'x' * 244}.nii.gz", (5, 4, 3, 2))
    pictures(tmp_path, [f"{'y' * 251}.png", f"{'y' * 251}.bmp"])
    outputs = list(listed(tmp_path, frames="all").values())
    assert len(set(outputs)) == 4
    assert all(len(name) <= 255 and name.endswith(".nii.gz") for name in outputs)


def grey(path, levels, **options):
    import tifffile

    if path.suffix == ".tif":
        tifffile.imwrite(path, levels, **options)
    else:
        Image.fromarray(levels).save(path, **options)
    return str(path)


LEVELS = np.arange(1, 21, dtype=np.uint8).reshape(4, 5)


@pytest.mark.parametrize(
    ("name", "levels", "options", "found"),
    [
        ("b.png", LEVELS.astype(np.uint16) * 257, {}, "uint8 of 8 bits and uint16"),
        (
            "b.tif",
            255 - LEVELS,
            {"photometric": "miniswhite"},
            "uint8 of 8 bits and uint8 of 8 bits of which 0 is white",
        ),
        ("b.png", LEVELS > 10, {}, "uint8 of 8 bits and bool of 1 bits"),
    ],
    ids=["deeper", "inverted", "black and white"],
)
def test_slices_on_several_scales_are_refused(tmp_path, name, levels, options, found):
    paths = [grey(tmp_path / "a.png", LEVELS), grey(tmp_path / name, levels, **options)]
    with pytest.raises(ValueError, match=f"Expected slices of one scale of levels, found {found}; export them again"):
        read_volume(paths)


def test_a_palette_of_greys_and_a_depth_that_nobody_states_go_with_others(tmp_path):
    palette = Image.fromarray(LEVELS, "P")
    palette.putpalette(bytes(np.arange(256, dtype=np.uint8).repeat(3)))
    palette.save(tmp_path / "p.png")
    paths = [grey(tmp_path / "a.png", LEVELS), str(tmp_path / "p.png")]
    assert (read_volume(paths).values == LEVELS.T[..., None]).all()
    deep = LEVELS.astype(np.uint16) * 100
    stated = {"extratags": [(281, "H", 1, 4095, False)]}
    paths = [grey(tmp_path / "b.tif", deep), grey(tmp_path / "c.tif", deep, **stated)]
    assert (read_volume(paths).values == deep.T[..., None]).all()


IDS = np.kron(np.eye(8, dtype=np.uint8), np.ones((2, 2), np.uint8))


@pytest.mark.parametrize(
    ("name", "levels", "words"),
    [
        ("m.jpg", IDS, "Expected a losslessly compressed mask in m.jpg"),
        ("m.png", np.dstack([0 * IDS, 0 * IDS, 0 * IDS, 255 * IDS]), "found them in its alpha channel"),
    ],
)
def test_slices_that_are_no_class_ids_are_refused(tmp_path, name, levels, words):
    with pytest.raises(ValueError, match=words):
        read_volume(grey(tmp_path / name, levels), ids=True)


def test_class_ids_of_which_0_is_white_are_turned(tmp_path):
    path = grey(tmp_path / "m.tif", IDS == 0, photometric="miniswhite")
    assert (read_volume(path, ids=True).values[..., 0] == IDS.T).all()


@pytest.mark.parametrize("name", ["DICOMDIR.dcm", "DICOMDIR_old"])
def test_a_directory_of_dicom_files_under_another_name_is_left_out(tmp_path, name):
    pydicom = pytest.importorskip("pydicom")
    from dicom_series import write_series

    write_series(tmp_path)
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    data.file_meta.MediaStorageSOPInstanceUID = "1.5"
    data.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    data.FileSetID = "DISC"
    data.save_as(tmp_path / name, enforce_file_format=True)
    (item,) = find_volumes(tmp_path)
    assert len(item["image"]) == 4
    assert "refused" not in item


def test_a_report_without_its_own_identifier_is_left_out(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    from dicom_series import write_series

    write_series(tmp_path)
    report(tmp_path / "report.dcm")
    data = pydicom.dcmread(tmp_path / "report.dcm")
    del data.SOPInstanceUID
    data.save_as(tmp_path / "report.dcm")
    (item,) = find_volumes(tmp_path)
    assert "refused" not in item


@pytest.mark.parametrize(("text", "name"), [(b"003 ", "003"), (b"-03 ", "-03"), (b"3.0 ", "3"), (b"3e1 ", "30")])
def test_a_series_number_is_named_as_it_is_written_if_it_has_only_digits(tmp_path, text, name):
    pytest.importorskip("pydicom")
    from dicom_series import write_series

    for path in write_series(tmp_path / "p1", SeriesNumber="9876"):
        put(Path(path), b"9876", text)
    assert listed(tmp_path) == {f"p1/series_{name}": f"p1/series_{name}.nii.gz"}


BLACK = np.zeros_like(LEVELS)
DEEP = LEVELS.astype(np.uint16) * 100


def four_bits(path, levels):
    """By hand, because Pillow writes no such grey png."""
    head = struct.pack(">IIBBBBB", *levels.shape[::-1], 4, 0, 0, 0, 0)
    even = np.pad(levels, ((0, 0), (0, levels.shape[1] % 2)))
    rows = b"".join(b"\0" + row.tobytes() for row in even[:, ::2] << 4 | even[:, 1::2])
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    content = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))
    return str(path)


@pytest.mark.parametrize("levels", [LEVELS, DEEP])
@pytest.mark.parametrize("black", [BLACK, BLACK > 0, "four bits"], ids=["8 bits", "1 bit", "4 bits"])
def test_black_slices_are_on_every_scale(tmp_path, levels, black):
    name = tmp_path / "b.png"
    paths = [four_bits(name, BLACK) if isinstance(black, str) else grey(name, black), grey(tmp_path / "a.png", levels)]
    assert (read_volume(paths).values == np.stack([BLACK.T, levels.T], -1)).all()


def test_a_slice_of_4_bits_beside_one_of_8_is_refused(tmp_path):
    paths = [four_bits(tmp_path / "b.png", LEVELS // 2), grey(tmp_path / "a.png", LEVELS)]
    with pytest.raises(ValueError, match="found uint8 of 4 bits and uint8 of 8 bits; export them again"):
        read_volume(paths)


def test_a_black_slice_of_which_0_is_white_is_white_and_refused(tmp_path):
    paths = [grey(tmp_path / "b.tif", BLACK, photometric="miniswhite"), grey(tmp_path / "a.png", LEVELS)]
    with pytest.raises(ValueError, match="Expected slices of one scale of levels"):
        read_volume(paths)


def test_the_largest_value_of_each_deep_slice_is_no_scale(tmp_path):
    levels = [DEEP, DEEP // 4]
    paths = [
        grey(tmp_path / f"{number}.tif", one, extratags=[(281, "H", 1, int(one.max()), False)])
        for number, one in enumerate(levels)
    ]
    assert (read_volume(paths).values == np.stack([one.T for one in levels], -1)).all()
