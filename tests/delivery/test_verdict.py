import math

import pytest

from monai_sfda.delivery import CaseChange, judge, read_verdict, summarise_change


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


NOTHING = {"area_before": 0.0, "area_after": 0.0, "agreement": math.nan}
NOTHING |= {"confidence_before": math.nan, "confidence_after": math.nan, "pieces_after": math.nan}


def passed(rows, **options):
    return {check["name"]: check["passed"] for check in judge(rows, **options)["checks"]}


def failed(rows, **options):
    return [name for name, result in passed(rows, **options).items() if result is False]


def test_without_outlines_even_no_change_is_called_neither_good_nor_bad():
    verdict = judge([row("a"), row("b")])
    assert verdict["decision"] == "outline"
    assert "outline a few images" in verdict["sentence"]


def test_a_vanished_structure_keeps_the_source():
    lost = row("b", area_after=0.0, agreement=0.0, confidence_after=math.nan, pieces_after=math.nan)
    verdict = judge([row("a"), lost])
    assert verdict["decision"] == "keep-source"
    assert "cup is gone from 50 % of the images" in verdict["sentence"]


GONE = {"area_after": 0.0, "agreement": 0.0, "confidence_after": math.nan, "pieces_after": math.nan}


def some(count, images=137, **change):
    return [row(str(number), **change if number < count else {}) for number in range(images)]


@pytest.mark.parametrize(("count", "share"), [(8, "5.8 %"), (15, "10.9 %")])
def test_a_structure_that_is_gone_from_a_few_images_is_told_and_is_no_collapse(count, share):
    verdict = judge(some(count, **GONE))
    assert verdict["decision"] == "outline"
    told = f"Outside the limits: cup is gone from {share} of the images in which the source network found it. "
    assert told in verdict["sentence"]


def test_a_structure_that_is_gone_from_more_than_a_quarter_of_the_images_has_collapsed():
    assert judge(some(34, **GONE))["decision"] == "outline"
    verdict = judge(some(35, **GONE))
    assert verdict["decision"] == "keep-source"
    assert "cup is gone from 25.5 % of the images in which the source network found it" in verdict["sentence"]


def test_images_without_the_structure_do_not_hide_that_it_is_gone_from_the_others():
    rows = [row(str(number), **(GONE if number < 6 else NOTHING)) for number in range(30)]
    rows += [row(str(number)) for number in range(30, 40)]
    assert {check["name"]: check["value"] for check in judge(rows)["checks"]}["cup lost"] == 6 / 16
    assert judge(rows)["decision"] == "keep-source"


def test_a_mask_of_everything_keeps_the_source():
    verdict = judge([row(area_before=0.95, area_after=0.95)])
    assert verdict["decision"] == "keep-source"
    assert "cup fills more than 90 % of the image in 100 % of the images" in verdict["sentence"]


def test_a_few_full_images_are_told_and_many_are_a_collapse():
    few, many = (judge(some(count, 100, area_after=0.95)) for count in (6, 26))
    assert few["decision"] == "outline"
    assert "cup fills more than 90 % of the image in 6 % of the images" in few["sentence"]
    assert many["decision"] == "keep-source"


def test_an_area_far_from_the_sources_masks_is_a_collapse_if_the_adaptation_took_it_there():
    """Specks inside the old masks are neither gone nor in another place."""
    specks = [row(area_before=0.07, area_after=0.0019, agreement=2 * 0.0019 / 0.0719)]
    for masks, sentence in (
        ({"cup": 0.11}, "cup covers 0.19 % of the image on average, 0.02 times the 11 % that the source's masks cover"),
        (None, "cup covers 0.19 % of the image on average, 0.03 times the 7 % that the source network marks"),
    ):
        verdict = judge(specks, mask_shares=masks)
        assert verdict["sentence"] == f"Evidence of collapse: {sentence}."
    flooded = [row(area_before=0.02, area_after=0.4, agreement=2 * 0.02 / 0.42)]
    verdict = judge(flooded, mask_shares={"cup": 0.03})
    assert verdict["decision"] == "keep-source"
    assert "40 % of the image on average, 13 times the 3 % that the source's masks cover" in verdict["sentence"]


def test_an_area_that_came_nearer_to_the_sources_masks_or_grew_from_next_to_nothing_has_not_collapsed():
    nearer = [row(area_before=0.001, area_after=0.009, agreement=0.2)]
    assert judge(nearer, mask_shares={"cup": 0.2})["decision"] == "outline"
    grown = [row(area_before=0.015, area_after=0.278, agreement=2 * 0.015 / 0.293)]
    assert judge(grown)["decision"] == "outline"
    assert judge(grown, mask_shares={"cup": 0.08})["decision"] == "outline"


