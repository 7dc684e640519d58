"""Turn folders into datalists, and set the order in which images are read."""

from monai_sfda.data.batches import EpochBatches
from monai_sfda.data.every_class import expect_every_class
from monai_sfda.data.folders import find_images, find_pairs, mask_names
from monai_sfda.data.hold_out import hold_out
from monai_sfda.data.prefetch import PrefetchLoader
from monai_sfda.data.pseudonyms import pseudonymise
from monai_sfda.data.readable import Readable, SameSize, readable
from monai_sfda.data.tolerant import PendingBatches, TolerantLoader, keep_items
from monai_sfda.data.two_streams import TwoStreams

__all__ = [
    "EpochBatches",
    "PendingBatches",
    "PrefetchLoader",
    "Readable",
    "SameSize",
    "TolerantLoader",
    "TwoStreams",
    "expect_every_class",
    "find_images",
    "find_pairs",
    "hold_out",
    "keep_items",
    "mask_names",
    "pseudonymise",
    "readable",
]
