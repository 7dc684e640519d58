"""Photographs of the retina: where the optic disc is, and what disc and cup say of the eye."""

from monai_sfda.organs.fundus.disc_and_cup import DiscAndCup
from monai_sfda.organs.fundus.locate.cut_to_disc import CutToDiscd
from monai_sfda.organs.fundus.locate.disc_finder import DiscFinder

__all__ = [
    "CutToDiscd",
    "DiscAndCup",
    "DiscFinder",
]
