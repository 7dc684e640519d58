"""Image and mask files as MONAI reads them, and what their headers say."""

from monai_sfda.imageio.mask_reader import MaskReader
from monai_sfda.imageio.photo_reader import PhotoReader
from monai_sfda.imageio.read_photo import ReadPhotod

__all__ = [
    "MaskReader",
    "PhotoReader",
    "ReadPhotod",
]
