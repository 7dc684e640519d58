import logging

import pytest
import torch

from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import BalanceBackground, WeighBackground, uncertain_sums

PROBS = torch.tensor([0.05, 0.2, 0.5, 0.75, 0.8, 0.9, 0.97])


def balance(**kwargs):
    return BalanceBackground(channels=kwargs.pop("channels", [0]), first_look=None, **kwargs)


def fitted_weight(probs, **kwargs):
    item = balance(**kwargs)
    item.remember(Evidence([str(i) for i in range(len(probs))], probs))
    item.refit()
    return item.weights[0]


def test_uncertain_sets_and_mean_losses_by_hand():
    """alpha 0.2: background {0.2, 0.5}, foreground {0.8, 0.9}."""
    loss_bg, n_bg, loss_fg, n_fg = uncertain_sums(PROBS, cutoff=0.75, margin=0.2).tolist()
    assert (n_bg, n_fg) == (2, 2)
    # float32 logarithms: 1e-6.
    assert loss_bg / n_bg == pytest.approx(0.458145, abs=1e-6)
    assert loss_fg / n_fg == pytest.approx(0.164252, abs=1e-6)


@pytest.mark.parametrize(("margin", "weight"), [(0.2, 0.358515), (0.0, 0.370989), (0.5, 0.321928)])
def test_weight_by_hand(margin, weight):
    assert fitted_weight(PROBS.view(1, 1, -1), margin=margin) == pytest.approx(weight, abs=2e-6)


@pytest.mark.parametrize(("margin", "weight"), [(0.1, 0.254), (0.2, 0.253), (0.5, 0.243), (0.7, 0.232), (0.9, 0.217)])
def test_flat_histogram_gives_the_published_near_constant(margin, weight):
    flat = torch.linspace(0, 1, 200_001).view(1, 1, -1)
    assert fitted_weight(flat, margin=margin) == pytest.approx(weight, abs=5e-4)


def test_streaming_sums_equal_stored_maps_in_any_order():
    maps = torch.rand(6, 2, 9, 9)
    bank = maps[:, 1].flatten()
    background, foreground = (bank > 0.15) & (bank < 0.75), (bank > 0.75) & (bank < 0.95)
    expected = -bank[foreground].log().mean() / -(1 - bank[background]).log().mean()
    item = balance(channels=[1])
    for index in torch.randperm(6).tolist():
        item.remember(Evidence([f"image {index}"], torch.rand(1, 2, 9, 9)))  # overwritten below, as the bank is
    for index in torch.randperm(6).tolist():
        item.remember(Evidence([f"image {index}"], maps[index : index + 1]))
    item.refit()
    assert item.weights[0] == pytest.approx(expected.item(), rel=1e-5)


def test_only_background_of_the_chosen_channel_is_weighted():
    item = balance(channels=[1])
    item.weights = [0.25]
    label = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    pseudo = item(PseudoLabel(label, torch.ones_like(label)), Evidence(["a"], torch.rand(1, 2, 2)))
    assert pseudo.weight.tolist() == [[[1, 1], [1, 0.25]]]
    assert torch.equal(pseudo.label, label)


@pytest.mark.parametrize("probs", [torch.zeros(1, 1, 4), torch.full((1, 1, 4), 0.9)])
def test_an_empty_side_gives_weight_one_and_a_warning(probs, caplog):
    with caplog.at_level(logging.WARNING):
        assert fitted_weight(probs) == 1.0
    assert "its weight is 1" in caplog.text


def test_state_survives_a_restart():
    item, other = balance(), balance()
    item.remember(Evidence(["a"], PROBS.view(1, 1, -1)))
    item.refit()
    other.load_state_dict(item.state_dict())
    other.refit()
    assert other.weights == item.weights


def test_a_constant_weighs_the_background_of_its_channels_alone():
    label = torch.tensor([[[0.0, 1.0]], [[0.0, 1.0]]]).view(1, 2, 2)
    pseudo = PseudoLabel(label, torch.full((1, 2, 2), 2.0))
    weighed = WeighBackground(channels=[1], weights=[0.25])(pseudo, Evidence(["a"], label))
    assert weighed.weight.tolist() == [[[2.0, 2.0], [0.5, 2.0]]]
    assert WeighBackground(channels=[1], weights=[1])(pseudo, Evidence(["a"], label)).weight.unique().tolist() == [2.0]
    with pytest.raises(ValueError, match="factor"):
        WeighBackground(channels=[1], weights=[])


def test_two_softmax_classes_weigh_their_background_as_one_sigmoid_channel_does():
    """The gradient of a background pixel against that of a nucleus is the factor, whichever head says the same."""

    def ratio(head, logits, label):
        refine = WeighBackground(channels=[label.shape[1] - 1], weights=[0.24], head=head)
        pseudo = refine(PseudoLabel(label, torch.ones_like(label[:, :1])), Evidence(["a"], label))
        MaskedBCE(head=head)(pred=logits.requires_grad_(), pseudo=pseudo).backward()
        background, nucleus = logits.grad[0, -1].tolist()
        return abs(background / nucleus)

    nucleus = torch.tensor([[[0.0, 1.0]]])  # (1, 1, 2): a pixel of background, a pixel of a nucleus
    z = torch.zeros(1, 1, 2)
    two = torch.cat([1 - nucleus, nucleus], 1)
    assert ratio("sigmoid", z.clone(), nucleus) == pytest.approx(0.24)
    assert ratio("softmax", torch.cat([z, z], 1), two) == pytest.approx(0.24)


def test_of_three_softmax_classes_each_is_weighed_against_background_by_its_own_factor():
    label = torch.eye(3)[None]  # (1, 3, 3): pixels of background, of class 1, of class 2
    pseudo = PseudoLabel(label, torch.ones(1, 1, 3))
    refine = WeighBackground(channels=[1, 2], weights=[0.5, 0.25], head="softmax")
    background, one, two = refine(pseudo, Evidence(["a"], label)).weight.flatten().tolist()
    assert (background / one, background / two) == (0.5, 0.25)


def test_channels_that_there_are_not_are_named():
    evidence = Evidence(["a"], torch.full((1, 2, 2, 2), 0.5))
    pseudo = PseudoLabel(evidence.probs, torch.ones(1, 2, 2, 2))
    for part in (balance(channels=[2]), WeighBackground(channels=[2], weights=[0.5])):
        with pytest.raises(ValueError, match=r"Expected channels below 2 to balance, found \[2\]; choose"):
            part(pseudo, evidence)
    with pytest.raises(ValueError, match="Expected channels, and a factor of at least 0 for each"):
        balance(channels=[])


def test_labels_that_are_asked_for_before_the_first_epoch_are_weighted():
    class Looking:
        def observe_all(self, ask):
            yield Evidence(["a"], PROBS.view(1, 1, 1, -1))

    item = balance()
    item.look_once(Looking())
    assert item.weights[0] == fitted_weight(PROBS.view(1, 1, 1, -1)) != 1
