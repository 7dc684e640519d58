"""Folders as datalists, the order of the images, and simulated clinics."""

from monai_sfda.data.batches import EpochBatches
from monai_sfda.data.failures import Failures, clear_drafts, count_failures, write_failures
from monai_sfda.data.folders import find_images, find_pairs, mask_names
from monai_sfda.data.hold_out import hold_out
from monai_sfda.data.prefetch import PrefetchLoader
from monai_sfda.data.pseudonyms import pseudonymise
from monai_sfda.data.readable import Readable, SameSize, readable
from monai_sfda.data.simulate import CAMERAS, Camera, simulate_fundus, write_clinic
from monai_sfda.data.tolerant import PendingBatches, TolerantLoader, spare_threads

__all__ = [
    "CAMERAS",
    "Camera",
    "EpochBatches",
    "Failures",
    "PendingBatches",
    "PrefetchLoader",
    "Readable",
    "SameSize",
    "TolerantLoader",
    "clear_drafts",
    "count_failures",
    "find_images",
    "find_pairs",
    "hold_out",
    "mask_names",
    "pseudonymise",
    "readable",
    "simulate_fundus",
    "spare_threads",
    "write_clinic",
    "write_failures",
]
