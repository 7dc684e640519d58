"""Ignite engines."""

from monai_sfda.engines.adapt import AdaptTrainer
from monai_sfda.engines.adversary import Adversary
from monai_sfda.engines.uda import UdaTrainer

__all__ = ["AdaptTrainer", "Adversary", "UdaTrainer"]
