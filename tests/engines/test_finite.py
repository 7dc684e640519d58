"""The message names what was not finite first, with the remedy for that."""

import math

import pytest
import torch
from conftest import tiny_network
from ignite.engine import State

from monai_sfda.engines.finite import check_finite
from monai_sfda.protocols import PseudoLabel

NAN, INF = float("nan"), float("inf")


@pytest.fixture
def step():
    ones = torch.ones(2, 3, 4, 4)
    maps = torch.ones(2, 2, 4, 4)
    return {
        "image": ones.clone(),
        "case": ["a.png", "b.png"],
        "weak": ones.clone(),
        "strong": ones.clone(),
        "pseudo": PseudoLabel(maps.clone(), maps.clone()),
        "pred": maps.clone(),
    }


def ask(step, network, loss=NAN):
    return check_finite(torch.tensor(loss), step, network, State(epoch=3, iteration=7))


def test_a_finite_loss_is_a_number(step, network):
    assert ask(step, network, 0.5) == 0.5
    network[0].weight.grad = torch.full_like(network[0].weight, 3e38)  # whose sum has no place in float32
    assert ask(step, network, 0.5) == 0.5


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("image", r"first in the image of b\.png \(.*leave it out"),
        ("weak", r"first in the view of b\.png \(.*range that they expect \(WeakStrongViews: 0 to 255\)"),
        ("strong", r"first in the view of b\.png"),
        ("pred", r"first in the prediction \(.*smaller learning rate"),
    ],
)
def test_the_first_thing_that_is_not_finite_is_named(step, network, where, sentence):
    step["pred"].fill_(NAN)
    step[where][1, 0, 0, 0] = NAN
    with pytest.raises(FloatingPointError, match=f"Expected finite numbers in epoch 3, step 7, found nan {sentence}"):
        ask(step, network)


@pytest.mark.parametrize(("field", "name"), [("label", "pseudo-label"), ("weight", "weight of the pseudo-label")])
def test_the_labels_are_named_before_the_loss(step, network, field, name):
    getattr(step["pseudo"], field)[0, 0, 0, 0] = INF
    with pytest.raises(FloatingPointError, match=rf"found inf first in the {name} \(.*that the labeller asks"):
        ask(step, network)


def test_the_prediction_of_the_source_is_no_matter_of_the_learning_rate(step, network):
    step["pred"].fill_(INF)
    with pytest.raises(FloatingPointError, match=r"step 1, found inf first in the prediction .*layer that overflows"):
        check_finite(torch.tensor(NAN), step, network, State(epoch=1, iteration=1))


def test_weights_are_a_matter_of_the_learning_rate(step, network):
    with torch.no_grad():
        network[4].bias[0] = NAN
    step["pred"].fill_(NAN)
    with pytest.raises(FloatingPointError, match=r"first in the weight 4\.bias .*smaller learning rate"):
        ask(step, network)


def test_a_gradient_alone_is_named(step, network):
    network[4].weight.grad = torch.full_like(network[4].weight, -INF)
    with pytest.raises(FloatingPointError, match=r"found -inf first in the gradient of 4\.weight .*look in the crit"):
        ask(step, network, 0.5)


def test_a_loss_alone_is_named_where_there_are_no_labels(step, network):
    del step["pseudo"]
    with pytest.raises(FloatingPointError, match=r"found inf first in the loss .*division by 0"):
        ask(step, network, math.inf)


def test_images_in_whole_numbers_are_finite(step):
    step["image"] = step["image"].byte()
    assert ask(step, tiny_network(), 1.0) == 1.0
