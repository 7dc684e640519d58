"""Phantoms of the prostate: a drawn pelvis, seen by a body coil and by an endorectal coil."""

from monai_sfda.organs.prostate.acquisitions import ACQUISITIONS, draw_prostate

__all__ = ["ACQUISITIONS", "draw_prostate"]
