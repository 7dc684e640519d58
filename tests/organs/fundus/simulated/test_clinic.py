import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from monai_sfda.organs.fundus.simulated import CAMERAS, simulate_fundus, write_clinic

SOURCE, TARGET = CAMERAS["source"], CAMERAS["target"]


def height(structure):
    rows = np.flatnonzero(structure.any(1))
    return rows[-1] - rows[0] + 1


def vcdr(mask):
    return height(mask == 2) / height(mask > 0)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.png")}


def test_the_same_seed_and_index_give_the_same_picture():
    first, second = (simulate_fundus(3, camera=SOURCE, size=64, seed=5) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("other", [{"index": 4}, {"seed": 6}, {"camera": TARGET}])
def test_another_seed_index_or_camera_gives_another_picture(other):
    asked = {"index": 3, "camera": SOURCE, "size": 64, "seed": 5}
    image, mask = simulate_fundus(**asked)
    other_image, other_mask = simulate_fundus(**(asked | other))
    assert not np.array_equal(image, other_image)
    assert not np.array_equal(mask, other_mask)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
def test_every_eye_has_a_whole_disc_with_a_cup_inside(camera):
    for index in range(30):
        image, mask = simulate_fundus(index, camera=camera, size=64, mean_vcdr=0.2 + 0.02 * index)
        assert (image.shape, image.dtype) == ((64, 64, 3), np.uint8)
        assert (mask.shape, mask.dtype) == ((64, 64), np.uint8)
        assert np.unique(mask).tolist() == [0, 1, 2]
        assert not np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).any()


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
def test_rim_surrounds_the_cup(camera):
    for index in range(30):
        _, mask = simulate_fundus(index, camera=camera, size=256, mean_vcdr=0.75)
        cup = np.pad(mask == 2, 1)
        neighbours = np.roll(cup, 1, 0) | np.roll(cup, -1, 0) | np.roll(cup, 1, 1) | np.roll(cup, -1, 1)
        assert (mask[neighbours[1:-1, 1:-1]] > 0).all()


def test_the_disc_is_as_large_as_the_camera_frames_it():
    camera = replace(SOURCE, disc_share=(0.5, 0.5), off_centre=0.0)
    for index in range(10):
        _, mask = simulate_fundus(index, camera=camera, size=200)
        y, x = np.nonzero(mask)
        # The longest radius is 50 pixels about the centre of the crop; half a pixel for sampling at pixel centres.
        assert np.hypot(x - 99.5, y - 99.5).max() == pytest.approx(50, abs=0.5)


def test_mean_vcdr_is_the_median_of_the_population():
    medians = {
        wanted: np.median([vcdr(simulate_fundus(i, camera=SOURCE, size=128, mean_vcdr=wanted)[1]) for i in range(60)])
        for wanted in (0.3, 0.5, 0.7)
    }
    # The scatter is 0.13, so the median of 60 has a standard error of 1.25 * 0.13 / sqrt(60) = 0.02; three of those.
    assert all(median == pytest.approx(wanted, abs=0.06) for wanted, median in medians.items())


def test_a_higher_mean_vcdr_enlarges_the_cup_of_every_eye():
    for index in range(10):
        small, large = (simulate_fundus(index, camera=SOURCE, mean_vcdr=mean)[1] for mean in (0.35, 0.65))
        assert np.array_equal(small > 0, large > 0)
        assert vcdr(small) < vcdr(large)


def test_size_changes_the_sampling_and_not_the_eye():
    _, small = simulate_fundus(2, camera=SOURCE, size=64)
    _, large = simulate_fundus(2, camera=SOURCE, size=192)
    assert np.array_equal(small, large[1::3, 1::3])  # centres of 3 x 3 blocks are the same points


def test_cameras_of_equal_framing_share_the_masks_of_an_eye():
    same_framing = replace(TARGET, disc_share=SOURCE.disc_share, off_centre=SOURCE.off_centre)
    for index in range(5):
        image, mask = simulate_fundus(index, camera=SOURCE, size=64)
        other_image, other_mask = simulate_fundus(index, camera=same_framing, size=64)
        assert np.array_equal(mask, other_mask)
        assert not np.array_equal(image, other_image)


