"""DeepLabV3+ with a MobileNetV2 encoder, the network of BEAL, DPL and CBMT."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.networks.aspp import AtrousPyramid
from monai_sfda.networks.decoder import BoundaryDecoder, PlainDecoder
from monai_sfda.networks.mobilenet import MobileNetV2Encoder, load_imagenet

__all__ = ["DeepLabV3Plus"]

DECODERS = {"plain": PlainDecoder, "boundary": BoundaryDecoder}


class DeepLabV3Plus(nn.Module):
    """DeepLabV3+ (Chen et al., ECCV 2018) on MobileNetV2 at output stride 16, as BEAL, DPL and CBMT release it.

    The layer ``decoder.feature`` gives the feature map those methods work with: 256 channels at stride 4 for the
    "plain" decoder, 305 for "boundary", which also has the boundary logits as ``decoder.boundary``.

    Args:
        in_channels: channels of the input image.
        out_channels: K, channels of the output.
        decoder: "plain" (CBMT) or "boundary" (BEAL, DPL).
        imagenet_weights: file with the weights of torchvision's ``mobilenet_v2`` for the encoder; None: He-normal.
        dropout: probabilities after the pyramid, between the decoder's convolutions, and before each last convolution.

    Shape:
        (B, in_channels, H, W), H and W at least 32 -> logits (B, K, H, W).

    Raises:
        ValueError: if ``decoder`` is unknown, if the ImageNet weights do not fit, or in a forward with one image while
            batch norm uses batch statistics.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 2,
        *,
        decoder: str = "plain",
        imagenet_weights: str | Path | None = None,
        dropout: tuple[float, float, float] = (0.5, 0.5, 0.1),
    ) -> None:
        super().__init__()
        if decoder not in DECODERS:
            raise ValueError(f"Expected decoder to be one of {list(DECODERS)}, found {decoder!r}; name one of them.")
        pyramid, feature, head = dropout
        self.encoder = MobileNetV2Encoder(in_channels)
        self.aspp = AtrousPyramid(self.encoder.high_level_channels, dropout=pyramid)
        self.decoder = DECODERS[decoder](
            self.encoder.low_level_channels, out_channels, feature_dropout=feature, head_dropout=head
        )
        if imagenet_weights is not None:
            load_imagenet(self.encoder, imagenet_weights)

    def forward(self, x: Tensor) -> Tensor:
        low_level, high_level = self.encoder(x)
        logits = self.decoder(low_level, self.aspp(high_level))
        return F.interpolate(logits, size=x.shape[2:], mode="bilinear", align_corners=True)
