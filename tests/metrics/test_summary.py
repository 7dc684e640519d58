from __future__ import annotations

import math

import numpy as np
import pytest

from monai_sfda.metrics import paired_bootstrap, summarise, summarise_values

NAN = float("nan")


def test_mean_and_population_deviation_leave_out_what_was_skipped():
    found = summarise_values([1.0, 3.0, NAN])
    assert (found["mean"], found["std"], found["n"], found["skipped"]) == (2, 1, 2, 1)


def test_nothing_measured_is_none_not_zero():
    assert summarise_values([NAN, NAN]) == {"mean": None, "std": None, "ci95": None, "n": 0, "skipped": 2}


def test_the_interval_of_constant_cases_is_that_constant():
    assert summarise_values([0.75] * 5)["ci95"] == [0.75, 0.75]


def test_the_interval_is_the_same_in_every_run():
    values = np.random.default_rng(3).normal(size=30).tolist()
    assert summarise_values(values) == summarise_values(values)


def test_the_interval_is_that_of_a_mean_of_normal_cases():
    values = np.random.default_rng(4).normal(size=400)
    low, high = summarise_values(values.tolist())["ci95"]
    half = 1.96 * values.std() / math.sqrt(400)
    # 2000 resamples know a 2.5 % tail to about 6 % of the half width; three of these.
    assert low == pytest.approx(values.mean() - half, abs=0.2 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.2 * half)


def test_a_summary_describes_numbers_and_counts_flags():
    rows = [{"disc": {"dice": 0.5, "empty_pred": False}}, {"disc": {"dice": NAN, "empty_pred": True}}]
    disc = summarise(rows)["disc"]
    assert disc["dice"] == {"mean": 0.5, "std": 0, "ci95": None, "n": 1, "skipped": 1}
    assert disc["empty_pred"] == 1


def test_one_case_has_no_interval():
    assert paired_bootstrap([0.5], [[0.6], [0.7]])["ci95"] is None


def test_no_rows_give_no_summary():
    assert summarise([]) == {}


def test_a_paired_comparison_sees_a_shift_that_spread_would_hide():
    before = np.linspace(0, 100, 20)
    found = paired_bootstrap(before, before + 1)
    # The differences are constant up to the rounding of float64 sums.
    assert found["difference"] == pytest.approx(1)
    assert found["ci95"] == pytest.approx([1, 1])
    assert found["worse"] == 0


def test_worse_is_less_and_not_equal():
    assert paired_bootstrap([1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 2.0, 1.0])["worse"] == 0.25


def test_a_seed_that_fails_is_not_hidden_by_one_that_succeeds():
    before = [0.5] * 20
    found = paired_bootstrap(before, [[0.4] * 20, [0.9] * 20])
    assert found["difference"] == pytest.approx(0.15)
    assert found["worse"] == 0.5
    # Without spread over cases: 0.15 -+ standard error 0.25 times 12.7, the 97.5 % point of Student's t for two seeds.
    # The ends are taken from 2000 draws of a distribution with long tails.
    assert found["ci95"] == pytest.approx([0.15 - 12.7 * 0.25, 0.15 + 12.7 * 0.25], rel=0.15)


@pytest.mark.parametrize("seeds", [2, 3])
def test_the_interval_holds_the_truth_as_often_as_it_says_with_few_seeds(seeds):
    draw, trials = np.random.default_rng(0), 200
    held = 0
    for _ in range(trials):
        after = draw.normal(0, 0.2, 40) + draw.normal(0, 1, (seeds, 1))
        low, high = paired_bootstrap(np.zeros(40), after)["ci95"]
        held += low <= 0 <= high
    # 95 % of 200 is 190 -+ 3; drawing from so few seeds instead holds 108 to 138.
    assert held > 180


def test_cases_that_one_method_lost_are_counted_on_its_side():
    found = paired_bootstrap([1.0, 1.0, NAN], [2.0, NAN, NAN])
    assert (found["n"], found["skipped_before"], found["skipped_after"]) == (1, 1, 2)


def test_a_comparison_without_pairs_is_none():
    assert paired_bootstrap([NAN], [1.0])["difference"] is None


def test_swapping_the_methods_changes_the_sign():
    draw = np.random.default_rng(5)
    first, second = draw.normal(size=15), draw.normal(size=15)
    there, back = paired_bootstrap(first, second), paired_bootstrap(second, first)
    assert back["difference"] == pytest.approx(-there["difference"])
    assert back["ci95"] == pytest.approx([-there["ci95"][1], -there["ci95"][0]])


def test_unequal_lists_are_refused():
    with pytest.raises(ValueError, match="one length"):
        paired_bootstrap([1.0], [1.0, 2.0])
