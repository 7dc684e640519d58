"""What an adaptation step minimises."""

from monai_sfda.losses.masked import MaskedBCE

__all__ = ["MaskedBCE"]
