"""A second head: logits from a layer inside a network, without a change of the network."""

from __future__ import annotations

from monai.networks.layers import Conv
from torch import Tensor, nn

from monai_sfda.networks.layers import output_shapes, require_name, suggest_layers

__all__ = ["Head"]


class Head(nn.Module):
    """A 1x1 convolution on what one layer of a network gives, such as auxiliary or boundary logits.

    It stands beside the network, which stays as it is and is delivered as it is: give it to `UdaTrainer` under
    ``layers``, and its parameters to an optimizer.

    Args:
        network: (B, C, *S) -> logits.
        layer: name of a layer of it that gives a map.
        out_channels: of the logits.
        own: the layer gives such logits itself, as ``decoder.boundary`` of `DeepLabV3Plus` and ``auxiliary`` of
            `DeepLabV2` do: they are passed on.

    Shape:
        (B, D, *s) -> (B, out_channels, *s).

    Raises:
        ValueError: if there is no such layer, or it gives no map, or with ``own`` no such logits.
    """

    def __init__(self, network: nn.Module, layer: str, out_channels: int, *, own: bool = False) -> None:
        super().__init__()
        self.layer = require_name(network, layer)
        shape = output_shapes(network).get(layer, ())
        if len(shape) not in (4, 5) or (own and shape[1] != out_channels):
            wanted = f"{out_channels} channels of logits" if own else "a map"
            found = f"one that gives {shape}" if shape else "none that a forward calls"
            near = ", ".join(suggest_layers(network, layer))
            raise ValueError(
                f"Expected a layer {layer!r} of {type(network).__name__} that gives {wanted}, found {found}; name "
                f"another, such as {near}."
            )
        self.convolution = nn.Identity() if own else Conv["conv", len(shape) - 2](shape[1], out_channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.convolution(features.float())
