"""Gains that are pulled toward the mean of all candidates."""

import numpy as np
import pytest

from monai_sfda.choice import estimate_gain, pull


def means(gains, **options):
    return {name: float(np.mean(values)) for name, values in pull(gains, **options).items()}


def test_worked_by_hand():
    """c = (.1, .2, .3), r = +-c; s^2 = .5 * .01 / 3; tau^2 = .04 - s^2, so .2 of difference becomes .2 * .9583."""
    pulled = pull({"dpl": [0.2, 0.4, 0.6], "cbmt": [0.0, 0.0, 0.0]}, total=6)
    share = 1 - 0.005 / 3 / 0.04
    assert pulled["dpl"] == pytest.approx([0.1 + 0.1 * share, 0.2 + 0.2 * share, 0.3 + 0.3 * share])
    assert pulled["cbmt"] == [0.0, 0.0, 0.0]  # all outlines say the same of it, see below


def test_weights_come_first():
    gains, weights = {"dpl": [0.2, 0.1, 0.4], "cbmt": [0.1, 0.0, 0.3]}, [0.5, 1.0, 2.0]
    weighted = {name: [w * y for w, y in zip(weights, values, strict=True)] for name, values in gains.items()}
    assert pull(gains, weights=weights, total=9)["dpl"] == pytest.approx(pull(weighted, total=9)["dpl"])


def test_candidates_that_differ_by_chance_alone_get_the_mean_of_all():
    gains = {"dpl": [0.3, -0.3, 0.1, 0.1], "cbmt": [-0.3, 0.3, 0.14, 0.1]}
    assert means(gains, total=1000) == pytest.approx({"dpl": 0.055, "cbmt": 0.055}, abs=1e-6)


def test_the_best_still_comes_first():
    found = means({"a": [0.3, -0.3, 0.16, 0.1], "b": [-0.3, 0.3, 0.14, 0.1]}, total=1000)
    assert 0 < found["a"] - found["b"] < 1e-6


def test_what_nothing_is_known_of_stays_unknown():
    """On five images a candidate changes nothing; what others do there says nothing of 95 other images."""
    gains = {"dpl": [0.0] * 5, "tent": [-0.30, -0.34, -0.28, -0.33, -0.31]}
    assert np.isnan(estimate_gain(pull(gains, total=100)["dpl"], total=100).error)


def test_clear_differences_stay():
    gains = {"good": [0.30, 0.31, 0.29, 0.30], "bad": [-0.20, -0.21, -0.19, -0.20], "none": [0.0, 0.01, -0.01, 0.0]}
    assert means(gains, total=1000) == pytest.approx({"good": 0.3, "bad": -0.2, "none": 0.0}, abs=2e-4)


def test_a_noisy_candidate_is_pulled_more():
    """Both are .2 from the mean of all."""
    gains = {"calm": [0.19, 0.20, 0.21, 0.20], "noisy": [0.10, -0.50, 0.30, -0.70], "other": [0.0, 0.01, -0.01, 0.0]}
    pulled = means(gains, total=1000)
    assert 0.2 - pulled["calm"] < pulled["noisy"] + 0.2


def test_what_all_images_say_is_not_pulled():
    gains = {"dpl": [0.2, 0.4, 0.6], "cbmt": [0.1, 0.5, 0.3]}
    assert means(gains, total=3) == pytest.approx({"dpl": 0.4, "cbmt": 0.3})


def test_one_candidate_one_outline_or_none_has_nobody_to_be_pulled_to():
    assert pull({"dpl": [0.2, 0.4]}, weights=[1, 2], total=9) == {"dpl": pytest.approx([0.2, 0.8])}
    assert pull({"dpl": [0.2], "cbmt": [0.1]}, total=9) == {"dpl": [0.2], "cbmt": [0.1]}
    assert pull({}, total=9) == {}
    assert pull({"dpl": [], "cbmt": []}, total=9) == {"dpl": [], "cbmt": []}


def test_the_largest_of_several_is_not_too_large_on_average():
    """Seven candidates of no gain, ten outlines: the best looks 5.5 points better than it is, pulled less than half."""
    random = np.random.default_rng(0)
    raw, pulled = [], []
    for _ in range(300):
        gains = {f"{n}": list(values) for n, values in enumerate(random.normal(0, 0.12, (7, 10)))}
        raw.append(max(estimate_gain(values, total=100).mean for values in gains.values()))
        pulled.append(max(means(gains, total=100).values()))
    assert np.mean(raw) > 0.045
    assert np.mean(pulled) < np.mean(raw) / 2
