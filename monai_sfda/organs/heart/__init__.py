"""Findings of the ventricles in cine MR."""

from monai_sfda.organs.heart.heart import Heart

__all__ = ["Heart"]
