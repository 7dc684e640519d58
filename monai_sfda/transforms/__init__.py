"""From files to tensors and back: reading, nested labels, weak and strong views."""

from monai_sfda.transforms.corrupt_labels import RandCorruptLabelsd, corrupt_blocks
from monai_sfda.transforms.cut_to_disc import CutToDiscd
from monai_sfda.transforms.disc_finder import DiscFinder
from monai_sfda.transforms.mask_reader import MaskReader
from monai_sfda.transforms.native_size import LabelMapd, NativeSized
from monai_sfda.transforms.nested import NestedLabeld
from monai_sfda.transforms.photo_reader import PhotoReader
from monai_sfda.transforms.read_photo import ReadPhotod
from monai_sfda.transforms.save_mask import SaveMaskd
from monai_sfda.transforms.views import Erase, Gamma, ImpulseNoise, StrongBatch, WeakBatch, WeakStrongViews

__all__ = [
    "CutToDiscd",
    "DiscFinder",
    "Erase",
    "Gamma",
    "ImpulseNoise",
    "LabelMapd",
    "MaskReader",
    "NativeSized",
    "NestedLabeld",
    "PhotoReader",
    "RandCorruptLabelsd",
    "ReadPhotod",
    "SaveMaskd",
    "StrongBatch",
    "WeakBatch",
    "WeakStrongViews",
    "corrupt_blocks",
]
