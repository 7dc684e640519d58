"""Shapes, noise and files of phantoms."""

import nibabel
import numpy as np
import pytest

from monai_sfda.organs.phantoms import Phantom, ellipsoid, grid, rician, texture, write_phantoms


def test_places_are_in_mm_from_the_middle():
    places = grid((3, 2, 1), (2.0, 3.0, 4.0))
    assert places.shape == (3, 3, 2, 1)
    assert places[0, :, 0, 0].tolist() == [-2, 0, 2]
    assert places[1, 0, :, 0].tolist() == [-1.5, 1.5]


def test_an_ellipsoid_has_its_volume_and_a_higher_power_fills_its_box():
    places = grid((41, 41, 41), (1.0, 1.0, 1.0))
    ball, box = (ellipsoid(places, (0, 0, 0), (15, 10, 12), power) for power in (2, 40))
    assert ball.sum() == pytest.approx(4 / 3 * np.pi * 15 * 10 * 12, rel=0.03)
    assert box.sum() == pytest.approx(29 * 19 * 23, rel=0.02)


def test_texture_varies_about_one_and_noise_leaves_no_negative_value():
    rng = np.random.default_rng(0)
    assert texture(rng, (30, 30, 10), 0.1).std() == pytest.approx(0.1)
    noise = rician(rng, np.zeros((30, 30, 10)), 2.0)
    assert noise.min() > 0
    assert noise.mean() == pytest.approx(2 * np.sqrt(np.pi / 2), rel=0.03)  # Rayleigh


def draw(index, *, acquisition, seed):
    voxels = np.full((4, 5, 6), index + 10 * seed)
    return Phantom(voxels.astype(np.int16), (voxels > 0).astype(np.uint8), (1.0, 2.0, 3.0))


def test_files_lie_about_the_origin_in_mm_and_are_the_same_each_time(tmp_path):
    for name in ("a", "b"):
        write_phantoms(tmp_path / name, draw, "any", count=2, seed=1)
    file = nibabel.load(tmp_path / "a" / "image" / "phantom_001.nii.gz")
    assert np.asarray(file.dataobj).max() == 11
    assert file.header.get_xyzt_units()[0] == "mm"
    assert nibabel.aff2axcodes(file.affine) == ("R", "A", "S")
    assert np.allclose(file.affine @ [1.5, 2, 2.5, 1], [0, 0, 0, 1])
    mask = nibabel.load(tmp_path / "a" / "mask" / "phantom_001.nii.gz")
    assert np.array_equal(mask.affine, file.affine)
    paths = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.gz")]
    assert len(paths) == 4
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in paths)
