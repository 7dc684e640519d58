import logging

import pytest
import torch

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import ConfidentCorrection, certainty, confident_joint, error_bins, histogram

Y = torch.tensor([0.0, 0, 0, 1, 1, 1]).view(1, 1, 6)
P = torch.tensor([0.1, 0.2, 0.9, 0.95, 0.85, 0.3]).view(1, 1, 6)


def joint(label, probs):
    return confident_joint(*histogram(probs, label, torch.ones_like(probs)))


def corrected(label, probs, *, batches=1, **kwargs):
    pseudo, evidence = PseudoLabel(label, torch.ones_like(probs)), Evidence(["a"], probs)
    refine = ConfidentCorrection(**kwargs)
    for _ in range(batches):
        refine.study(pseudo, evidence)
    refine.fit()
    return refine(pseudo, evidence)


def random_pair(seed, *, noise=0.3, size=4000):
    generator = torch.Generator().manual_seed(seed)
    probs = torch.rand(1, 2, size, generator=generator)
    label = (probs + noise * torch.randn(probs.shape, generator=generator) > 0.6).float()
    return label, probs


def test_hand_worked_joint_and_flags():
    expected = torch.tensor([[[1 / 3, 1 / 6], [1 / 6, 1 / 3]]], dtype=torch.float64)
    torch.testing.assert_close(joint(Y, P), expected)
    moved = (corrected(Y, P).label != Y).flatten().tolist()
    assert moved == [False, False, True, False, False, True]


# H(.3) / ln 2 = .881291.
@pytest.mark.parametrize(("p", "sure"), [(0.3, 0.118709), (0.7, 0.118709), (0.5, 0), (0, 1), (1, 1)])
def test_certainty_is_one_less_the_relative_entropy(p, sure):
    assert float(certainty(torch.tensor(float(p)))) == pytest.approx(sure, abs=1e-6)


@pytest.mark.parametrize(("p", "down", "up"), [(0.3, 0.881291, 0.118709), (0.5, 1, 0), (0, 0, 1), (1, 0, 1)])
def test_a_flagged_label_moves_by_the_certainty(p, down, up):
    refine = ConfidentCorrection()
    refine._bins = torch.tensor([[0, 1024]])  # all are flagged
    probs = torch.full((1, 1, 2), float(p))
    found = refine(PseudoLabel(torch.tensor([[[1.0, 0.0]]]), torch.ones(1, 1, 2)), Evidence(["a"], probs))
    assert found.label.flatten().tolist() == pytest.approx([down, up], abs=1e-6)


def test_a_fixed_rate_and_plain_weights():
    found = corrected(Y, P, rate=0.8, weigh=False)
    assert found.label.flatten().tolist() == pytest.approx([0, 0, 0.8, 1, 1, 0.2], abs=1e-6)
    assert found.weight.unique().tolist() == [1]


def test_weights_are_multiplied_by_the_certainty():
    torch.testing.assert_close(corrected(Y, P).weight, certainty(P))


def test_without_flags_and_weights_the_loss_is_plain_cross_entropy(caplog):
    label = (P > 0.5).float()
    with caplog.at_level(logging.WARNING):
        found = corrected(label, P, weigh=False)
    assert "Expected label errors in channel 0, found none" in caplog.text
    logits = torch.logit(P)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, label)
    torch.testing.assert_close(MaskedBCE()(pred=logits, pseudo=found), expected)


def test_the_loss_of_a_soft_label_is_least_where_the_network_says_it():
    label = torch.tensor([[[0.2, 0.881291]]])
    logits = torch.logit(label).requires_grad_()
    MaskedBCE()(pred=logits, pseudo=PseudoLabel(label, torch.ones_like(label))).backward()
    # Rounding of float32.
    assert logits.grad.abs().max() < 1e-7


@pytest.mark.parametrize("cutoff", [0.1, 0.4, 0.5, 0.75, 0.9])
def test_labels_that_are_a_cutoff_of_their_judge_have_no_errors(cutoff):
    """Why a second opinion is needed: a mean over one side of the cut-off is out of reach from the other side."""
    _, probs = random_pair(0)
    label = (probs > cutoff).float()
    found = joint(label, probs)
    assert found[:, 0, 1].tolist() == [0, 0]
    assert found[:, 1, 0].tolist() == [0, 0]
    assert torch.equal(corrected(label, probs).label, label)


@pytest.mark.parametrize("seed", range(5))
def test_rows_are_the_observed_shares_and_the_joint_sums_to_one(seed):
    label, probs = random_pair(seed)
    found = joint(label, probs)
    share = label.mean(2).double().squeeze(0)
    torch.testing.assert_close(found.sum(2)[:, 1], share)
    torch.testing.assert_close(found.sum((1, 2)), torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize("seed", range(5))
def test_as_many_pixels_are_flagged_as_the_joint_says(seed):
    label, probs = random_pair(seed)
    found = joint(label, probs)
    flagged = corrected(label, probs, rate=1.0).label != label
    for channel in range(2):
        for old, new in ((0, 1), (1, 0)):
            errors = float(found[channel, old, new]) * label.shape[2]
            here = flagged[0, channel] & (label[0, channel] == old)
            # 4000 pixels in 1024 bins: to the nearest bin is to a few pixels.
            assert int(here.sum()) == pytest.approx(errors, abs=8)


def test_swapping_the_classes_transposes_the_joint():
    # Probabilities between the ends of bins, which are closed on one side only.
    label, probs = random_pair(1)
    probs = (probs * 1023).round() / 1024 + 1 / 2048
    torch.testing.assert_close(joint(1 - label, 1 - probs), joint(label, probs).flip(1, 2))


def test_batches_are_pooled():
    assert torch.equal(corrected(Y, P, batches=3).label, corrected(Y, P).label)


@pytest.mark.parametrize("label", [torch.zeros_like(Y), torch.ones_like(Y)])
def test_a_missing_class_leaves_labels_as_they_are(label):
    found = corrected(label, P)
    assert torch.equal(found.label, label)
    assert found.weight.isfinite().all()


def test_ignored_channels_give_finite_labels():
    refine = ConfidentCorrection()
    pseudo, evidence = PseudoLabel(Y, torch.zeros_like(Y)), Evidence(["a"], P)
    refine.study(pseudo, evidence)
    refine.fit()
    assert torch.equal(refine(pseudo, evidence).label, Y)


def test_equal_probabilities_reach_their_own_mean():
    """A mean of equal numbers may round above them."""
    probs = torch.full((1, 1, 3), 0.1).repeat(1, 1, 1000)
    counts, sums = histogram(probs, torch.zeros_like(probs), torch.ones_like(probs))
    assert confident_joint(counts, sums)[0].tolist() == [[1, 0], [0, 0]]
    assert error_bins(counts, confident_joint(counts, sums)).tolist() == [[1024, 0]]


def test_it_must_be_fitted_and_its_rate_a_share():
    with pytest.raises(ValueError, match=r"found none; add FitRefiners\(labeller\) to train_handlers, before"):
        ConfidentCorrection()(PseudoLabel(Y, Y), Evidence(["a"], P))
    with pytest.raises(ValueError, match=r"between 0 \(keep\) and 1 \(invert\), found 2"):
        ConfidentCorrection(rate=2)