def test_masks_in_other_places_keep_the_source():
    """Dice 0.1 of areas 0.1 and 0.06: they share 0.008, a seventh of the smaller."""
    verdict = judge([row("a", area_after=0.06, agreement=0.1), row("b", area_after=0.06, agreement=0.1), row("c")])
    assert verdict["decision"] == "keep-source"
    assert "13.3 % of the smaller mask overlaps the other" in verdict["sentence"]
    values = {check["name"]: check["value"] for check in verdict["checks"]}
    assert values["cup in place"] == pytest.approx(0.008 / 0.06)


def test_a_mask_that_grew_around_the_old_one_has_not_collapsed():
    verdict = judge([row(area_before=0.05, area_after=0.28, agreement=2 * 0.05 / 0.33)])
    assert verdict["decision"] == "outline"


def test_a_structure_that_neither_network_finds_keeps_the_source():
    verdict = judge([row("a"), row("a", "disc", **NOTHING), row("b"), row("b", "disc", **NOTHING)])
    assert verdict["decision"] == "keep-source"
    assert (
        "disc is found in 0 % of the images (by the source network in 0 %); these images may suit neither network"
        in verdict["sentence"]
    )


def test_a_structure_that_the_source_never_found_cannot_be_lost_and_does_not_count_as_kept():
    rows = [row("a", area_before=0.0, agreement=0.0, confidence_before=math.nan)]
    assert passed(rows)["cup lost"] is None
    assert passed([row("a")])["cup lost"] is True


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"one_piece": 0.0}, "cup in one piece"),
        ({"few_images": 1.0, "empty_share": 1.0}, "cup lost"),
        ({"area_factor": math.inf}, "cup area"),
        ({"full": 1.0}, "cup everywhere"),
        ({"found": 0.0}, "cup found"),
        ({"shrinkage": 0.0}, "cup shrinkage"),
    ],
)
def test_a_check_that_cannot_fail_does_not_count_as_passed(limits, name):
    rows = [row(area_after=0.09)]
    assert passed(rows)[name] is True
    assert passed(rows, limits=limits)[name] is None


def test_what_covers_nine_tenths_cannot_grow_by_a_quarter():
    assert passed([row(area_before=0.85, area_after=0.86)])["cup growth"] is None
    assert passed([row(area_before=0.75, area_after=0.76)])["cup growth"] is True


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"area_after": 0.126}, "cup growth"),
        ({"area_after": 0.079}, "cup shrinkage"),
        ({"agreement": 0.49}, "cup agreement"),
        ({"pieces_after": 0.94}, "cup in one piece"),
    ],
)
def test_each_check_fails_alone(change, name):
    assert judge([row(**change)])["decision"] == "outline"
    assert failed([row(**change)]) == [name]


def test_of_growth_and_shrinkage_only_the_one_that_happened_is_judged():
    grown, shrunk = passed([row(area_after=0.11)]), passed([row(area_after=0.09)])
    assert (grown["cup growth"], grown["cup shrinkage"]) == (True, None)
    assert (shrunk["cup growth"], shrunk["cup shrinkage"]) == (None, True)


def test_growth_and_shrinkage_have_limits_of_their_own():
    limits = {"growth": 2.0, "shrinkage": 0.95}
    assert failed([row(area_after=0.19)], limits=limits) == []
    assert failed([row(area_after=0.09)], limits=limits) == ["cup shrinkage"]


def test_the_sentence_says_value_direction_and_what_the_source_had():
    rows = [row(structure="vessels", area_before=0.0477, area_after=0.083)]
    grown = judge(rows, mask_shares={"vessels": 0.11})["sentence"]
    assert grown.startswith(
        "vessels grew to 1.74 times the former area in the typical image (on average the adapted network marks 8.3 % "
        "of the image, the source network 4.8 %, the source's masks cover 11 %). Outside the limits: vessels grew to "
        "more than 1.25 times the former area. "
    )
    shrunk = judge([row(structure="vessels", area_before=0.1, area_after=0.07)])["sentence"]
    assert shrunk.startswith(
        "vessels shrank to 0.70 times the former area in the typical image (on average the adapted network marks 7 % "
        "of the image, the source network 10 %). Outside the limits: vessels shrank to less than 0.8 times the former "
        "area. "
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"area_after": 0.07996}, "cup shrank to 0.7996 times the former area in"),
        ({"area_after": 0.125001}, "cup grew to 1.25001 times the former area in"),
        ({"agreement": 0.4999}, "mean Dice of only 0.4999 with"),
        ({"pieces_after": 0.9496}, "(on average the largest holds 94.96 % of its mask)"),
    ],
)
def test_a_value_just_beyond_its_limit_is_not_rounded_to_it(change, told):
    verdict = judge([row(**change)])
    assert told in verdict["sentence"]
    failed = next(check for check in verdict["checks"] if check["passed"] is False)
    assert failed["text"].rstrip("0") not in failed["limit"]


