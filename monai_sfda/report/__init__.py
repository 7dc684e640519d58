"""What reports share: pictures, curves and the page around them."""

from monai_sfda.report.curves import history_curves, save_curves
from monai_sfda.report.pictures import (
    CasePicture,
    before_after,
    contact_sheet,
    outline_overlay,
    outline_strip,
    to_data_uri,
)

__all__ = [
    "CasePicture",
    "before_after",
    "contact_sheet",
    "history_curves",
    "outline_overlay",
    "outline_strip",
    "save_curves",
    "to_data_uri",
]
