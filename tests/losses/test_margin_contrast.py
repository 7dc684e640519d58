import math

import pytest
import torch

from monai_sfda.losses import PrototypeContrast, SelfPacedContrast, margin_contrast, self_paced
from monai_sfda.pseudo import PrototypeBank


def loss(cosines, label, **settings):
    cosine = torch.tensor([cosines], dtype=torch.float64).reshape(1, len(cosines), 1, 1)
    return margin_contrast(cosine, torch.full((1, 1, 1), label), **settings).item()


def at_angle(*degrees):
    return torch.tensor([[math.cos(math.radians(d)), math.sin(math.radians(d))] for d in degrees])


@pytest.fixture
def bank():
    """Two classes, whose prototypes are at right angles."""
    return PrototypeBank(["background", "nucleus"], head="softmax", prototypes=at_angle(0, 90))


def features(*degrees):
    return at_angle(*degrees).T.reshape(1, 2, 1, len(degrees))


@pytest.mark.parametrize(
    ("form", "label", "margin", "value"),
    [
        ("intended", 0, 0.4, 0.596701),
        ("released", 0, 0.4, 0.474139),
        ("intended", 1, 0.4, 1.237718),
        ("released", 1, 0.4, 1.036494),
        ("intended", 0, 0.0, 0.474077),
        ("intended", 1, 0.0, 0.974077),
    ],
)
def test_the_two_forms_of_one_pixel(form, label, margin, value):
    assert loss([0.8, 0.3], label, margin=margin, form=form) == pytest.approx(value, abs=1e-6)


def test_without_a_margin_both_forms_are_one():
    for label in (0, 1):
        forms = [loss([0.8, 0.3], label, form=form) for form in ("intended", "released")]
        assert forms[0] == pytest.approx(forms[1], abs=1e-4)


def test_as_released_the_margin_cancels_where_the_prototype_of_the_label_is_the_nearest():
    generator = torch.Generator().manual_seed(0)
    cosine = 2 * torch.rand(2, 5, 7, 7, generator=generator, dtype=torch.float64) - 1
    label = cosine.argmax(1)
    released = margin_contrast(cosine, label, margin=0.4, form="released")
    assert torch.allclose(released, margin_contrast(cosine, label), atol=1e-4)
    assert (margin_contrast(cosine, label, margin=0.4) > margin_contrast(cosine, label)).all()


def test_as_released_the_margin_scales_the_gradient():
    gradients = []
    for margin in (0.0, 0.4):
        cosine = torch.tensor([0.8, 0.3], dtype=torch.float64).reshape(1, 2, 1, 1).requires_grad_()
        margin_contrast(cosine, torch.zeros(1, 1, 1, dtype=torch.long), margin=margin, form="released").sum().backward()
        gradients.append(cosine.grad.flatten()[0].item())
    assert gradients[1] / gradients[0] == pytest.approx(math.sin(math.acos(0.8) + 0.4) / math.sin(math.acos(0.8)), 1e-3)
    assert gradients[1] / gradients[0] == pytest.approx(1.44, abs=0.01)


def test_the_margin_is_added_to_the_angle_until_the_cosine_would_rise_again():
    assert math.cos(math.acos(0.8) + 0.4) == pytest.approx(0.503198, abs=1e-6)
    with_margin = -math.log(math.exp(0.503198) / (math.exp(0.503198) + math.exp(0.3)))
    assert loss([0.8, 0.3], 0, margin=0.4) == pytest.approx(with_margin, abs=1e-6)
    assert math.cos(math.pi - 0.4) == pytest.approx(-0.921061, abs=1e-6)
    assert math.sin(math.pi - 0.4) * 0.4 == pytest.approx(0.155767, abs=1e-6)
    beyond = -0.95 - 0.155767
    assert loss([-0.95, 0.3], 0, margin=0.4) == pytest.approx(math.log(1 + math.exp(0.3 - beyond)), abs=1e-5)


