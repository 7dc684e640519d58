import nibabel
import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.parametrize("distance", [1e-3, 900])
def test_a_distance_of_slices_in_another_unit_is_refused(tmp_path, distance):
    reader = VolumeReader([1.5, 1.5], percentiles=[1, 99])
    affine = np.diag([1.5, 1.5, distance, 1.0])
    with pytest.raises(ValueError, match=rf"distance of slices .* 1\.5 x 1\.5 mm, found {distance:g} mm; correct"):
        reader.read(item(tmp_path / "a.nii", affine=affine))
    image, *_ = reader.read(item(tmp_path / "b.nii", shape=(30, 20, 1), affine=affine))
    assert image.shape == (1, 1, 20, 30)


def test_a_volume_that_becomes_huge_at_the_spacing_of_the_network_is_refused(tmp_path):
    reader = VolumeReader([1.0, 1.0, 1.0], percentiles=[1, 99])
    large = item(tmp_path / "a.nii", shape=(64, 64, 40), affine=np.diag([20.0, 20.0, 20.0, 1.0]))
    with pytest.raises(ValueError, match=r"Expected at most 536870912 voxels at the spacing.*found 800 x 1280 x 1280;"):
        reader.read(large)


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


def pair_of(folder, image_frames, label_frames):
    """An image and its label map, each of some frames (None: three axes), with the ids of each frame."""
    values = RNG.integers(0, 90, (6, 5, 4) if image_frames is None else (6, 5, 4, image_frames)).astype(np.int16)
    ids = RNG.integers(0, 3, (6, 5, 4) if label_frames is None else (6, 5, 4, label_frames)).astype(np.uint8)
    pair = item(folder / "a.nii", values=values, affine=np.diag([-1.0, 1.0, 8.0, 1.0]))
    nibabel.save(nibabel.Nifti1Image(ids, np.diag([-1.0, 1.0, 8.0, 1.0])), folder / "label.nii")
    return {**pair, "label": str(folder / "label.nii")}, ids


def label_of(pair):
    reader = VolumeReader([1.0, 1.0], percentiles=[1, 99])
    return reader.read_label(pair, reader.read(pair)[2])


@pytest.mark.parametrize("frame", [0, 1])
def test_one_label_map_holds_for_every_frame_of_its_image(tmp_path, frame):
    pair, ids = pair_of(tmp_path, 2, None)
    assert np.array_equal(label_of({**pair, "frame": frame}), ids)
    pair, ids = pair_of(tmp_path, 2, 2)
    assert np.array_equal(label_of({**pair, "frame": frame}), ids[..., frame])


@pytest.mark.parametrize(("image", "label", "frame"), [(None, 3, None), (1, 2, None), (4, 3, 1), (2, 3, 0)])
def test_a_label_map_of_other_frames_than_its_image_is_refused(tmp_path, image, label, frame):
    pair, _ = pair_of(tmp_path, image, label)
    words = f"found {label} volumes for {image or 1}; save it as one volume of class ids"
    with pytest.raises(ValueError, match=words):
        label_of(pair if frame is None else {**pair, "frame": frame})


def test_pictures_are_one_label_map_for_every_frame(tmp_path):
    pair, _ = pair_of(tmp_path, 2, None)
    slices = RNG.integers(0, 3, (4, 5, 6)).astype(np.uint8)
    paths = [str(tmp_path / f"{number}.png") for number in range(4)]
    for path, ids in zip(paths, slices, strict=True):
        Image.fromarray(ids).save(path)
    assert np.array_equal(label_of({**pair, "label": paths, "frame": 1}), slices.T)
