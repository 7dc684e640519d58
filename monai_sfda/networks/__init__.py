"""Networks, and what methods need of any network: its weights, its features, its normalisation."""

from __future__ import annotations

from monai_sfda.networks.aspp import AtrousPyramid
from monai_sfda.networks.check import check_output
from monai_sfda.networks.decoder import BoundaryDecoder, PlainDecoder
from monai_sfda.networks.deeplab import DeepLabV3Plus
from monai_sfda.networks.deeplab_v2 import DeepLabV2
from monai_sfda.networks.denoiser import AtlasFallback, Denoiser, load_denoiser
from monai_sfda.networks.discriminator import Discriminator, PatchDiscriminator
from monai_sfda.networks.head import Head
from monai_sfda.networks.input import with_input
from monai_sfda.networks.joined import Joined
from monai_sfda.networks.load import assign_weights, load_network, weights_hash
from monai_sfda.networks.mixed_norm import MixedBatchNorm, MixedStats, mix_stats
from monai_sfda.networks.mobilenet import MobileNetV2Encoder, load_imagenet
from monai_sfda.networks.norm import (
    average_stats,
    eval_mode,
    freeze_norm_affine,
    frozen_stats,
    learn_norm_affine,
    learn_nothing,
    norm_layers,
    require_batch_norm,
    stochastic_layers,
    track_stats,
    track_stats_without_dropout,
)
from monai_sfda.networks.normaliser import Normaliser, WithNormaliser, learn_normaliser
from monai_sfda.networks.prompt import AmplitudePrompt, WithPrompt, learn_prompt
from monai_sfda.networks.released import convert_released
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.networks.warm_start import start_of, warm_started
from monai_sfda.networks.weights_file import read_weights

__all__ = [
    "AmplitudePrompt",
    "AtlasFallback",
    "AtrousPyramid",
    "BoundaryDecoder",
    "DeepLabV2",
    "DeepLabV3Plus",
    "Denoiser",
    "Discriminator",
    "FeatureTap",
    "Head",
    "Joined",
    "MixedBatchNorm",
    "MixedStats",
    "MobileNetV2Encoder",
    "Normaliser",
    "PatchDiscriminator",
    "PlainDecoder",
    "WithNormaliser",
    "WithPrompt",
    "assign_weights",
    "average_stats",
    "check_output",
    "convert_released",
    "eval_mode",
    "freeze_norm_affine",
    "frozen_stats",
    "learn_norm_affine",
    "learn_normaliser",
    "learn_nothing",
    "learn_prompt",
    "load_denoiser",
    "load_imagenet",
    "load_network",
    "mix_stats",
    "norm_layers",
    "read_weights",
    "require_batch_norm",
    "start_of",
    "stochastic_layers",
    "track_stats",
    "track_stats_without_dropout",
    "warm_started",
    "weights_hash",
    "with_input",
]
