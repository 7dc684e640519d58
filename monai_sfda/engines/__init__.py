"""Ignite engines."""

from monai_sfda.engines.adapt import AdaptTrainer

__all__ = ["AdaptTrainer"]
