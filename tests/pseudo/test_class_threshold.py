import logging

import pytest
import torch

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import ClassThreshold, class_thresholds, histogram

# Given to 1 at 0.5: .6 .7 .95, mean .75, median .7. Given to 0: .5 .1 .1 .1, mean of 1 - p .8, median .9.
P = torch.tensor([0.6, 0.7, 0.95, 0.5, 0.1, 0.1, 0.1]).view(1, 1, 7)


def fitted(*batches, **kwargs):
    refine = ClassThreshold(**kwargs)
    for probs in batches:
        refine.study(PseudoLabel(probs, torch.ones_like(probs)), Evidence(["a"], probs))
    refine.fit()
    return refine


def label(refine, probs):
    return refine(PseudoLabel(probs, torch.full_like(probs, 0.5)), Evidence(["a"], probs))


# float32 probabilities.
@pytest.mark.parametrize(("statistic", "expected"), [("mean", [0.8, 0.75]), ("median", [0.9, 0.7])])
def test_hand_worked_thresholds(statistic, expected):
    thresholds = class_thresholds(*histogram(P, P, torch.ones_like(P)), statistic=statistic)
    assert thresholds[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_the_cutoff_is_where_both_ratios_are_equal():
    assert fitted(P).cutoffs.tolist() == pytest.approx([0.75 / 1.55], abs=1e-6)


def test_one_cutoff_says_what_the_three_rules_say():
    """1 above t1, 0 where 1 - p is above t0, else the larger ratio."""
    refine = fitted(P)
    probs = torch.linspace(0, 1, 1001).view(1, 1, -1)
    t0, t1 = 0.8, 0.75
    rules = torch.where(probs > t1, True, torch.where(1 - probs > t0, False, probs / t1 > (1 - probs) / t0))
    assert torch.equal(label(refine, probs).label, rules.float())


def test_weights_are_kept():
    assert label(fitted(P), P).weight.unique().tolist() == [0.5]


def test_channels_have_their_own_cutoffs():
    both = torch.cat([P, 1 - P], 1)
    cutoffs = fitted(both).cutoffs.tolist()
    # p = .5 is given to 0 in either channel: 1 - P has .9 .9 .9 -> 1 and .4 .3 .05 .5 -> 0.
    assert cutoffs == pytest.approx([0.75 / 1.55, 0.9 / (0.9 + 0.6875)], abs=1e-6)


def test_softmax_gives_each_pixel_to_the_class_with_the_largest_ratio():
    refine = ClassThreshold(head="softmax")
    refine.cutoffs = torch.tensor([0.9, 0.6, 0.8])
    probs = torch.tensor([[0.45, 0.35, 0.2], [0.2, 0.35, 0.45], [0.8, 0.1, 0.1]]).T[None]  # ratios below
    # .50 .58 .25: class 1, though class 0 is likelier; .22 .58 .56: class 1; .89 .17 .13: class 0.
    assert label(refine, probs).label[0].argmax(0).tolist() == [1, 1, 0]
    assert label(refine, probs).label.sum(1).unique().tolist() == [1]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0, 0.45), (0.55, 1.0)])
def test_two_softmax_classes_are_one_sigmoid_channel(low, high):
    """Also where one of them is given no pixel."""
    probs = low + (high - low) * torch.rand(1, 1, 500, generator=torch.Generator().manual_seed(0))
    both = torch.cat([1 - probs, probs], 1)
    refine = fitted(both, head="softmax")
    assert torch.equal(label(refine, both).label[:, 1:], label(fitted(probs), probs).label)


def test_of_three_softmax_classes_one_that_no_pixel_is_given_to_gets_none(caplog):
    probs = torch.tensor([[0.95, 0.04, 0.01], [0.03, 0.95, 0.02], [0.6, 0.01, 0.39]]).T[None]
    with caplog.at_level(logging.WARNING):
        refine = fitted(probs, head="softmax")
    assert refine.cutoffs.tolist() == pytest.approx([0.775, 0.95, 0.95])
    assert label(refine, probs).label[0].argmax(0).tolist() == [0, 1, 0]
    assert caplog.messages == ["No pixel is assigned to class 2: its threshold is the largest of the others."]


def test_batches_are_pooled():
    assert torch.allclose(fitted(P[..., :3], P[..., 3:]).cutoffs, fitted(P).cutoffs)


def test_a_class_that_no_pixel_is_given_to_leaves_the_cutoff_at_half(caplog):
    with caplog.at_level(logging.WARNING):
        refine = fitted(0.4 * P)
    assert refine.cutoffs.tolist() == [0.5]
    assert "No pixel of channel 0 is assigned to class 1" in caplog.text


def test_it_must_be_fitted():
    with pytest.raises(ValueError, match=r"found none; add FitRefiners\(labeller\) to train_handlers, before"):
        label(ClassThreshold(), P)


def test_an_unknown_statistic_is_refused():
    with pytest.raises(ValueError, match="'mean' or 'median', found 'mode'"):
        ClassThreshold(statistic="mode")
