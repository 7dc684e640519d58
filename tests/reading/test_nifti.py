import nibabel
import numpy as np
import pytest

from monai_sfda.reading.nifti import nifti_spacing, read_nifti

GREY = np.arange(24, dtype=np.uint8).reshape(6, 4)  # (W, H)
COLOURS = np.stack([GREY, GREY + 100, 255 - GREY], -1)


def save(path, array, affine=None, space="mm", time=None, **fields):
    image = nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine)
    image.header.set_xyzt_units(space, time)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def test_damaged_nifti_is_one_sentence_without_a_folder(tmp_path):
    for name, content in (("a.nii.gz", b"junk"), ("b.nii", b"junk"), ("c.nii", b"\0" * 400)):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(
            ValueError, match=f"Expected a NIfTI image in {name}, found one that cannot be decoded"
        ) as e:
            read_nifti(tmp_path / name)
        assert str(tmp_path) not in str(e.value)


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 1), (6, 4, 1, 1), (6, 4, 1, 1, 1)])
def test_axes_of_length_1_are_nothing(tmp_path, shape):
    stored = read_nifti(save(tmp_path / "a.nii", GREY.reshape(shape).astype(">i2")))
    assert stored.colours == "grey"
    assert np.array_equal(stored.levels, GREY.T)


@pytest.mark.parametrize("shape", [(6, 4, 1, 3), (6, 4, 1, 1, 3), (6, 4, 1, 3, 1)])
def test_vectors_and_what_monai_writes_are_colours(tmp_path, shape):
    stored = read_nifti(save(tmp_path / "a.nii", COLOURS.reshape(shape)))
    assert stored.colours == "RGB"
    assert np.array_equal(stored.levels, COLOURS.swapaxes(0, 1))


@pytest.mark.parametrize("shape", [(6, 4, 3), (6, 4, 3, 1), (6, 12), (6, 1, 12), (6, 4, 1, 3)])
def test_slices_and_times_are_no_colours(tmp_path, shape):
    time = "sec" if shape == (6, 4, 1, 3) else None
    path = save(tmp_path / "a.nii", COLOURS.reshape(shape), time=time)
    if shape == (6, 12):
        assert read_nifti(path).colours == "grey"
        return
    with pytest.raises(ValueError, match=r"Expected a 2D NIfTI image.*found the shape .*, a volume or a series"):
        read_nifti(path)


