import shutil
import sys

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
    write_slice(tmp_path / "p1" / "report.dcm", 0, series="1.7", Rows=0)
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
