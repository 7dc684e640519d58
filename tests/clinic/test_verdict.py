import math

import pytest

from monai_sfda.clinic import CaseChange, judge, summarise_change


def row(case="a", structure="cup", **kwargs):
    values = {
        "area_before": 0.1,
        "area_after": 0.1,
        "agreement": 0.9,
        "confidence_before": 0.9,
        "confidence_after": 0.9,
        "pieces_after": 1.0,
    }
    return CaseChange(case, structure, **values | kwargs)


def test_little_change_is_adopted():
    assert judge([row("a"), row("b")])["decision"] == "adopt"


def test_a_vanished_structure_keeps_the_source():
    lost = row("b", area_after=0.0, agreement=0.0, confidence_after=math.nan, pieces_after=math.nan)
    verdict = judge([row("a"), lost])
    assert verdict["decision"] == "keep-source"
    assert "cup lost" in verdict["sentence"]


def test_a_mask_of_everything_keeps_the_source():
    assert judge([row(area_before=0.95, area_after=0.95)])["decision"] == "keep-source"


def test_masks_in_other_places_keep_the_source():
    """Dice 0.1 of areas 0.1 and 0.06: they share 0.008, a seventh of the smaller."""
    verdict = judge([row("a", area_after=0.06, agreement=0.1), row("b", area_after=0.06, agreement=0.1), row("c")])
    assert verdict["decision"] == "keep-source"
    assert "cup in place" in verdict["sentence"]
    values = {check["name"]: check["value"] for check in verdict["checks"]}
    assert values["cup in place"] == pytest.approx(0.008 / 0.06)


def test_a_mask_that_grew_around_the_old_one_is_for_a_person_to_judge():
    verdict = judge([row(area_before=0.05, area_after=0.28, agreement=2 * 0.05 / 0.33)])
    assert verdict["decision"] == "review"


def test_a_structure_that_the_source_never_found_is_no_loss():
    never = {"area_before": 0.0, "area_after": 0.0, "agreement": math.nan}
    nothing = {"confidence_before": math.nan, "confidence_after": math.nan, "pieces_after": math.nan}
    assert judge([row("a"), row("b", **never, **nothing)])["decision"] == "adopt"


def test_two_networks_that_both_find_nothing_are_not_adopted():
    nothing = {"area_before": 0.0, "area_after": 0.0, "agreement": math.nan}
    nothing |= {"confidence_before": math.nan, "confidence_after": math.nan, "pieces_after": math.nan}
    verdict = judge([row("a"), row("a", "disc", **nothing), row("b"), row("b", "disc", **nothing)])
    assert verdict["decision"] == "review"
    assert "disc found" in verdict["sentence"]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"area_after": 0.21}, "cup size"),
        ({"area_after": 0.049}, "cup size"),
        ({"agreement": 0.49}, "cup agreement"),
        ({"confidence_after": 0.87}, "cup confidence"),
        ({"pieces_after": 0.94}, "cup in one piece"),
    ],
)
def test_each_check_asks_for_a_review(change, name):
    verdict = judge([row(**change)])
    assert verdict["decision"] == "review"
    assert [check["name"] for check in verdict["checks"] if check["passed"] is False] == [name]


def test_a_fall_of_confidence_shows_beside_structures_that_only_the_adapted_network_finds():
    found = row("b", area_before=0.0, agreement=0.0, confidence_before=math.nan, confidence_after=0.9)
    checks = judge([row("a", confidence_after=0.8), found])["checks"]
    assert {check["name"]: check["passed"] for check in checks}["cup confidence"] is False


def test_nothing_compared_is_not_adopted():
    assert judge([])["decision"] == "review"


def test_a_size_limit_below_one_is_refused():
    with pytest.raises(ValueError, match=r"area_ratio of at least 1, found 0\.9"):
        judge([row()], limits={"area_ratio": 0.9})


def test_limits_can_be_set():
    assert judge([row(pieces_after=0.2)], limits={"one_piece": 0.0})["decision"] == "adopt"


def test_what_cannot_be_measured_neither_passes_nor_fails():
    checks = judge([row(area_before=0.0, agreement=math.nan, confidence_before=math.nan)])["checks"]
    assert {check["name"]: check["passed"] for check in checks}["cup agreement"] is None


def test_summary_counts_empty_masks():
    change = summarise_change([row("a"), row("b", area_after=0.0)])["cup"]
    assert (change["empty_before"], change["empty_after"]) == (0, 1)
    assert change["area_after"] == pytest.approx(0.05)
