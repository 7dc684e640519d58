"""What a NIfTI file has to be, to be read as a volume; everything else is one sentence."""

import gzip
import io
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_sfda.volumes import read_volume
from monai_sfda.volumes.nifti import count_frames

AFFINE = np.diag([-1.5, -1.5, 8.0, 1.0])
SMALL = np.arange(4 * 5 * 3, dtype=np.int16).reshape(4, 5, 3)


def saved(path, values=SMALL, affine=AFFINE, **header):
    image = nibabel.Nifti1Image(values, affine)
    image.header.set_xyzt_units("mm")
    for name, value in header.items():
        image.header[name] = value
    nibabel.save(image, path)
    return str(path)


def patched(path, name, value):
    """A header that nibabel would not write."""
    content = bytearray(Path(path).read_bytes())
    header = nibabel.Nifti1Header.from_fileobj(io.BytesIO(content), check=False)
    header[name] = value
    content[: len(header.binaryblock)] = header.binaryblock
    Path(path).write_bytes(content)
    return path


def refused(path, words, **options):
    with pytest.raises(ValueError, match=words) as caught:
        read_volume(path, **options)
    text = str(caught.value)
    assert text.startswith("Expected ")
    assert text.endswith(".")
    assert "\n" not in text
    assert str(path) not in text  # names no folder


def test_a_frame_of_a_series_is_named_by_its_index(tmp_path):
    frames = np.stack([SMALL, SMALL + 100, SMALL + 200], axis=-1)
    path = saved(tmp_path / "a.nii.gz", frames)
    assert count_frames(path) == 3
    assert np.array_equal(read_volume(path, frame=1).values, SMALL + 100)
    refused(path, "found 3 frames; name those to read, such as --frames 0,1")
    refused(path, "Expected a frame from 0 to 2 of a.nii.gz, found 3", frame=3)
    refused(path, "found -1", frame=-1)


def test_one_frame_of_a_compressed_series_takes_the_memory_of_one(tmp_path):
    one = np.random.default_rng(0).integers(0, 1000, (64, 64, 16), np.int16)
    path = saved(tmp_path / "a.nii.gz", np.repeat(one[..., None], 30, axis=-1))
    tracemalloc.start()
    read_volume(path, frame=20)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 * one.nbytes < 30 * one.nbytes


def test_axes_of_length_1_are_no_frames(tmp_path):
    assert read_volume(saved(tmp_path / "a.nii", SMALL[..., None, None])).values.shape == (4, 5, 3)
    assert read_volume(saved(tmp_path / "b.nii", SMALL[..., 0])).values.shape == (4, 5, 1)
    assert count_frames(saved(tmp_path / "c.nii", SMALL[..., None])) == 1
    assert np.array_equal(read_volume(str(tmp_path / "c.nii"), frame=0).values, SMALL)


def test_three_slices_are_no_colours(tmp_path):
    assert read_volume(saved(tmp_path / "a.nii.gz")).values.shape == (4, 5, 3)


def test_values_are_scaled_and_take_no_more_room_than_needed(tmp_path):
    assert read_volume(saved(tmp_path / "a.nii")).values.dtype == np.int16
    path = patched(patched(saved(tmp_path / "b.nii"), "scl_slope", 0.5), "scl_inter", 10)
    values = read_volume(path).values
    assert values.dtype == np.float32
    assert np.array_equal(values, SMALL * 0.5 + 10)


def test_lengths_are_in_mm_whatever_the_unit(tmp_path):
    for unit, factor in [("meter", 1e-3), ("micron", 1e3), ("mm", 1), ("unknown", 1)]:
        affine = AFFINE.copy()
        affine[:3] *= factor
        image = nibabel.Nifti1Image(SMALL, affine)
        image.header.set_xyzt_units(unit)
        nibabel.save(image, tmp_path / "a.nii")
        read = read_volume(str(tmp_path / "a.nii"))
        assert np.allclose(read.affine, AFFINE)
        assert read.measured
    read = read_volume(patched(str(tmp_path / "a.nii"), "xyzt_units", 7))  # which stands for none
    assert np.allclose(read.affine, AFFINE)


def test_a_file_that_states_no_spacing_says_so(tmp_path):
    image = nibabel.Nifti1Image(SMALL, None)
    nibabel.save(image, tmp_path / "a.nii")
    read = read_volume(str(tmp_path / "a.nii"))
    assert (read.placed, read.sized, read.measured) == (False, False, False)
    image.header.set_zooms((1.5, 1.5, 8))
    nibabel.save(image, tmp_path / "b.nii")
    read = read_volume(str(tmp_path / "b.nii"))
    assert not read.placed
    assert read.sized
    assert read.measured


