import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_sfda.losses import Domains, EntropyLoss, Fool, On
from monai_sfda.precision import onednn_convolves


class Answers(nn.Module):
    """Says the mean of what it sees, times a weight."""

    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, maps):
        return self.weight * maps.mean((1, 2, 3), keepdim=True)


def shows(*, pred, **_):
    return pred


def stream(value):
    return {"pred": torch.full((2, 2, 4, 4), float(value), requires_grad=True)}


def test_an_undecided_discriminator_loses_the_logarithm_of_two():
    loss = Domains(shows).tell(Answers(), source=stream(0), target=stream(0))
    assert loss.item() == pytest.approx(math.log(2), abs=1e-6)
    summed = Domains(shows, halved=False).tell(Answers(), source=stream(0), target=stream(0))
    assert summed.item() == pytest.approx(2 * math.log(2), abs=1e-6)


@pytest.mark.parametrize("label", [0, 1])
def test_the_source_has_its_label_and_the_target_the_other(label):
    right, wrong = (-9, 9) if label == 0 else (9, -9)
    domains = Domains(shows, source=label)
    assert domains.tell(Answers(), source=stream(right), target=stream(wrong)).item() < 1e-3
    assert domains.fool(Answers(), **stream(right)).item() < 1e-3
    assert domains.fool(Answers(), **stream(wrong)).item() > 8


def test_no_gradient_of_the_discriminator_reaches_the_network_nor_the_other_way_round():
    discriminator, source, target = Answers(), stream(1), stream(2)
    Domains(shows).tell(discriminator, source=source, target=target).backward()
    assert source["pred"].grad is None
    assert target["pred"].grad is None
    assert discriminator.weight.grad is not None
    discriminator.weight.grad = None
    Fool(SimpleNamespace(network=discriminator, criterion=Domains(shows)))(**target).backward()
    assert discriminator.weight.grad is None
    assert discriminator.weight.requires_grad
    assert target["pred"].grad.any()


def test_the_gradient_vanishes_where_the_target_passes_for_source():
    target = stream(-40)
    Domains(shows).fool(Answers(), **target).backward()
    assert target["pred"].grad.abs().max() < 1e-15


def test_a_loss_reads_one_stream_and_the_logits_that_are_named():
    step = {"source": {"pred": torch.zeros(1, 1, 4, 4)}, "target": {"pred": torch.full((1, 1, 4, 4), 9.0)}}
    step["target"]["auxiliary"] = torch.zeros(1, 1, 2, 2)
    assert On("source", EntropyLoss(share=True))(**step).item() == pytest.approx(1.0)
    assert On("target", EntropyLoss(share=True))(**step).item() < 0.01
    assert On("target", EntropyLoss(share=True), pred="auxiliary")(**step).item() == pytest.approx(1.0)
    with pytest.raises(ValueError, match="Expected the logits 'auxiliary' in the source stream, found pred; name"):
        On("source", EntropyLoss(), pred="auxiliary")(**step)
    with pytest.raises(ValueError, match="stream 'source' or 'target', found 'other'"):
        On("other", EntropyLoss())
    with pytest.raises(ValueError, match="Expected 0 or 1 as the label of the source, found 2"):
        Domains(shows, source=2)


@pytest.mark.skipif(not onednn_convolves(torch.bfloat16), reason="no convolutions in bfloat16 on this processor")
def test_in_bfloat16_the_discriminator_says_nearly_the_same_in_float32():
    torch.manual_seed(0)
    discriminator, maps = nn.Conv2d(2, 1, 4), torch.rand(2, 2, 8, 8)
    lost = {}
    for precision in ("float32", "bfloat16"):
        domains = Domains(lambda maps, **_: maps, precision=precision)
        lost[precision] = domains.tell(discriminator, source={"maps": maps}, target={"maps": maps.flip(0)})
        assert lost[precision].dtype == domains.fool(discriminator, maps=maps).dtype == torch.float32
    assert lost["bfloat16"] != lost["float32"]
    assert lost["bfloat16"].item() == pytest.approx(lost["float32"].item(), abs=0.01)  # bfloat16 has 8 bits
