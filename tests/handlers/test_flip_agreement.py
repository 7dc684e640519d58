import math

import pytest
import torch
from monai.engines import SupervisedEvaluator
from torch import nn

from monai_sfda.handlers import FlipAgreement

UP = [[1.0, 1.0], [0.0, 0.0]]
ALL = [[1.0, 1.0], [1.0, 1.0]]


class Bright(nn.Module):
    """Foreground is where the image is bright, whatever its orientation."""

    def forward(self, image):
        return 100 * (image - 0.5)


class Above(nn.Module):
    """Foreground is what is bright in the upper half, so it hangs on the orientation."""

    def forward(self, image):
        return 100 * (image * torch.tensor([[1.0], [0.0]]) - 0.5)


def agreements(network, *images, **kwargs):
    items = [{"image": torch.tensor(image)[None]} for image in images]
    batch = {"image": torch.stack([item["image"] for item in items]), "items": items}
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"), val_data_loader=[batch], epoch_length=1, network=network, decollate=False
    )
    FlipAgreement({"thing": 0}, **kwargs).attach(evaluator)
    evaluator.run()
    return [item["flip_agreement"]["thing"] for item in items]


def test_a_network_that_ignores_orientation_agrees_with_its_mirror_images():
    assert agreements(Bright(), UP, ALL) == [1, 1]


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ([-2], 0.0),  # upside down the upper half is dark, then all is found below: no pixel in common
        ([-1], 1.0),
        ([-2, -1], 0.5),
    ],
)
def test_the_agreement_is_the_mean_of_dice_over_the_mirrors(axes, expected):
    assert agreements(Above(), ALL, axes=axes) == [expected]


def test_axes_count_from_the_end():
    with pytest.raises(ValueError, match="counted from the end"):
        FlipAgreement({"disc": 0}, axes=[1, 2])


def test_what_is_found_in_no_mirror_has_no_agreement():
    assert agreements(Bright(), [[0.0, 0.0], [0.0, 0.0]]) == [None]


def test_a_structure_seen_in_one_mirror_alone_is_disagreement_there():
    below = [[0.0, 0.0], [1.0, 1.0]]
    # Upright and left to right nothing is found, so only the mirror up and down counts, where half of it is.
    assert agreements(Above(), below) == [0.0]


def test_the_mirrored_batch_does_not_train_the_network():
    network = nn.BatchNorm2d(1)
    agreements(network, UP, ALL)
    assert network.running_mean.item() == 0
    assert network.num_batches_tracked.item() == 0


def test_softmax_takes_the_most_likely_class():
    class Two(nn.Module):
        def forward(self, image):
            return torch.cat([torch.zeros_like(image), image - 0.5], 1)

    items = [{"image": torch.tensor(UP)[None]}]
    batch = {"image": torch.tensor(UP)[None, None], "items": items}
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"), val_data_loader=[batch], epoch_length=1, network=Two(), decollate=False
    )
    FlipAgreement({"thing": 1}, head="softmax").attach(evaluator)
    evaluator.run()
    assert math.isclose(items[0]["flip_agreement"]["thing"], 1.0)
