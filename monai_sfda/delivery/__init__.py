"""Turn an adaptation into an adapted bundle, its report and a verdict."""

from monai_sfda.delivery.bundle import write_bundle
from monai_sfda.delivery.case_sums import CaseChange
from monai_sfda.delivery.change import summarise_change
from monai_sfda.delivery.compare import Comparison
from monai_sfda.delivery.delivery import Delivery
from monai_sfda.delivery.limits import Limits
from monai_sfda.delivery.report import write_report
from monai_sfda.delivery.source_masks import source_masks
from monai_sfda.delivery.verdict import judge, read_verdict

__all__ = [
    "CaseChange",
    "Comparison",
    "Delivery",
    "Limits",
    "judge",
    "read_verdict",
    "source_masks",
    "summarise_change",
    "write_bundle",
    "write_report",
]
