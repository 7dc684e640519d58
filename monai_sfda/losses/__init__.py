"""What an adaptation step minimises."""

from monai_sfda.losses.boundary import BoundaryLoss, boundary_target, shows_boundary
from monai_sfda.losses.compose import WeightedSum
from monai_sfda.losses.cross_entropy import CrossEntropy
from monai_sfda.losses.cross_entropy_dice import WeightedCrossEntropyDice
from monai_sfda.losses.disalignment import CosineDisalignment
from monai_sfda.losses.domains import Domains, Fool
from monai_sfda.losses.entropy import EntropyLoss
from monai_sfda.losses.margin_contrast import PrototypeContrast, SelfPacedContrast, margin_contrast, self_paced
from monai_sfda.losses.masked import MaskedBCE
from monai_sfda.losses.matching import StatisticMatch
from monai_sfda.losses.nothing import NoLoss
from monai_sfda.losses.on import On
from monai_sfda.losses.prior import FixedRatio, RatioTable, for_cases, source_ratios
from monai_sfda.losses.ratio import ClassRatioPrior
from monai_sfda.losses.self_information import SelfInformation, SingleTermEntropy
from monai_sfda.losses.soft_dice import SoftDiceLoss
from monai_sfda.losses.statistics import StatisticConsistency, transferability

__all__ = [
    "BoundaryLoss",
    "ClassRatioPrior",
    "CosineDisalignment",
    "CrossEntropy",
    "Domains",
    "EntropyLoss",
    "FixedRatio",
    "Fool",
    "MaskedBCE",
    "NoLoss",
    "On",
    "PrototypeContrast",
    "RatioTable",
    "SelfInformation",
    "SelfPacedContrast",
    "SingleTermEntropy",
    "SoftDiceLoss",
    "StatisticConsistency",
    "StatisticMatch",
    "WeightedCrossEntropyDice",
    "WeightedSum",
    "boundary_target",
    "for_cases",
    "margin_contrast",
    "self_paced",
    "shows_boundary",
    "source_ratios",
    "transferability",
]
