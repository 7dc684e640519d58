"""A cine stack whose slices are a series each is one volume per phase, if its geometry says so."""

import logging

import numpy as np
import pytest
from dicom_series import OBLIQUE, position, write_slice

from monai_sfda.volumes import find_volumes, read_volume

pytest.importorskip("pydicom")


def cine(folder, heights=(0, 8, 16), *, phases=(4, 4, 4), study="1.2", changed=None, **change):
    """A series for each height; ``change`` is that of the series ``changed``."""
    for number, height in enumerate(heights):
        about = {"series": f"{study}.3.{number}", "StudyInstanceUID": study, "SeriesNumber": 5 + number}
        about |= change if number == changed else {}
        for phase in range(phases[number]):
            pixels = np.full((6, 5), 10 * number + phase, np.int16)
            write_slice(folder / f"s{number}" / f"{phase}", height, pixels, TriggerTime=40 * phase, **about)
    return folder


def test_each_phase_is_a_volume_of_all_slices(tmp_path):
    cine(tmp_path / "p1", heights=(16, 0, 8))
    items = find_volumes(tmp_path, frames="all")
    assert [item["case"] for item in items] == [f"p1/series_5_to_7 frame {phase}" for phase in range(4)]
    volumes = [read_volume(item["image"], item["frame"]) for item in items]
    assert [volume.values[0, 0].tolist() for volume in volumes] == [[10 + p, 20 + p, p] for p in range(4)]
    assert np.allclose(volumes[0].zooms, [1.25, 1.5, 8])


def test_patients_and_other_orientations_stay_apart(tmp_path):
    cine(tmp_path / "p1")
    cine(tmp_path / "p2", study="1.5")
    for phase in range(4):
        write_slice(tmp_path / "p1" / "long" / f"{phase}", 0, axes=[1, 0, 0, 0, 1, 0], series="1.8", TriggerTime=phase)
    cases = {item["case"]: len(item["image"]) for item in find_volumes(tmp_path)}
    assert cases == {"p1/series_5_to_7": 12, "p1/long/series_3": 4, "p2/series_5_to_7": 12}


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"heights": (0, 8, 30)}, "equal distances"),
        ({"heights": (0, 8, 8)}, "as many images at each position"),
        ({"phases": (4, 3, 4)}, "as many images at each position"),
        ({"changed": 1, "PixelSpacing": [1, 1]}, "one pixel spacing"),
        ({"changed": 2, "ImagePositionPatient": np.add(position(16), OBLIQUE[:3]).tolist()}, None),
        ({"changed": 2, "ImagePositionPatient": np.add(position(16), np.multiply(OBLIQUE[:3], 3)).tolist()}, "shifted"),
    ],
    ids=["gap", "twice", "a phase less", "spacing", "almost straight", "askew"],
)
def test_what_is_no_stack_stays_as_it_is_and_is_said(tmp_path, made, reason, caplog):
    cine(tmp_path, **made)
    with caplog.at_level(logging.WARNING):
        items = find_volumes(tmp_path)
    assert len(items) == (1 if reason is None else 3)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == (0 if reason is None else 1)
    assert all(reason in text and "The series 5, 6, 7 of one slice each" in text for text in said)


def test_two_series_of_a_slice_and_series_of_one_time_stay_apart(tmp_path, caplog):
    cine(tmp_path / "two", heights=(0, 8))
    cine(tmp_path / "still", phases=(1, 1, 1))
    assert len(find_volumes(tmp_path / "two")) == 2
    assert len(find_volumes(tmp_path / "still")) == 3
    assert not caplog.records
