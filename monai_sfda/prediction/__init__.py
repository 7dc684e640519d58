"""Turn a folder of images into label maps, a table and a report."""

from monai_sfda.prediction.describe import DescribeCased
from monai_sfda.prediction.describe_volume import DescribeVolumed
from monai_sfda.prediction.formats import check_formats
from monai_sfda.prediction.gather import write_results
from monai_sfda.prediction.metadata import class_names, model_name, same_classes

__all__ = [
    "DescribeCased",
    "DescribeVolumed",
    "check_formats",
    "class_names",
    "model_name",
    "same_classes",
    "write_results",
]
