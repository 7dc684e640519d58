"""Folders as datalists, the order of the images, and simulated clinics."""

from monai_sfda.data.batches import EpochBatches
from monai_sfda.data.folders import find_images, find_pairs, mask_names
from monai_sfda.data.prefetch import PrefetchLoader
from monai_sfda.data.readable import Readable, count_failures, readable, write_failures
from monai_sfda.data.simulate import CAMERAS, Camera, simulate_fundus, write_clinic

__all__ = [
    "CAMERAS",
    "Camera",
    "EpochBatches",
    "PrefetchLoader",
    "Readable",
    "count_failures",
    "find_images",
    "find_pairs",
    "mask_names",
    "readable",
    "simulate_fundus",
    "write_clinic",
    "write_failures",
]