def test_a_temperature_divides_the_cosines():
    assert loss([0.8, 0.3], 0, temperature=0.5) == pytest.approx(math.log(1 + math.exp(2 * (0.3 - 0.8))), abs=1e-9)


def test_a_gap_of_exactly_the_limit_is_not_selected():
    cosine = torch.tensor([[0.75, 0.5], [0.75, 0.4990234375]]).T.reshape(1, 2, 2)
    label, selected, gap = self_paced(cosine, 0.25)
    assert selected.tolist() == [[False, True]]
    assert label.tolist() == [[0, 0]]
    assert gap.tolist() == [[0.25, 0.2509765625]]


def test_a_source_loss_is_the_mean_over_positions(bank):
    contrast = PrototypeContrast(bank, margin=0.2)
    label = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).T.reshape(1, 2, 1, 2)
    maps = features(30, 80)
    expected = [
        loss([math.cos(math.radians(a)), math.sin(math.radians(a))], c, margin=0.2) for a, c in ((30, 0), (80, 1))
    ]
    assert contrast(features=maps, label=label).item() == pytest.approx(sum(expected) / 2, abs=1e-6)
    assert contrast.take_mean("gap") == pytest.approx(
        (abs(math.cos(math.pi / 6) - 0.5) + abs(math.sin(math.radians(80)) - math.cos(math.radians(80)))) / 2, abs=1e-6
    )


def test_the_base_temperature_scales_the_loss(bank):
    label = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    one, two = (PrototypeContrast(bank, temperature=2.0, base_temperature=b) for b in (1.0, 2.0))
    assert one(features=features(30), label=label) == 2 * two(features=features(30), label=label)


def test_a_target_loss_counts_clear_positions_only(bank):
    contrast = SelfPacedContrast(bank, margin=0.0)
    both, clear = contrast(features=features(10, 44)), contrast(features=features(10))
    assert both.item() == pytest.approx(clear.item(), abs=1e-6)
    assert contrast.take_mean("selected") == 0.75  # the mean of 1/2 and 1
    all_of_them = SelfPacedContrast(bank, margin=0.0, gap=-1.0)
    assert all_of_them(features=features(10, 44)).item() > both.item()


def test_no_clear_position_gives_no_loss_and_no_gradient(bank):
    maps = features(44, 45, 46).requires_grad_()
    value = SelfPacedContrast(bank)(features=maps)
    value.backward()
    assert value.item() == 0.0
    assert not maps.grad.any()


def test_steps_without_a_clear_position_are_told(bank, caplog):
    contrast = SelfPacedContrast(bank)
    contrast(features=features(10)), contrast(features=features(44))
    assert contrast.take_mean("selected") == 0.5
    assert not caplog.records
    contrast(features=features(44)), contrast(features=features(46))
    assert contrast.take_mean("selected") == 0
    assert "nearer by a cosine of 0.25, found none: nothing is learnt from them. Give a smaller gap" in caplog.text


def test_the_length_of_features_changes_nothing(bank):
    label = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    for criterion in (PrototypeContrast(bank), SelfPacedContrast(bank)):
        values = [criterion(features=scale * features(20), label=label).item() for scale in (1, 7.5)]
        assert values[0] == pytest.approx(values[1], abs=1e-6)


def test_gradients_reach_features_only(bank):
    bank.prototypes.requires_grad_()
    maps = features(20).requires_grad_()
    bank.update(maps, torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1))
    SelfPacedContrast(bank)(features=maps).backward()
    assert maps.grad.any()
    assert not bank.prototypes.requires_grad


@pytest.mark.parametrize(
    "wrong", [{"margin": -0.1}, {"margin": 3.2}, {"temperature": 0.0}, {"form": "published"}], ids=str
)
def test_numbers_that_make_no_sense_are_refused(bank, wrong):
    with pytest.raises(ValueError, match=r"^Expected .*\.$"):
        PrototypeContrast(bank, **wrong)
