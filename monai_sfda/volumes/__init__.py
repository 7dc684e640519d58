"""Volumes of voxels: read from files, laid on the grid of a network, and back."""

from monai_sfda.volumes.find import find_volume_pairs, find_volumes
from monai_sfda.volumes.grid import Grid
from monai_sfda.volumes.labelled import ReadVolumePair
from monai_sfda.volumes.largest_piece import LargestPieced
from monai_sfda.volumes.on_voxels import OnVoxelsd, VolumeLabelMapd
from monai_sfda.volumes.parts import ListedParts, VolumeParts
from monai_sfda.volumes.read import read_volume
from monai_sfda.volumes.reader import VolumeReader
from monai_sfda.volumes.save import SaveVolumeMaskd, label_map_like
from monai_sfda.volumes.transforms import ReadVolumed
from monai_sfda.volumes.volume import Volume

__all__ = [
    "Grid",
    "LargestPieced",
    "ListedParts",
    "OnVoxelsd",
    "ReadVolumePair",
    "ReadVolumed",
    "SaveVolumeMaskd",
    "Volume",
    "VolumeLabelMapd",
    "VolumeParts",
    "VolumeReader",
    "find_volume_pairs",
    "find_volumes",
    "label_map_like",
    "read_volume",
]
