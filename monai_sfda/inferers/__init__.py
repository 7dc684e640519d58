"""Ways to run a network on new images."""

from monai_sfda.inferers.fast import FastInferer

__all__ = ["FastInferer"]
