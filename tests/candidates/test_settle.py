"""One network where structures have decisions of their own."""

from monai_sfda.candidates.settle import settle
from monai_sfda.choice import Gain, decide


def gain(points):
    return Gain(points / 100, 0.001, 10)


def settled(gains, total=100):
    gains = {s: {name: gain(points) for name, points in column.items()} for s, column in gains.items()}
    return settle([decide(s, column, total=total) for s, column in gains.items()], gains, total=total)


def test_what_all_structures_want_is_adopted():
    found = settled({"disc": {"dpl": 3, "tent": 1}, "cup": {"dpl": 5, "tent": -1}})
    assert found[:3] == ("adopt", "dpl", 0)
    assert found.sentence.startswith("Adopt dpl: the disc gained 3.0 points")
    assert "one has to serve all" not in found.sentence


def test_a_structure_that_needs_more_outlines_holds_up_the_others():
    gains = {"disc": {"dpl": gain(3)}, "cup": {"dpl": Gain(0.03, 0.05, 10)}}
    found = settle([decide(s, column, total=100) for s, column in gains.items()], gains, total=100)
    assert found[:3] == ("outline", "", 2)


def test_of_different_wishes_the_best_that_is_safe_everywhere_serves_all():
    """dpl would cost the disc 2 points; tent gains 1 on average, bn_stats 2."""
    found = settled(
        {"disc": {"dpl": -2, "tent": 2, "bn_stats": 1}, "cup": {"dpl": 9, "tent": 0, "bn_stats": 3}},
    )
    assert found[:3] == ("adopt", "bn_stats", 0)
    assert "want different networks, and one has to serve all: bn_stats" in found.sentence


def test_the_source_is_kept_where_no_candidate_is_safe_everywhere():
    found = settled({"disc": {"dpl": -4, "tent": 5}, "cup": {"dpl": 9, "tent": -3}})
    assert found[:3] == ("keep-source", "source", 0)
    assert "one has to serve all: the source network" in found.sentence


def test_a_safe_candidate_that_does_not_gain_on_average_is_no_reason_to_change():
    found = settled({"disc": {"dpl": 0.4}, "cup": {"dpl": -0.5}})
    assert found[:2] == ("keep-source", "source")
