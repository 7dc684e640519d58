"""Volumes of a download in the package's layout; every bad file in one sentence, nothing half-written."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from monai_sfda.datasets.labelled_volumes import Case, prepare_volumes
from monai_sfda.datasets.nifti_pair import read_pair, with_stated_spacing
from monai_sfda.tables import read_csv

AFFINE = np.array([[0, -2, 0, 5], [-1.5, 0, 0, 6], [0, 0, 8, 7], [0, 0, 0, 1.0]])
IDS = {200: 2, 500: 1}


def volume(values, affine=AFFINE):
    return nib.Nifti1Image(np.asarray(values, np.int16), affine)


@pytest.fixture
def download(tmp_path):
    """Image and label of two volumes (4, 3, 2)."""
    folder = tmp_path / "download"
    folder.mkdir()
    label = np.zeros((4, 3, 2))
    label[1, 1], label[2, 1] = 200, 500
    for name in "ab":
        nib.save(volume(np.arange(24).reshape(4, 3, 2)), folder / f"{name}.nii.gz")
        nib.save(volume(label), folder / f"{name}_gt.nii.gz")
    return folder


def cases(folder, split=""):
    return [
        Case(name, (folder / f"{name}.nii.gz", folder / f"{name}_gt.nii.gz"), {"n": i}, split)
        for i, name in enumerate("ab")
    ]


def prepare(folder, out, these=None):
    return prepare_volumes(
        these or cases(folder),
        lambda case: read_pair(*case.files, IDS),
        out=out,
        settings={"dataset": "drawn"},
        notice="Licence.",
        progress=False,
    )


def test_images_are_copied_and_labels_have_our_ids_on_their_grid(download, tmp_path):
    out = tmp_path / "out"
    assert prepare(download, out) == f"{out}: 2 volumes."
    assert (out / "image" / "a.nii.gz").read_bytes() == (download / "a.nii.gz").read_bytes()
    mask = nib.load(out / "mask" / "a.nii.gz")
    assert (mask.get_data_dtype(), mask.header["sform_code"]) == (np.uint8, 2)
    assert np.allclose(mask.affine, AFFINE)
    assert np.asarray(mask.dataobj)[:, 1, 0].tolist() == [0, 2, 1, 0]
    assert (out / "NOTICE.txt").read_text() == "Licence."
    assert read_csv(out / "index.csv") == [{"file": "a.nii.gz", "n": "0"}, {"file": "b.nii.gz", "n": "1"}]


def test_a_second_run_finds_all_as_it_was(download, tmp_path):
    prepare(download, tmp_path / "out")
    assert "4 files read and their checksums the same (2 volumes)" in prepare(download, tmp_path / "out")


def test_sequences_have_folders_of_their_own(download, tmp_path):
    prepare(download, tmp_path / "out", cases(download, "lge"))
    assert (tmp_path / "out" / "lge" / "index.csv").is_file()
    assert (tmp_path / "out" / "lge" / "mask" / "b.nii.gz").is_file()


def replace_label(folder, values, affine=AFFINE):
    nib.save(volume(values, affine), folder / "b_gt.nii.gz")


def cut_in_the_middle(folder):
    path = folder / "b.nii.gz"
    nib.save(volume(np.random.default_rng(0).integers(999, size=(60, 60, 9))), path)
    replace_label(folder, np.full((60, 60, 9), 200))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_a_volume(folder):
    (folder / "b.nii.gz").write_bytes(gzip.compress(b"<html>not found</html>"))


def not_finite(folder):
    nib.save(nib.Nifti1Image(np.full((4, 3, 2), np.nan, np.float32), AFFINE), folder / "b.nii.gz")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (cut_in_the_middle, "Expected a whole file, found"),
        (not_a_volume, "Expected a whole file, found"),
        (not_finite, "Expected numbers in all voxels"),
        (lambda folder: replace_label(folder, np.zeros((4, 3, 2))), "Expected a structure in the label"),
        (lambda folder: replace_label(folder, np.full((4, 3, 2), 1)), r"values 0, 200, 500 in the label, found 1;"),
        (lambda folder: replace_label(folder, np.full((4, 3, 1), 200)), "found 4 x 3 x 1 on 4 x 3 x 2"),
        (lambda folder: replace_label(folder, np.full((4, 3, 2), 200), 2 * AFFINE), "found another position"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_nothing_is_written(download, tmp_path, spoil, sentence):
    spoil(download)
    with pytest.raises(ValueError, match=rf"Expected 2 usable volumes, found 1 .*The first, b: .*{sentence}") as error:
        prepare(download, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


def test_two_volumes_of_one_name_are_refused(download, tmp_path):
    with pytest.raises(ValueError, match="Expected one volume of each name, found two of a"):
        prepare(download, tmp_path / "out", 2 * cases(download))


def two_spacings():
    image = volume(np.arange(24).reshape(4, 3, 2), np.diag([-1.0, -1, 1, 1]))
    image.header.set_zooms((1.5, 1.25, 10))
    image.header.set_sform(np.diag([-1.0, -1, 1, 1]), code=2)
    return image


def test_a_header_with_two_spacings_is_refused_unless_it_is_repaired(tmp_path):
    case = Case("a", (tmp_path / "a",), {})
    (tmp_path / "a").write_text("a")

    def write(image):
        return prepare_volumes(
            [case], lambda _: (image, np.ones((4, 3, 2), np.uint8)), out=tmp_path / "out", settings={}, progress=False
        )

    with pytest.raises(
        ValueError, match=r"one spacing in the header, found pixdim and affine with 1\.5 x 1\.25 x 10 and"
    ):
        write(two_spacings())
    write(with_stated_spacing(two_spacings()))
    for kind in ("image", "mask"):
        written = nib.load(tmp_path / "out" / kind / "a.nii.gz")
        assert np.allclose(written.affine, np.diag([-1.5, -1.25, 10, 1]))
        assert np.allclose(written.header.get_qform(), written.affine)
    assert np.array_equal(nib.load(tmp_path / "out/image/a.nii.gz").dataobj, two_spacings().dataobj)
