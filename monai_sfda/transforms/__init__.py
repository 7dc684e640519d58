"""From files to tensors and back: reading, nested labels, weak and strong views."""

from monai_sfda.transforms.corrupt_labels import RandCorruptLabelsd, corrupt_blocks
from monai_sfda.transforms.nested import NestedLabeld, NestedToIdsd
from monai_sfda.transforms.photo_reader import MaskReader, PhotoReader
from monai_sfda.transforms.save_mask import SaveMaskd
from monai_sfda.transforms.views import Erase, Gamma, ImpulseNoise, StrongBatch, WeakBatch, WeakStrongViews

__all__ = [
    "Erase",
    "Gamma",
    "ImpulseNoise",
    "MaskReader",
    "NestedLabeld",
    "NestedToIdsd",
    "PhotoReader",
    "RandCorruptLabelsd",
    "SaveMaskd",
    "StrongBatch",
    "WeakBatch",
    "WeakStrongViews",
    "corrupt_blocks",
]
