"""Replays whose outcome is known beforehand."""

import math

import numpy as np
import pytest

from monai_sfda.choice.replay import LARGEST, POLICIES, RULE, UNIFORM, Scored, replay

RANDOM = np.random.default_rng(0)
NOISE = RANDOM.normal(size=60)
NOISE = 0.01 * (NOISE - NOISE.mean()) / NOISE.std()


def choices(gains, disagreement=None, **settings):
    images = len(next(iter(gains.values())))
    scored = Scored({"cup": gains}, np.zeros(images) if disagreement is None else disagreement)
    return list(replay(scored, **{"orders": 5, **settings}))


def test_every_order_policy_and_stop_makes_one_choice():
    made = choices({"dpl": NOISE}, stops=(0, 3, 5))
    assert len(made) == 5 * 3 * 3
    assert {(choice.policy, choice.stop) for choice in made} == {(p, n) for p in POLICIES for n in (0, 3, 5)}


def test_a_clear_gain_is_adopted_at_the_first_look():
    for choice in choices({"dpl": NOISE + 0.2, "cbmt": NOISE - 0.2}, stops=(8, 20)):
        assert choice.candidate == "dpl"
        assert choice.gain == pytest.approx(0.2)
        assert choice.used == {LARGEST: choice.stop}.get(choice.policy, 5)
        assert choice.said == 1 or choice.policy == LARGEST or choice.covered < 1


def test_a_clear_loss_leaves_the_source():
    made = choices({"dpl": NOISE - 0.2}, stops=(5, 20))
    assert {(choice.candidate, choice.gain) for choice in made} == {("", 0.0)}


def test_without_outlines_the_source_is_kept():
    for choice in choices({"dpl": NOISE + 0.2}, stops=(0,)):
        assert (choice.candidate, choice.used) == ("", 0)
        assert math.isnan(choice.covered)
        assert math.isnan(choice.said)


def test_the_largest_mean_asks_for_no_bound():
    """A gain that no outline doubts in direction, but whose spread leaves the rule unsure."""
    gains = {"dpl": np.tile([0.005, 0.5], 30)}
    chosen = {policy: set() for policy in POLICIES}
    for choice in choices(gains, stops=(3,), orders=30):
        chosen[choice.policy].add(choice.candidate)
    assert chosen[LARGEST] == {"dpl"}
    assert chosen[UNIFORM] == {"", "dpl"}


def test_images_on_which_the_candidates_differ_come_first():
    """Two images hold all that is gained; drawn uniformly, five outlines rarely meet them."""
    gains = np.zeros(60)
    gains[:2] = 0.9
    found = dict.fromkeys((RULE, UNIFORM), 0)
    for choice in choices({"dpl": gains}, disagreement=gains, stops=(5,), orders=100):
        if choice.policy in found:
            found[choice.policy] += not np.isnan(choice.covered) and choice.covered > 0
    assert found[RULE] > 1.5 * found[UNIFORM]


def test_more_outlines_than_images_are_left_out():
    assert {choice.stop for choice in choices({"dpl": NOISE[:6]})} == {0, 3, 5}


def test_with_all_images_outlined_the_truth_is_chosen():
    for choice in choices({"dpl": NOISE[:5] + 0.05, "cbmt": NOISE[:5] + 0.1}, stops=(5,)):
        assert choice.candidate == "cbmt"
        assert choice.covered == pytest.approx(1)
