import logging

import pytest
import torch

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import LowSpreadOnly, PrototypeAgreement, Threshold, prototype_label, prototypes

E = torch.tensor([1, 1.2, 0, 0.3, 0.9]).view(1, 1, 5)
P = torch.tensor([0.9, 0.8, 0.1, 0.2, 0.6]).view(1, 1, 5)
U = torch.tensor([0.01, 0.10, 0.01, 0.01, 0.01]).view(1, 1, 5)
Y = (P > 0.75).float()
CERTAIN = (U < 0.05).float()
EVIDENCE = Evidence(["a"], P, U, E)


def refined(evidence, *refiners):
    pseudo = PseudoLabel(evidence.probs, torch.ones_like(evidence.probs))
    for refine in refiners:
        pseudo = refine(pseudo, evidence)
    return pseudo


def random_batch(seed=0, *, images=3, channels=2, depth=6, grid=(7, 5)):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(images, depth, *grid, generator=generator)
    probs = torch.rand(images, channels, *grid, generator=generator)
    spread = torch.rand(images, channels, *grid, generator=generator) * 0.1
    return Evidence([str(i) for i in range(images)], probs, spread, features)


def parts(evidence):
    return evidence.features, (evidence.probs > 0.75).float(), evidence.probs, (evidence.spread < 0.05).float()


def test_hand_worked_prototypes_labels_and_mask():
    found, background = prototypes(E, Y, P, CERTAIN)
    assert found.item() == 1.0
    assert background.item() == pytest.approx(0.285714, abs=1e-6)
    assert prototype_label(E, found, background).int().flatten().tolist() == [1, 1, 0, 0, 1]
    pseudo = refined(EVIDENCE, Threshold(), LowSpreadOnly(), PrototypeAgreement())
    assert pseudo.label.flatten().tolist() == [1, 1, 0, 0, 0]
    assert pseudo.weight.flatten().tolist() == [1, 0, 1, 1, 0]


def test_the_side_of_the_plane_is_the_smaller_distance():
    features, *rest = parts(random_batch())
    found, background = prototypes(features, *rest)
    away = [((features[:, None] - z[:, :, None, None]) ** 2).sum(2) for z in (found, background)]
    assert torch.equal(prototype_label(features, found, background), away[0] < away[1])


def test_features_of_each_channel_give_the_same_as_shared_ones_when_they_are_equal():
    evidence = random_batch()
    own = evidence._replace(features=evidence.features[:, None].expand(-1, 2, -1, -1, -1))
    one, other = (refined(e, Threshold(), PrototypeAgreement()).weight for e in (evidence, own))
    assert torch.equal(one, other)


def test_features_of_each_channel_are_used_by_that_channel_only():
    evidence = random_batch()
    own = evidence.features[:, None].expand(-1, 2, -1, -1, -1).clone()
    own[:, 1] = random_batch(9).features
    found, _ = prototypes(own, *parts(evidence)[1:])
    assert torch.allclose(found[0], prototypes(*parts(evidence))[0][0])
    assert torch.allclose(found[1], prototypes(random_batch(9).features, *parts(evidence)[1:])[0][1])


def test_prototypes_do_not_depend_on_the_scale_of_the_probabilities():
    features, label, probs, certain = parts(random_batch())
    shrunk = torch.where(label == 1, probs * 0.25, 1 - (1 - probs) * 0.5)
    for one, other in zip(
        prototypes(features, label, probs, certain), prototypes(features, label, shrunk, certain), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_labels_do_not_depend_on_the_scale_of_the_features():
    features, *rest = parts(random_batch())
    one, other = (prototype_label(f, *prototypes(f, *rest)) for f in (features, 8 * features))
    assert torch.equal(one, other)


def test_seeing_every_image_twice_changes_no_prototype():
    once = parts(random_batch())
    twice = [torch.cat([part, part]) for part in once]
    for one, other in zip(prototypes(*once), prototypes(*twice), strict=True):
        torch.testing.assert_close(one, other)


def test_both_classes_are_treated_alike():
    evidence = random_batch()
    pseudo = PseudoLabel((evidence.probs > 0.5).float(), torch.ones_like(evidence.probs))
    swapped = PseudoLabel(1 - pseudo.label, pseudo.weight)
    one = PrototypeAgreement()(pseudo, evidence)
    other = PrototypeAgreement()(swapped, evidence._replace(probs=1 - evidence.probs))
    assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize("grid", [(8,), (8, 6), (4, 6, 2)])
def test_maps_meet_coarser_features_of_any_dimension(grid):
    fine = random_batch(grid=tuple(2 * size for size in grid))
    pseudo = refined(fine._replace(features=random_batch(grid=grid).features), Threshold(), PrototypeAgreement())
    assert pseudo.weight.shape == fine.probs.shape
    assert set(pseudo.weight.unique().tolist()) == {0.0, 1.0}
    # The answer of a coarse position is its fine pixels': pairs along an axis agree or differ with their labels.
    answer = (pseudo.weight == pseudo.label).flatten(0, 1)
    assert torch.equal(answer[:, ::2], answer[:, 1::2])


def test_weights_only_shrink():
    evidence = random_batch()
    weight = torch.rand(evidence.probs.shape)
    pseudo = PseudoLabel((evidence.probs > 0.75).float(), weight)
    assert (PrototypeAgreement()(pseudo, evidence).weight <= weight).all()


@pytest.mark.parametrize("probs", [0.1 * P, 0.8 + 0.1 * P])
def test_a_channel_with_one_kind_only_is_kept_unchecked_with_a_warning(probs, caplog):
    with caplog.at_level(logging.WARNING):
        pseudo = refined(Evidence(["a"], probs, U, E), Threshold(), PrototypeAgreement())
    assert pseudo.weight.tolist() == [[[1, 1, 1, 1, 1]]]
    assert "in channel 0 of a batch: its labels are kept unchecked" in caplog.text


def test_no_certain_pixel_at_all_gives_no_nan(caplog):
    pseudo = refined(EVIDENCE, Threshold(), LowSpreadOnly(limit=0), PrototypeAgreement(certain=0))
    assert pseudo.weight.abs().max() == 0
    assert "No certain object" in caplog.text
    assert "No certain background" in caplog.text


def test_one_channel_without_prototype_leaves_the_other_alone():
    evidence = random_batch()
    probs = evidence.probs.clone()
    probs[:, 0] = 0.01
    one, other = (refined(e, Threshold(), PrototypeAgreement()) for e in (evidence, evidence._replace(probs=probs)))
    assert torch.equal(one.weight[:, 1], other.weight[:, 1])
    assert (other.weight[:, 0] == 1).all()


def test_bfloat16_around_it_changes_nothing():
    evidence = random_batch()
    expected = refined(evidence, Threshold(), PrototypeAgreement()).weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(refined(evidence, Threshold(), PrototypeAgreement()).weight, expected)


def test_evidence_without_features_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"features and spread, found no .*; observe with MonteCarlo\(network, layer"):
        refined(Evidence(["a"], P, U), PrototypeAgreement())
