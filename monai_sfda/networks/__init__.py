"""Networks, and what methods need of any network: its weights, its features, its normalisation."""

from __future__ import annotations

from monai_sfda.networks.aspp import AtrousPyramid
from monai_sfda.networks.decoder import BoundaryDecoder, PlainDecoder
from monai_sfda.networks.deeplab import DeepLabV3Plus
from monai_sfda.networks.dropout import LaneDropout
from monai_sfda.networks.load import assign_weights, load_network, read_weights
from monai_sfda.networks.mobilenet import MobileNetV2Encoder, load_imagenet
from monai_sfda.networks.norm import (
    eval_mode,
    frozen_stats,
    norm_layers,
    stochastic_layers,
    track_stats,
    track_stats_without_dropout,
)
from monai_sfda.networks.released import convert_released, read_released
from monai_sfda.networks.tap import FeatureTap

__all__ = [
    "AtrousPyramid",
    "BoundaryDecoder",
    "DeepLabV3Plus",
    "FeatureTap",
    "LaneDropout",
    "MobileNetV2Encoder",
    "PlainDecoder",
    "assign_weights",
    "convert_released",
    "eval_mode",
    "frozen_stats",
    "load_imagenet",
    "load_network",
    "norm_layers",
    "read_released",
    "read_weights",
    "stochastic_layers",
    "track_stats",
    "track_stats_without_dropout",
]
