"""What the reports of a prediction and of an adaptation share: pictures and the page around them."""

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
    "outline_overlay",
    "outline_strip",
    "to_data_uri",
]
