"""Measurements with the labelled images that a source network was trained on, stored beside its weights."""

from monai_sfda.training.class_ratios import class_ratios, labelled_pairs, write_ratios
from monai_sfda.training.result import channel_ids, keep_curves, keep_ratios, result_table
from monai_sfda.training.sizes import write_sizes

__all__ = [
    "channel_ids",
    "class_ratios",
    "keep_curves",
    "keep_ratios",
    "labelled_pairs",
    "result_table",
    "write_ratios",
    "write_sizes",
]
