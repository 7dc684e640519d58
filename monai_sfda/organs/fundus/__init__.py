"""Photographs of the retina: finding the optic disc, and measures of disc and cup."""

from monai_sfda.organs.fundus.disc_and_cup import DiscAndCup
from monai_sfda.organs.fundus.locate.cut_to_disc import CutToDiscd
from monai_sfda.organs.fundus.locate.disc_finder import DiscFinder

__all__ = [
    "CutToDiscd",
    "DiscAndCup",
    "DiscFinder",
]
