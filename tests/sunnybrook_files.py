"""A small imitation of the official Sunnybrook downloads: DICOM series and contours."""

import numpy as np
from dicom_files import write_dicom

CONTOURS = "SCD_ManualContours/{}/contours-manual/IRCCI-expert/IM-0001-{:04d}-icontour-manual.txt"


def sunnybrook(folder, levels=3, contoured=((8, 1), (8, 3), (20, 1), (20, 2)), series="SCD0000101/CINESAX_300"):
    """One patient of 20 phases; ``contoured`` are phase and level (from 1), squares of 2 and, at phase 20, 4 pixels."""
    for level in range(1, levels + 1):
        for phase in (8, 20):
            number = 20 * (level - 1) + phase
            path = folder / "SCD_IMAGES_01" / series / f"IM-0003-{number:04d}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_dicom(
                path,
                np.full((8, 6), number, np.uint16),
                "MONOCHROME2",
                bits=12,
                PixelSpacing=[1.5, 1.25],
                SliceThickness=8.0,
                ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
                ImagePositionPatient=[10.0, 20.0 + 9 * level, 30.0],
            )
    for phase, level in contoured:
        side = 4 if phase == 20 else 2
        path = folder / CONTOURS.format("SC-HF-I-01", 20 * (level - 1) + phase)
        path.parent.mkdir(parents=True, exist_ok=True)
        corners = [(2, 1), (1 + side, 1), (1 + side, side), (2, side)]
        path.write_text("".join(f"{x}.50 {y}.50\n" for x, y in corners))
    (folder / "scd_patientdata.csv").write_text("PatientID,OriginalID,Gender\nSCD0000101,SC-HF-I-1,Male\n")
    return folder
