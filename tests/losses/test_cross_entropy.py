import pytest
import torch
from torch.nn import functional as F

from monai_sfda.losses import CrossEntropy, WeightedCrossEntropyDice


@pytest.mark.parametrize("loss", [CrossEntropy, WeightedCrossEntropyDice])
def test_of_exclusive_classes_channels_have_no_order(loss):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator)
    label = F.one_hot(torch.randint(4, (2, 5, 6), generator=generator), 4).movedim(-1, 1).float()
    swapped = loss(head="softmax")(pred=logits.flip(1), label=label.flip(1))
    assert torch.allclose(loss(head="softmax")(pred=logits, label=label), swapped)


def test_it_is_that_of_pytorch():
    generator = torch.Generator().manual_seed(0)
    logits, classes = torch.randn(2, 4, 5, 6, generator=generator), torch.randint(4, (2, 5, 6), generator=generator)
    label = F.one_hot(classes, 4).movedim(-1, 1).float()
    assert torch.allclose(CrossEntropy(head="softmax")(pred=logits, label=label), F.cross_entropy(logits, classes))
    sigmoid = F.binary_cross_entropy_with_logits(logits, label)
    assert torch.allclose(CrossEntropy()(pred=logits, label=label), sigmoid)
