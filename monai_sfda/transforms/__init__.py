"""From files to tensors and back: reading, nested labels, weak and strong views."""

from monai_sfda.transforms.beal_masks import BealMasksd
from monai_sfda.transforms.corrupt_labels import RandCorruptLabelsd, corrupt_blocks
from monai_sfda.transforms.native_size import LabelMapd, NativeSized
from monai_sfda.transforms.nested import NestedLabeld
from monai_sfda.transforms.save_mask import SaveMaskd
from monai_sfda.transforms.views import Erase, Gamma, ImpulseNoise, StrongBatch, WeakBatch, WeakStrongViews

__all__ = [
    "BealMasksd",
    "Erase",
    "Gamma",
    "ImpulseNoise",
    "LabelMapd",
    "NativeSized",
    "NestedLabeld",
    "RandCorruptLabelsd",
    "SaveMaskd",
    "StrongBatch",
    "WeakBatch",
    "WeakStrongViews",
    "corrupt_blocks",
]
