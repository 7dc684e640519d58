"""Ways to run a network on new images."""

from monai_sfda.inferers.denoise import DenoisingInferer
from monai_sfda.inferers.fast import FastInferer
from monai_sfda.inferers.tent import TentInferer
from monai_sfda.inferers.volume import VolumeInferer, refuse_slices

__all__ = [
    "DenoisingInferer",
    "FastInferer",
    "TentInferer",
    "VolumeInferer",
    "refuse_slices",
]
