"""Numbers of a cine series as slices and phases of patients."""

from pathlib import Path

import numpy as np
import pytest

from monai_sfda.datasets.cine import Slice, frames, stack


def cine(contoured, others=(), patient="SC-N-01"):
    drawn = [Slice(patient, number, Path(f"{number}.dcm"), Path(f"{number}.txt")) for number in contoured]
    return drawn + [Slice(patient, number, Path(f"{number}.dcm"), None) for number in others]


def test_image_48_is_phase_8_of_slice_3():
    (one,) = cine([48])
    assert (one.phase, one.level) == (8, 3)
    (last,) = cine([60])
    assert (last.phase, last.level) == (20, 3)


def test_a_patient_has_two_volumes_and_the_larger_cavity_is_end_diastole():
    found = frames(cine([28, 8, 20, 40, 60]), lambda one: 5.0 if one.phase == 20 else 6.0, {"spacing": "set"})
    assert list(found) == ["SC-N-01_phase08", "SC-N-01_phase20"]
    case, slices = found["SC-N-01_phase20"]
    assert [one.number for one in slices] == [20, 40, 60]
    assert case.files == tuple(Path(f"{number}.{end}") for end in ("dcm", "txt") for number in (20, 40, 60))
    assert [found[name][0].about["frame"] for name in found] == ["ES", "ED"]  # 12 and 15 pixels
    assert case.about["spacing"] == "set"


def test_a_slice_nobody_contoured_keeps_its_place_and_those_at_the_ends_go():
    found = frames(cine([28, 68, 40], others=[8, 48, 88, 20]), lambda one: 1.0, {})
    case, slices = found["SC-N-01_phase08"]
    assert [(one.number, one.contour is None) for one in slices] == [(28, False), (48, True), (68, False)]
    assert (case.about["slices"], case.about["levels_without_contour"]) == (3, "3")


def test_where_it_is_not_there_the_stack_is_closed_up_and_says_so():
    found = frames(cine([28, 68, 40]), lambda one: 1.0, {})
    case, slices = found["SC-N-01_phase08"]
    assert ([one.number for one in slices], case.about["levels_without_contour"]) == ([28, 68], "3")


def test_contours_of_one_phase_are_not_a_patient():
    with pytest.raises(ValueError, match="end systole of SC-N-01, found those of 1 phases"):
        frames(cine([8, 28]), lambda one: 1.0, {})


def test_a_stack_has_columns_first():
    one = np.arange(6).reshape(2, 3)
    assert stack([one, one]).shape == (3, 2, 2)
    assert stack([one, one])[2, 1, 0] == 5
    with pytest.raises(ValueError, match="one size in a volume, found 2 x 3 and 3 x 2"):
        stack([one, one.T])
