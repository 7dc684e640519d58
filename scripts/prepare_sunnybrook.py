"""Sunnybrook: ``python3 scripts/prepare_sunnybrook.py SOURCE OUT [--spacing MM]``.

SOURCE holds the unpacked archives of cardiacatlas.org (SCD_IMAGES_01 to 05, SCD_ManualContours, scd_patientdata.csv) or
those of the challenge of 2009, or a clone of github.com/mshunshin/SegNetCMR, which has the contoured slices as PNG. OUT
receives image and mask with two volumes per patient, such as SC-HF-I-01_phase08.nii.gz, and index.csv, which says which
is end diastole. Class 1 is the cavity of the left ventricle. More in docs/data.md.
"""

import environment

environment.enter("dev")

from collections.abc import Sequence  # noqa: E402
from functools import partial  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.datasets.command import volume_command_line  # noqa: E402
from monai_sfda.datasets.labelled_volumes import prepare_volumes  # noqa: E402
from monai_sfda.datasets.sunnybrook_dicom import find_dicom, load_dicom  # noqa: E402
from monai_sfda.datasets.sunnybrook_png import SPACING, find_png, load_png  # noqa: E402

PATIENTS = 45


def main(arguments: Sequence[str] | None = None, patients: int = PATIENTS) -> None:
    """Prepare the dataset; ``patients`` are those of the complete release."""
    parser = volume_command_line(__doc__)
    parser.add_argument("--spacing", type=float, help=f"mm of a pixel of the PNG, which do not say it ({SPACING:.4f})")
    options = parser.parse_args(arguments)
    png = next(options.source.rglob("*.dcm.png"), None) is not None
    if options.spacing is not None and not png:
        raise ValueError("Expected --spacing for PNG only, found DICOM, which states it; leave the option out.")
    if options.spacing is not None and options.spacing <= 0:
        raise ValueError(f"Expected --spacing above 0 mm, found {options.spacing:g}; correct it.")
    spacing = options.spacing or SPACING
    found = find_png(options.source, spacing) if png else find_dicom(options.source)
    load = partial(load_png, spacing=spacing) if png else load_dicom
    cases = [case for case, _ in found.values()]
    complete = len(cases) // 2
    if complete != patients:
        raise ValueError(
            f"Expected {patients} patients, found {complete}; complete the download, or give the folder that holds it "
            "and nothing else."
        )
    settings = {"dataset": "Sunnybrook", "form": "PNG" if png else "DICOM", "spacing": spacing if png else "DICOM"}
    print(prepare_volumes(cases, lambda case: load(found[case.name][1]), out=options.out, settings=settings))


if __name__ == "__main__":
    with one_sentence():
        main()