def test_a_picture_in_nifti_has_no_thickness(tmp_path):
    read = read_volume(saved(tmp_path / "a.nii", SMALL[..., 0]))
    assert read.sized
    assert not read.measured


def test_the_sform_counts_where_both_agree_within_half_a_voxel(tmp_path):
    image = nibabel.Nifti1Image(SMALL, AFFINE)
    for shift, fine in [(0.0, True), (0.6, True), (0.9, False)]:  # mm, of voxels of 1.5 mm
        other = AFFINE.copy()
        other[0, 3] += shift
        image.set_sform(AFFINE, 1)
        image.set_qform(other, 1)
        nibabel.save(image, tmp_path / "a.nii")
        if fine:
            assert np.allclose(read_volume(str(tmp_path / "a.nii")).affine, AFFINE)
        else:
            refused(str(tmp_path / "a.nii"), r"an sform and a qform that differ by 0\.6 voxels at a corner; set the")
    image.set_qform(other, 0)
    nibabel.save(image, tmp_path / "a.nii")
    assert np.allclose(read_volume(str(tmp_path / "a.nii")).affine, AFFINE)


def test_a_turned_qform_is_seen_at_the_far_corner(tmp_path):
    image = nibabel.Nifti1Image(SMALL, AFFINE)
    image.set_qform(np.diag([1.5, -1.5, 8, 1]), 1)
    nibabel.save(image, tmp_path / "a.nii")
    refused(str(tmp_path / "a.nii"), "differ by 6.0 voxels")


def test_an_affine_that_counts_voxels_takes_the_sizes_of_the_header(tmp_path):
    path = saved(tmp_path / "a.nii", affine=np.diag([-1.0, -1.0, 1.0, 1.0]), qform_code=0)
    read = read_volume(patched(path, "pixdim", [1, 1.5, 1.25, 8, 1, 1, 1, 1]))
    assert np.allclose(read.affine, np.diag([-1.5, -1.25, 8, 1]))
    assert read.measured


def test_two_sizes_of_a_voxel_are_refused_and_sizes_that_nobody_wrote_are_not(tmp_path):
    path = saved(tmp_path / "a.nii", qform_code=0)
    refused(
        patched(path, "pixdim", [1, 1.5, 1.5, 5, 1, 1, 1, 1]), r"found 1\.5 x 1\.5 x 5 \(pixdim\) and 1\.5 x 1\.5 x 8"
    )
    read = read_volume(patched(path, "pixdim", [1, 1, 1, 1, 1, 1, 1, 1]))
    assert np.allclose(read.affine, AFFINE)


def test_a_qform_that_is_no_rotation_is_one_sentence(tmp_path):
    path = patched(saved(tmp_path / "a.nii", qform_code=1, sform_code=1), "quatern_b", 3)
    refused(path, "cannot be decoded")
    refused(patched(path, "sform_code", 0), "cannot be decoded")


@pytest.mark.parametrize("size", [0, np.nan, np.inf])
def test_voxels_of_no_size_are_refused(tmp_path, size, caplog):
    path = saved(tmp_path / "a.nii")
    pixdim = np.ones(8, np.float32)
    pixdim[3] = size
    refused(patched(path, "pixdim", pixdim), r"size above 0 in a.nii, found 1 x 1 x (0|nan|inf) \(pixdim\)")
    assert not caplog.records  # what nibabel says of it names no file


def test_a_negative_size_is_one_above_0(tmp_path):
    path = saved(tmp_path / "a.nii", sform_code=0, qform_code=0)
    read = read_volume(patched(path, "pixdim", [1, -1.5, 1.5, 8, 1, 1, 1, 1]))
    assert np.allclose(read.zooms, [1.5, 1.5, 8])


def test_a_singular_affine_is_refused(tmp_path):
    path = saved(tmp_path / "a.nii", qform_code=0)
    refused(patched(path, "srow_z", [1.5, 0, 0, 0]), "found a singular one")
    refused(patched(path, "srow_z", [0, 0, np.nan, 0]), "found a singular one")
    refused(patched(path, "srow_z", [0, 0, 0, 0]), "found a singular one")


