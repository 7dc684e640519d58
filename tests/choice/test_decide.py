"""Decisions, with gains whose bounds are easy to see."""

import math

import pytest

from monai_sfda.choice import Gain, Rule, decide, decide_jointly, estimate_gain

SURE, UNSURE = 0.001, 0.1


def gain(mean, error=SURE, count=10):
    return Gain(mean, error, count)


def chosen(gains, total=100, **rule):
    decision = decide("cup", gains, total=total, rule=Rule(**rule))
    return decision.action, decision.candidate, decision.more


def test_a_sure_gain_is_adopted():
    assert chosen({"dpl": gain(0.03), "cbmt": gain(0.02)}) == ("adopt", "dpl", 0)


def test_a_gain_may_be_adopted_when_it_can_lose_no_more_than_the_margin():
    """At ten outlines the error is .1 * (64 - 25) / 400: t = 2.84, and 0.001 - 2.84 * 0.003 > -0.01."""
    gains = {"dpl": gain(0.001, 0.003), "cbmt": gain(-0.03)}
    assert chosen(gains) == ("adopt", "dpl", 0)
    assert chosen(gains, margin=0.007)[0] == "outline"


def test_that_the_best_of_several_was_taken_is_allowed_for_by_pulling_alone():
    alone = {"dpl": gain(0.021, 0.010)}
    assert chosen(alone)[0] == chosen({**alone, "cbmt": gain(-0.3)})[0] == "adopt"


def test_the_source_is_kept_when_nothing_gains():
    assert chosen({"dpl": gain(-0.03), "cbmt": gain(-0.001)}) == ("keep-source", "cbmt", 0)


def test_what_is_unsure_asks_for_outlines_until_the_next_look():
    assert chosen({"dpl": gain(0.03, UNSURE)}) == ("outline", "dpl", 2)
    assert chosen({"dpl": gain(-0.03, UNSURE)}) == ("outline", "dpl", 2)


def test_nothing_is_decided_before_the_first_look():
    assert chosen({"dpl": gain(0.3, count=4)}) == ("outline", "dpl", 1)
    assert chosen({"dpl": Gain(math.nan, math.nan, 0)}) == ("outline", "dpl", 5)


def test_at_the_cap_the_largest_safe_gain_wins_else_the_source():
    gains = {"dpl": gain(0.03, UNSURE, 20), "cbmt": gain(0.02, SURE, 20)}
    assert chosen(gains) == ("adopt", "cbmt", 0)
    assert chosen({"dpl": gains["dpl"]}) == ("keep-source", "dpl", 0)


def test_with_all_images_outlined_the_mean_decides():
    assert chosen({"dpl": gain(0.002, 0, 6)}, total=6) == ("adopt", "dpl", 0)
    assert chosen({"dpl": gain(-0.002, 0, 6)}, total=6) == ("keep-source", "dpl", 0)


def test_two_images_in_all_give_no_bound_and_keep_the_source():
    assert chosen({"dpl": Gain(0.3, math.nan, 2)}, total=2) == ("keep-source", "dpl", 0)


def test_structures_of_a_softmax_are_decided_on_their_mean_and_none_may_lose():
    mean = {"dpl": gain(0.03), "cbmt": gain(0.02)}
    fine = {"core": {"dpl": gain(0.05), "cbmt": gain(0.02)}, "rim": {"dpl": gain(0.01), "cbmt": gain(0.02)}}
    decision = decide_jointly(fine, mean, total=100)
    assert (decision.action, decision.candidate, decision.structure) == ("adopt", "dpl", "mean of core and rim")
    torn = {**fine, "rim": {"dpl": gain(-0.03), "cbmt": gain(0.02)}}
    assert decide_jointly(torn, mean, total=100).action == "outline"
    at_cap = {name: {m: g._replace(count=20) for m, g in row.items()} for name, row in (torn | {"": mean}).items()}
    mean = at_cap.pop("")
    assert decide_jointly(at_cap, mean, total=100).candidate == "cbmt"


def test_gains_on_other_outlines_are_refused():
    with pytest.raises(ValueError, match="on the same outlines"):
        chosen({"dpl": gain(0.03), "cbmt": gain(0.02, count=9)})
    with pytest.raises(ValueError, match="at least one candidate"):
        chosen({})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (gain(0.036, 0.0124), "adopt dpl: the cup gained 3.6 points (-1.0 to 8.2) on 10 outlines"),
        (
            gain(-0.029),
            "keep the source network: with dpl, the best candidate, the cup lost 2.9 points (2.5 to 3.3) on 10 "
            "outlines",
        ),
        (
            gain(0.03, UNSURE),
            "outline 2 more: with dpl, so far the best, the cup gained 3.0 points (-34.1 to 40.1) on 10 outlines",
        ),
        (
            gain(0.03, math.nan, 1),
            "outline 4 more: with dpl, so far the best, the cup gained 3.0 points on 1 outline",
        ),
        (
            Gain(math.nan, math.nan, 0),
            "outline 5 images: without outlines nothing can be said of the cup",
        ),
    ],
)
def test_a_decision_is_one_sentence(value, words):
    assert decide("cup", {"dpl": value}, total=100).sentence() == words


def test_outlines_that_all_say_the_same_are_no_certainty():
    """On five images nobody differs; of 95 others nothing is known."""
    same = {"dpl": estimate_gain([0.0] * 5, total=100)}
    assert decide("cup", same, total=100).action == "outline"
    assert decide("cup", {"dpl": estimate_gain([0.0] * 20, total=100)}, total=100).action == "keep-source"


def test_with_all_images_outlined_nothing_is_uncertain():
    """Of two volumes, both outlined."""
    decision = decide("cup", {"dpl": estimate_gain([0.25, 0.35], total=2)}, total=2)
    assert (decision.action, decision.candidate) == ("adopt", "dpl")
    assert decision.interval == pytest.approx((0.3, 0.3))


def test_an_interval_that_comes_with_an_early_decision_is_wider():
    """Whoever decides when it looks best is too often lucky: the 5 % are spent over all looks."""
    rule = Rule()
    errors = [1 - rule.stated_level(look, 100) for look in rule.schedule(100)]
    assert sum(errors) == pytest.approx(0.05)
    assert errors == sorted(errors)
    assert rule.stated_level(3, 100) == rule.stated_level(5, 100)
