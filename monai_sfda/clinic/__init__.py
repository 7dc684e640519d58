"""From a folder of images to things a clinic can use."""

from monai_sfda.clinic.change import summarise_change
from monai_sfda.clinic.compare import CaseChange, Comparison
from monai_sfda.clinic.delivery import Delivery, write_bundle
from monai_sfda.clinic.describe import DescribeCased
from monai_sfda.clinic.formats import check_formats
from monai_sfda.clinic.limits import Limits
from monai_sfda.clinic.measure import write_results
from monai_sfda.clinic.metadata import class_names, model_name, same_classes
from monai_sfda.clinic.pictures import CasePicture, before_after, contact_sheet, outline_overlay, to_data_uri
from monai_sfda.clinic.report import write_report
from monai_sfda.clinic.same_run import refuse_other_masks
from monai_sfda.clinic.source_masks import source_masks
from monai_sfda.clinic.verdict import judge, read_verdict

__all__ = [
    "CaseChange",
    "CasePicture",
    "Comparison",
    "Delivery",
    "DescribeCased",
    "Limits",
    "before_after",
    "check_formats",
    "class_names",
    "contact_sheet",
    "judge",
    "model_name",
    "outline_overlay",
    "read_verdict",
    "refuse_other_masks",
    "same_classes",
    "source_masks",
    "summarise_change",
    "to_data_uri",
    "write_bundle",
    "write_report",
    "write_results",
]
