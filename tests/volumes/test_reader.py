import nibabel
import numpy as np
import pytest

from monai_sfda.volumes import VolumeReader

RNG = np.random.default_rng(0)


def item(path, shape=(30, 20, 4), affine=None, values=None):
    values = RNG.random(shape, np.float32) if values is None else values
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    return {"image": str(path)}


def test_the_size_of_a_pixel_is_given_where_the_file_states_none(tmp_path):
    bare = item(tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"states the size of its pixels in mm, found none.* --reader::pixel_size"):
        VolumeReader([1.5, 1.5], percentiles=[1, 99]).read(bare)
    image, _, volume = VolumeReader([1.0, 1.0], percentiles=[1, 99], pixel_size=2).read(bare)
    assert image.shape == (1, 4, 40, 60)
    assert not volume.measured
    image, _, volume = VolumeReader([1.0, 1.0], percentiles=[1, 99], pixel_size=[8, 2, 1]).read(bare)
    assert image.shape == (1, 4, 40, 30)
    assert volume.measured
    assert np.allclose(volume.zooms, [1, 2, 8])
    image, *_ = VolumeReader([4.0, 1.0, 1.0], percentiles=[1, 99], pixel_size=[8, 2, 1]).read(bare)
    assert image.shape == (1, 8, 40, 30)


def test_a_stated_size_goes_before_a_given_one(tmp_path):
    reader = VolumeReader([1.0, 1.0], percentiles=[1, 99], pixel_size=5)
    image, *_ = reader.read(item(tmp_path / "a.nii", affine=np.diag([-2.0, -1.0, 8.0, 1.0])))
    assert image.shape == (1, 4, 20, 60)


@pytest.mark.parametrize("size", [0, -1, [1], [1, 2, 3, 4], "x", [1, None]])
def test_a_pixel_size_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="Expected a pixel_size above 0 in mm"):
        VolumeReader([1.0, 1.0], percentiles=[1, 99], pixel_size=size)


def test_a_network_that_sees_volumes_needs_the_distance_of_slices():
    with pytest.raises(ValueError, match="give the distance of slices, too"):
        VolumeReader([1.0, 1.0, 1.0], percentiles=[1, 99], pixel_size=[1, 1])


def test_an_empty_volume_is_refused(tmp_path):
    reader = VolumeReader([1.0, 1.0], percentiles=[1, 99])
    with pytest.raises(ValueError, match="Expected a volume that shows something, found 0 in all voxels"):
        reader.read(item(tmp_path / "a.nii", affine=np.eye(4), values=np.zeros((5, 5, 5), np.uint8)))


def test_one_slice_is_enough_for_slices_and_too_few_for_volumes(tmp_path):
    single = item(tmp_path / "a.nii", shape=(30, 20, 1), affine=np.diag([1.0, 1.0, 8.0, 1.0]))
    image, *_ = VolumeReader([1.0, 1.0], percentiles=[1, 99]).read(single)
    assert image.shape == (1, 1, 20, 30)
    with pytest.raises(ValueError, match=r"Expected several slices .*, found one \(30 x 20 x 1\)"):
        VolumeReader([1.0, 1.0, 1.0], percentiles=[1, 99]).read(single)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_a_size_in_another_unit_is_refused(tmp_path, factor):
    reader = VolumeReader([1.5, 1.5], percentiles=[1, 99])
    with pytest.raises(ValueError, match=r"Expected voxels of about 1\.5 x 1\.5 mm.*correct the size or the unit"):
        reader.read(item(tmp_path / "a.nii", affine=np.diag([factor, factor, factor, 1.0])))


def test_what_the_list_refused_is_said(tmp_path):
    with pytest.raises(ValueError, match="found two"):
        VolumeReader([1.5, 1.5], percentiles=[1, 99]).read({"image": [], "refused": "Expected one, found two; x."})


def test_a_label_map_with_other_axes_lies_on_its_image(tmp_path):
    reader = VolumeReader([1.0, 1.0], percentiles=[1, 99])
    ids = RNG.integers(0, 3, (6, 5, 4)).astype(np.uint8)
    pair = item(tmp_path / "a.nii", values=RNG.random((6, 5, 4), np.float32), affine=np.diag([-1.0, 1.0, 8.0, 1.0]))
    label = nibabel.as_closest_canonical(nibabel.Nifti1Image(ids, np.diag([-1.0, 1.0, 8.0, 1.0])))
    nibabel.save(label, tmp_path / "label.nii")
    pair["label"] = str(tmp_path / "label.nii")
    _, _, volume = reader.read(pair)
    assert np.array_equal(reader.read_label(pair, volume), ids)