def test_what_is_no_grey_volume_is_refused(tmp_path):
    colours = np.zeros((4, 5, 3), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    refused(saved(tmp_path / "a.nii", colours), "one grey value per voxel in a.nii, found colours")
    refused(saved(tmp_path / "b.nii", SMALL.astype(np.complex64)), "found complex numbers")
    refused(saved(tmp_path / "c.nii", np.zeros((4, 5, 3, 1, 3), np.uint8)), "found 4 x 5 x 3 x 1 x 3 values, several")


def test_voxels_without_a_number_are_refused(tmp_path):
    values = SMALL.astype(np.float32)
    values[0, 0, 0], values[1, 1, 1] = np.nan, np.inf
    refused(saved(tmp_path / "a.nii", values), "found NaN or infinity in 2 voxels")
    huge = SMALL.astype(np.float64)
    huge[0, 0, 0] = 1e300  # beyond float32
    refused(saved(tmp_path / "b.nii", huge), "found NaN or infinity in 1 voxels")


def test_a_header_cannot_promise_more_than_memory_holds(tmp_path):
    path = patched(saved(tmp_path / "a.nii"), "dim", [3, 30000, 30000, 30000, 1, 1, 1, 1])
    refused(path, "Expected at most 536870912 pixels in a.nii, found 30000 x 30000 x 30000")
    path = patched(saved(tmp_path / "b.nii"), "dim", [3, 0, 5, 3, 1, 1, 1, 1])
    refused(path, "(found none|cannot be decoded)")
    path = patched(saved(tmp_path / "c.nii"), "dim", [3, 400, 500, 300, 1, 1, 1, 1])  # more than is there
    refused(path, "cannot be decoded")


def test_damaged_files_are_one_sentence(tmp_path):
    whole = Path(saved(tmp_path / "a.nii.gz", np.random.default_rng(0).random((40, 40, 9)))).read_bytes()
    (tmp_path / "half.nii.gz").write_bytes(whole[: len(whole) // 2])
    refused(str(tmp_path / "half.nii.gz"), "cannot be decoded")
    (tmp_path / "bad.nii.gz").write_bytes(whole[:2000] + bytes(2000) + whole[4000:])
    refused(str(tmp_path / "bad.nii.gz"), "cannot be decoded")
    noise = np.random.default_rng(0).integers(0, 2**15, (40, 40, 9), np.int16)  # is stored as it is
    content = bytearray(Path(saved(tmp_path / "b.nii.gz", noise)).read_bytes())
    content[9000] ^= 1
    (tmp_path / "b.nii.gz").write_bytes(content)
    refused(str(tmp_path / "b.nii.gz"), "cannot be decoded")
    (tmp_path / "plain.nii.gz").write_bytes(gzip.decompress(whole))
    refused(str(tmp_path / "plain.nii.gz"), "it is not compressed: let its name end with .nii")
    (tmp_path / "zipped.nii").write_bytes(whole)
    refused(str(tmp_path / "zipped.nii"), "it is compressed: let its name end with .nii.gz")
    (tmp_path / "empty.nii.gz").write_bytes(b"")
    refused(str(tmp_path / "empty.nii.gz"), "found an empty file")
    (tmp_path / "text.nii").write_text("no image" * 100)
    refused(str(tmp_path / "text.nii"), "cannot be decoded")


def test_a_series_cut_short_loses_its_last_frames_alone(tmp_path):
    path = saved(tmp_path / "a.nii", np.stack([SMALL, SMALL + 1], axis=-1))
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:-10])
    assert np.array_equal(read_volume(path, frame=0).values, SMALL)
    refused(path, "cannot be decoded", frame=1)


def test_a_suffix_that_nibabel_does_not_find_is_one_sentence(tmp_path):
    Path(saved(tmp_path / "a.nii.gz")).rename(tmp_path / "a.Nii.gz")
    if (tmp_path / "a.nii.gz").exists():
        pytest.skip("this disk takes a.nii.gz for a.Nii.gz")
    refused(str(tmp_path / "a.Nii.gz"), r"ends with \.nii or \.nii\.gz, in small letters, found a\.Nii\.gz; rename it")


@pytest.mark.parametrize(("code", "thickness"), [(7, 8), (58, 8), (57, 8000)])
def test_the_unit_of_length_counts_whatever_that_of_time_is(tmp_path, code, thickness):
    path = patched(saved(tmp_path / "a.nii"), "xyzt_units", code)
    assert read_volume(path).zooms == pytest.approx([1.5 / 8 * thickness, 1.5 / 8 * thickness, thickness])


def test_frames_of_a_file_with_a_fifth_axis_of_length_1_are_read(tmp_path):
    values = np.stack([SMALL, SMALL + 1], -1)
    path = saved(tmp_path / "a.nii.gz", values[..., None])
    for frame in range(2):
        assert np.array_equal(read_volume(path, frame).values, values[..., frame])