def test_the_target_camera_is_darker_softer_and_frames_the_disc_larger():
    source, target = ([simulate_fundus(index, camera=camera) for index in range(20)] for camera in (SOURCE, TARGET))

    def mean_colour(pairs):
        return np.mean([image.mean((0, 1)) for image, _ in pairs], 0)

    def sharpness(pairs):  # steepest steps (vessel edges, above the noise) as a share of the overall contrast
        grey = [image.mean(2) for image, _ in pairs]
        return np.mean([np.quantile(np.abs(np.diff(g, axis=1)), 0.99) / g.std() for g in grey])

    assert (mean_colour(target) < 0.8 * mean_colour(source)).all()
    assert sharpness(target) < 0.8 * sharpness(source)
    assert np.mean([mask > 0 for _, mask in target]) > np.mean([mask > 0 for _, mask in source])


def test_cup_is_paler_than_rim_and_rim_than_retina_in_every_camera():
    for camera in CAMERAS.values():
        retina, rim, cup = (
            np.mean([image[..., 1][mask == part].mean() for image, mask in pairs])
            for pairs in [[simulate_fundus(index, camera=camera, size=96) for index in range(20)]]
            for part in (0, 1, 2)
        )
        assert retina < rim < cup


@pytest.mark.parametrize(
    ("wrong", "message"), [({"size": 16}, "size of at least"), ({"mean_vcdr": 1.2}, "between 0 and 1")]
)
def test_what_cannot_be_drawn_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        simulate_fundus(0, camera=SOURCE, **wrong)


def test_a_clinic_is_written_once_and_a_lost_file_comes_back_the_same(tmp_path):
    asked = {"camera": "target", "count": 3, "size": 64, "progress": False}
    assert write_clinic(tmp_path / "clinic", **asked) == tmp_path / "clinic"
    before = files(tmp_path)
    times = {path: (tmp_path / path).stat().st_mtime_ns for path in before}
    lost = tmp_path / "clinic" / "image" / "target_0001.png"
    lost.unlink()
    write_clinic(tmp_path / "clinic", **asked)
    assert files(tmp_path) == before
    assert sorted(path.name for path in before) == sorted(f"target_{i:04d}.png" for i in range(3) for _ in "im")
    kept = [path for path in before if "0001" not in path.name]
    assert all((tmp_path / path).stat().st_mtime_ns == times[path] for path in kept)


def test_a_larger_clinic_begins_with_the_smaller_one(tmp_path):
    for name, count in (("small", 2), ("large", 4)):
        write_clinic(tmp_path / name, camera="source", count=count, size=64, progress=False)
    small, large = files(tmp_path / "small"), files(tmp_path / "large")
    assert len(small) == 4
    assert len(large) == 8
    assert small.items() <= large.items()


def test_clinic_files_hold_rgb_and_class_ids(tmp_path):
    write_clinic(tmp_path, camera="source", count=1, size=64, progress=False)
    image, mask = (Image.open(tmp_path / kind / "source_0000.png") for kind in ("image", "mask"))
    assert (image.mode, mask.mode, image.size, mask.size) == ("RGB", "L", (64, 64), (64, 64))
    assert set(np.unique(mask)) == {0, 1, 2}
    assert json.loads((tmp_path / "clinic.json").read_text())["seed"] == 0


def test_clinics_of_two_cameras_have_different_patients(tmp_path, monkeypatch):
    monkeypatch.setitem(CAMERAS, "twin", SOURCE)  # same framing: the same patients would give the same masks
    for camera in ("source", "twin"):
        write_clinic(tmp_path / camera, camera=camera, count=1, size=64, progress=False)
    masks = [(tmp_path / camera / "mask" / f"{camera}_0000.png").read_bytes() for camera in ("source", "twin")]
    assert masks[0] != masks[1]


def test_a_folder_of_other_settings_is_refused_and_left_alone(tmp_path):
    write_clinic(tmp_path, camera="source", count=1, size=64, progress=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match="same settings"):
        write_clinic(tmp_path, camera="source", count=2, size=64, seed=1, progress=False)
    assert files(tmp_path) == before


def test_an_unknown_camera_is_refused(tmp_path):
    with pytest.raises(ValueError, match="out of source, target"):
        write_clinic(tmp_path, camera="polaroid", count=1)