def test_slices_of_the_rgb_type_are_a_volume(tmp_path):
    pixels = np.zeros((6, 4, 3), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(ValueError, match=r"found the shape \(6, 4, 3\)"):
        read_nifti(save(tmp_path / "a.nii", pixels))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_file_cut_short_is_refused(tmp_path, name):
    noise = np.random.default_rng(0).integers(256, size=(64, 64), dtype=np.uint8)
    path = save(tmp_path / name, noise)
    path.write_bytes(path.read_bytes()[:-99])
    with pytest.raises(ValueError, match="cannot be decoded"):
        read_nifti(path)


def test_the_size_of_a_voxel_is_that_of_the_affine_whatever_the_header_says_besides(tmp_path):
    path = save(tmp_path / "a.nii", GREY, np.diag([0.01, 0.02, 1, 1]))
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([1, 1, 1], "<f4").tobytes()  # pixdim
    path.write_bytes(content)
    assert nibabel.load(path).header.get_zooms() == (1, 1)
    assert nifti_spacing(nibabel.load(path))[0] == pytest.approx((0.02, 0.01))
    assert read_nifti(path).spacing == pytest.approx((0.02, 0.01))


def test_the_size_of_a_slice_along_other_axes(tmp_path):
    coronal = np.array([[0.1, 0, 0, 0], [0, 0, 3, 0], [0, 0.2, 0, 0], [0, 0, 0, 1]])  # rows along S
    assert read_nifti(save(tmp_path / "a.nii", GREY, coronal)).spacing == pytest.approx((0.2, 0.1))


@pytest.mark.parametrize(("unit", "mm"), [("micron", (0.02, 0.01)), ("meter", (20000, 10000)), ("unknown", None)])
def test_other_units_than_mm_are_converted(tmp_path, unit, mm):
    spacing = read_nifti(save(tmp_path / "a.nii", GREY, np.diag([10.0, 20, 1, 1]), space=unit)).spacing
    assert spacing == (mm and pytest.approx(mm))


def test_the_area_of_a_pixel_is_right_where_rows_lean(tmp_path):
    leaning = np.array([[0.1, 0.1, 0, 0], [0, 0.2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert read_nifti(save(tmp_path / "a.nii", GREY, leaning)).spacing == pytest.approx((0.2, 0.1))


@pytest.mark.parametrize(("code", "spacing"), [(7, None), (56, None), (58, (1, 1)), (57, (1000, 1000))])
def test_a_number_that_stands_for_no_unit_is_unknown(tmp_path, code, spacing):
    path = save(tmp_path / "a.nii", COLOURS.reshape(6, 4, 1, 3))
    content = bytearray(path.read_bytes())
    content[123] = code  # xyzt_units
    path.write_bytes(content)
    stored = read_nifti(path)
    assert stored.spacing == spacing
    assert np.array_equal(stored.levels, COLOURS.swapaxes(0, 1))


@pytest.mark.parametrize(("suffix", "other"), [(".nii", ".nii.gz"), (".nii.gz", ".nii")])
def test_a_nifti_under_the_other_suffix_says_how_to_call_it(tmp_path, suffix, other):
    save(tmp_path / f"a{other}", GREY).rename(tmp_path / f"b{suffix}")
    with pytest.raises(ValueError, match=rf"b{suffix}, .* compressed: let its name end with {other}\."):
        read_nifti(tmp_path / f"b{suffix}")


@pytest.mark.parametrize("name", ["a.Nii.gz", "a.Nii"])
def test_a_suffix_that_nibabel_does_not_find_is_one_sentence(tmp_path, name):
    path = save(tmp_path / name.lower(), GREY).rename(tmp_path / name)
    if path.with_name(name.lower()).exists():
        pytest.skip("this disk takes a.nii for a.Nii")
    with pytest.raises(ValueError, match=rf"ends with \.nii or \.nii\.gz, in small letters, found {name}; rename it"):
        read_nifti(path)


def test_a_file_that_is_gone_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_nifti(tmp_path / "a.nii")


@pytest.mark.parametrize("change", ["a bit", "the checksum", "no checksum"])
def test_a_compressed_file_is_held_against_its_checksum(tmp_path, change):
    noise = np.random.default_rng(0).integers(256, size=(64, 64), dtype=np.uint8)
    path = save(tmp_path / "a.nii.gz", noise)
    content = bytearray(path.read_bytes())
    if change == "no checksum":
        del content[-8:]
    else:
        content[len(content) // 2 if change == "a bit" else -6] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected a NIfTI image in a\.nii\.gz, found one that cannot be decoded"):
        read_nifti(path)


@pytest.mark.parametrize(
    ("affine", "spacing"), [((1, 1), (0.02, 0.01)), ((0.01, 0.02), (0.02, 0.01)), ((0.05, 0.05), None)]
)
def test_an_affine_that_counts_in_voxels_takes_the_sizes_of_the_header(tmp_path, affine, spacing):
    path = save(tmp_path / "a.nii", GREY, np.diag([*affine, 1, 1]))
    content = bytearray(path.read_bytes())
    content[80:92] = np.array([0.01, 0.02, 1], "<f4").tobytes()  # pixdim
    path.write_bytes(content)
    found = read_nifti(path)
    assert found.spacing == (spacing and pytest.approx(spacing))
    assert found.spacing_from == (spacing and ("NIfTI pixdim" if affine == (1, 1) else "NIfTI affine"))
    assert spacing is None or {type(size) for size in found.spacing} == {float}  # for JSON


def test_a_place_that_no_file_reaches_is_damage_and_not_the_disk(tmp_path):
    nibabel.save(nibabel.Nifti2Image(GREY, np.eye(4)), tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[174] = 255  # of vox_offset
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected a NIfTI image in a\.nii, found one that cannot be decoded"):
        read_nifti(tmp_path / "a.nii")
