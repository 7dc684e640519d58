"""Photographs of the retina: where the optic disc is."""

from monai_sfda.organs.fundus.locate.cut_to_disc import CutToDiscd
from monai_sfda.organs.fundus.locate.disc_finder import DiscFinder

__all__ = [
    "CutToDiscd",
    "DiscFinder",
]
