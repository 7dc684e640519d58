"""Phantoms of the lumbar spine with its intervertebral discs, in two contrasts of one Dixon sequence."""

from monai_sfda.organs.spine.acquisitions import ACQUISITIONS, draw_spine

__all__ = ["ACQUISITIONS", "draw_spine"]
