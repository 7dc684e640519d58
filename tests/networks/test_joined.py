"""Several networks as one."""

import math
from copy import deepcopy

import pytest
import torch
from torch import nn

from monai_sfda.networks import Joined, check_output


def constant(*logits):
    """Gives these logits of its channels everywhere."""
    layer = nn.Conv2d(3, len(logits), 1)
    nn.init.zeros_(layer.weight)
    layer.bias.data = torch.tensor(logits, dtype=torch.float32)
    return layer.eval()


def logit(p):
    return math.log(p / (1 - p))


IMAGE = torch.zeros(2, 3, 4, 5)


def test_each_channel_comes_from_its_network_as_it_is():
    joined = Joined([constant(1, 2), constant(3, 4)], [[1], [0]], head="sigmoid")
    assert joined(IMAGE)[0, :, 0, 0].tolist() == [3, 2]
    assert joined(IMAGE).shape == (2, 2, 4, 5)


def test_the_mean_is_that_of_the_probabilities():
    joined = Joined([constant(logit(0.2), 0), constant(logit(0.8), logit(0.9))], [[0, 1], [0, 1]], head="sigmoid")
    assert joined(IMAGE).sigmoid()[0, :, 0, 0].tolist() == pytest.approx([0.5, 0.7])
    three = [math.log(p) for p in (0.1, 0.2, 0.7)], [math.log(p) for p in (0.3, 0.6, 0.1)]
    joined = Joined([constant(*three[0]), constant(*three[1])], [[0, 1]] * 3, head="softmax")
    assert joined(IMAGE).softmax(1)[0, :, 0, 0].tolist() == pytest.approx([0.2, 0.4, 0.4])


def test_the_mean_of_certain_networks_is_finite():
    joined = Joined([constant(200.0), constant(300.0)], [[0, 1]], head="sigmoid")
    assert joined(IMAGE)[0, 0, 0, 0].item() == pytest.approx(200 + math.log(2), abs=1e-3)


def test_it_predicts_and_does_not_train():
    joined = Joined([constant(1, 2), constant(3, 4)], [[0], [1]], head="sigmoid")
    check_output(joined, image_size=(8, 8), structures=["disc", "cup"])
    assert not deepcopy(joined).eval().training
    with pytest.raises(ValueError, match="Expected one network to adapt or train, found 2 that are joined"):
        check_output(joined, image_size=(8, 8), structures=["disc", "cup"], train=True)


@pytest.mark.parametrize(
    ("channels", "head", "words"),
    [
        ([[0], [2]], "sigmoid", "Expected a network of 2 for each channel"),
        ([[0], []], "sigmoid", "Expected a network of 2 for each channel"),
        ([[0], [1]], "softmax", "Expected the same networks for all channels of a softmax head"),
    ],
)
def test_channels_that_make_no_sense_are_refused(channels, head, words):
    with pytest.raises(ValueError, match=words):
        Joined([constant(1, 2), constant(3, 4)], channels, head=head)
