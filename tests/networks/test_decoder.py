"""The two decoders: shapes and how they join their inputs."""

import pytest
import torch
from torch import nn

from monai_sfda.networks import BoundaryDecoder, PlainDecoder


@pytest.mark.parametrize("decoder", [PlainDecoder, BoundaryDecoder])
def test_logits_lie_on_the_grid_of_the_low_level_features(decoder):
    logits = decoder(24, 3).eval()(torch.rand(2, 24, 9, 11), torch.rand(2, 256, 3, 4))
    assert logits.shape == (2, 3, 9, 11)


def test_the_boundary_feature_is_pyramid_then_detail_then_boundary():
    decoder = BoundaryDecoder(24, 2).eval()
    seen = []
    decoder.feature.register_forward_hook(lambda module, inputs, output: seen.append(output))
    low_level, pyramid = torch.rand(1, 24, 8, 8), torch.rand(1, 256, 8, 8)
    decoder(low_level, pyramid)
    assert seen[0].shape == (1, 305, 8, 8)
    assert torch.equal(seen[0][:, :256], pyramid)  # no resize needed, nothing else happens to it
    assert torch.equal(seen[0][:, 256:304], decoder.low_level(low_level))


@pytest.mark.parametrize(
    ("decoder", "part", "rates"),
    [
        (PlainDecoder, "feature", [0.5]),
        (PlainDecoder, "head", [0.1]),
        (BoundaryDecoder, "boundary", [0.5, 0.1]),
        (BoundaryDecoder, "head", [0.1]),
    ],
)
def test_dropout_sits_where_it_was_released(decoder, part, rates):
    layers = getattr(decoder(24, 2), part)
    assert [layer.p for layer in layers if isinstance(layer, nn.Dropout)] == rates
