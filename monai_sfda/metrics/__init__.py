"""How good a segmentation is: against a reference, without one, and over many cases."""

from monai_sfda.metrics.case import MEASURES, score_case
from monai_sfda.metrics.confidence import largest_component_share, soft_dice_confidence
from monai_sfda.metrics.dice import dice_score
from monai_sfda.metrics.masks import binary_masks
from monai_sfda.metrics.spacing import affine_spacing
from monai_sfda.metrics.summary import paired_bootstrap, summarise, summarise_values
from monai_sfda.metrics.surface import surface_distances

__all__ = [
    "MEASURES",
    "affine_spacing",
    "binary_masks",
    "dice_score",
    "largest_component_share",
    "paired_bootstrap",
    "score_case",
    "soft_dice_confidence",
    "summarise",
    "summarise_values",
    "surface_distances",
]