def test_a_share_of_images_just_beyond_its_limit_is_not_rounded_to_it():
    told = judge(some(2501, 10000, **GONE))["sentence"]
    assert "cup is gone from 25.01 % of the images" in told


def test_a_cup_that_shrinks_by_a_fifth_is_not_reassuring_however_sure_the_network_becomes():
    rows = [row(str(n), area_after=0.079, confidence_after=0.95) for n in range(9)]
    verdict = judge(rows)
    assert verdict["decision"] == "outline"
    assert "cup shrank to 0.79 times" in verdict["sentence"]
    assert failed(rows) == ["cup shrinkage"]
    assert not [check for check in verdict["checks"] if "confiden" in check["name"] + check["meaning"]]


def test_closeness_to_the_sources_masks_is_told_and_passes_no_check():
    near, far = ({"cup": share} for share in (0.1, 0.4))
    assert passed([row()], mask_shares=near) == passed([row()], mask_shares=far)


def test_of_many_structures_the_sentence_tells_those_that_changed_most():
    rows = [row(structure=f"organ{n}", area_after=0.1 + 0.001 * n) for n in range(7)]
    sentence = judge(rows)["sentence"]
    assert "organ3 grew" in sentence
    assert "organ2" not in sentence
    assert "3 more changed less" in sentence


def test_nothing_compared_is_not_called_fine():
    verdict = judge([])
    assert verdict["decision"] == "outline"
    assert "nothing is known" in verdict["sentence"]


def test_a_run_whose_checks_have_no_values_is_not_called_fine():
    rows = [row(**NOTHING)]
    limits = {"found": 0.0, "full": 1.0}
    assert set(passed(rows, limits=limits).values()) == {None}
    assert "No check could be made" in judge(rows, limits=limits)["sentence"]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"area_factor": 0.1}, r"Expected area_factor of at least 1, found 0\.1"),
        ({"growth": 0.9}, r"Expected growth of at least 1, found 0\.9"),
        ({"growth": math.nan}, "Expected growth of at least 1, found nan"),
        ({"shrinkage": 1.25}, r"Expected shrinkage between 0 and 1, found 1\.25"),
        ({"found": -1}, "Expected found between 0 and 1, found -1"),
        ({"area_ratio": 2}, "growth, shrinkage.* found area_ratio=2"),
    ],
)
def test_a_limit_out_of_its_range_is_refused(limits, said):
    with pytest.raises(ValueError, match=said):
        judge([row()], limits=limits)


def test_what_cannot_be_measured_neither_passes_nor_fails():
    assert passed([row(area_before=0.0, agreement=math.nan, confidence_before=math.nan)])["cup agreement"] is None


def test_summary_counts_empty_masks():
    change = summarise_change([row("a"), row("b", area_after=0.0)])["cup"]
    assert (change["empty_before"], change["empty_after"]) == (0, 1)
    assert change["area_after"] == pytest.approx(0.05)


def test_summary_takes_typical_change_and_confidence_where_both_networks_find_the_structure():
    found = row("b", area_before=0.0, agreement=0.0, confidence_before=math.nan, confidence_after=0.5)
    change = summarise_change([row("a", area_after=0.2, confidence_after=0.8), found], mask_shares={"cup": 0.3})["cup"]
    assert change["area_ratio"] == pytest.approx(2)
    assert (change["confidence_before"], change["confidence_after"], change["area_masks"]) == (0.9, 0.8, 0.3)


@pytest.mark.parametrize("decision", ["adopt", "review"])
def test_a_decision_of_an_older_version_is_read_as_one_that_can_be_known(decision):
    checks = [{"name": "cup size", "passed": False}, {"name": "cup lost", "passed": True}]
    old = {"decision": decision, "sentence": "No sign of collapse.", "checks": checks}
    read = read_verdict({"verdict": old})
    assert read["decision"] == "outline"
    assert "The checks that failed: cup size" in read["sentence"]
    assert not [word for word in ("adopt", "review", "No sign") if word in read["sentence"]]


@pytest.mark.parametrize("decision", ["keep-source", "outline"])
def test_decisions_of_today_are_read_as_they_stand(decision):
    verdict = {"decision": decision, "sentence": "So it is."}
    assert read_verdict({"verdict": verdict}) == verdict


def test_a_report_without_a_verdict_is_one_sentence():
    with pytest.raises(ValueError, match=r"Expected a verdict in report\.json, found none"):
        read_verdict({"verdict": None})
