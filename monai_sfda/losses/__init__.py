"""What an adaptation step minimises."""

from monai_sfda.losses.compose import WeightedSum
from monai_sfda.losses.disalignment import CosineDisalignment
from monai_sfda.losses.entropy import EntropyLoss
from monai_sfda.losses.masked import MaskedBCE
from monai_sfda.losses.nothing import NoLoss
from monai_sfda.losses.prior import FixedRatio, RatioTable, source_ratios
from monai_sfda.losses.ratio import ClassRatioPrior
from monai_sfda.losses.soft_dice import SoftDiceLoss
from monai_sfda.losses.statistics import StatisticConsistency, transferability

__all__ = [
    "ClassRatioPrior",
    "CosineDisalignment",
    "EntropyLoss",
    "FixedRatio",
    "MaskedBCE",
    "NoLoss",
    "RatioTable",
    "SoftDiceLoss",
    "StatisticConsistency",
    "WeightedSum",
    "source_ratios",
    "transferability",
]
