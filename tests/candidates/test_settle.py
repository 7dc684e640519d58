"""What each structure gets, and one network for all where structures of two harm each other."""

from types import SimpleNamespace

from monai_sfda.candidates.settle import compromise, settle
from monai_sfda.choice import Gain, Rule, decide


def gain(points):
    return Gain(points / 100, 0.001, 10)


def estimates(gains):
    return {s: {name: gain(points) for name, points in column.items()} for s, column in gains.items()}


def settled(gains, total=100):
    return settle([decide(s, column, total=total) for s, column in gains.items()], list(gains))


def test_what_all_structures_want_is_adopted():
    found = settled(estimates({"disc": {"dpl": 3, "tent": 1}, "cup": {"dpl": 5, "tent": -1}}))
    assert found[:3] == ("adopt", {"disc": "dpl", "cup": "dpl"}, 0)
    assert found.sentence.startswith("Adopt dpl: the disc gained 3.0 points")
    assert "The bundle takes" not in found.sentence


def test_a_structure_that_needs_more_outlines_holds_up_the_others():
    found = settled({"disc": {"dpl": gain(3)}, "cup": {"dpl": Gain(0.03, 0.05, 10)}})
    assert found[:3] == ("outline", {}, 2)


def test_each_structure_gets_its_own_candidate_or_the_source():
    found = settled(estimates({"disc": {"dpl": -4, "tent": 5}, "cup": {"dpl": -9, "tent": -3}}))
    assert found[:3] == ("adopt", {"disc": "tent", "cup": "source"}, 0)
    assert found.sentence.endswith("The bundle takes the disc from tent and the cup from source.")
    found = settled(estimates({"disc": {"dpl": -4}, "cup": {"dpl": -9}}))
    assert found[:2] == ("keep-source", {"disc": "source", "cup": "source"})


def test_one_decision_is_for_all_structures():
    (decision,) = [decide("disc and cup", {"dpl": gain(3)}, total=100)]
    assert settle([decision], ["disc", "cup"]).networks == {"disc": "dpl", "cup": "dpl"}


def compromised(gains, same=None, unseen=()):
    """Candidates stand for themselves where ``same`` does not say otherwise."""
    made = SimpleNamespace(sample=SimpleNamespace(nothing=lambda: gain(0), rule=Rule(), total=100), unseen=unseen)
    made.pulled = made.alone = estimates(gains)
    names = {name for column in gains.values() for name in column}
    standing = {s: {**{name: name for name in names}, **(same or {}).get(s, {})} for s in gains}
    return compromise(settled(estimates(gains)), made, standing)


def test_of_different_wishes_the_best_that_is_safe_everywhere_serves_all():
    """dpl would cost the disc 2 points; tent gains 1 on average, bn_stats 2."""
    found = compromised({"disc": {"dpl": -2, "tent": 2, "bn_stats": 1}, "cup": {"dpl": 9, "tent": 0, "bn_stats": 3}})
    assert found[:3] == ("adopt", {"disc": "bn_stats", "cup": "bn_stats"}, 0)
    assert "so one serves all: bn_stats, because of those that are safe" in found.sentence


def test_the_source_is_kept_where_no_candidate_is_safe_everywhere_or_gains():
    found = compromised({"disc": {"dpl": -4, "tent": 5}, "cup": {"dpl": 9, "tent": -3}})
    assert found[:2] == ("keep-source", {"disc": "source", "cup": "source"})
    assert compromised({"disc": {"dpl": 0.4}, "cup": {"dpl": -0.5}}).action == "keep-source"


def test_a_candidate_that_changes_one_structure_alone_may_serve_all():
    """dpl leaves the disc as the source has it, and gains 8 points of cup."""
    gains = {"disc": {"tent": 3}, "cup": {"dpl": 8, "tent": -5}}
    found = compromised(gains, {"disc": {"dpl": "source"}})
    assert found[:2] == ("adopt", {"disc": "dpl", "cup": "dpl"})


def test_a_candidate_may_be_stood_for_by_another_in_one_structure():
    gains = {"disc": {"tent": 3}, "cup": {"dpl": 8, "tent": -5}}
    assert compromised(gains, {"disc": {"dpl": "tent"}}).networks == {"disc": "dpl", "cup": "dpl"}


def test_a_structure_that_no_outline_shows_says_nothing_of_a_compromise():
    """It would have gained 90 points by finding nothing."""
    found = compromised({"disc": {"dpl": -4, "tent": 2}, "cup": {"dpl": 90, "tent": -5}}, unseen=["cup"])
    assert found.networks == {"disc": "tent", "cup": "tent"}


def test_where_nothing_was_outlined_the_source_stays():
    decisions = [decide("mean of disc and cup", {"dpl": gain(90)}, total=100)]
    found = settle(decisions, ["disc", "cup"], ["disc", "cup"])
    assert found[:2] == ("keep-source", {"disc": "source", "cup": "source"})
    assert found.sentence == (
        "Keep the source network. No outline shows the disc: was it outlined? No outline shows the cup: was it "
        "outlined?"
    )
