"""Ejection fraction from the scores of heart volumes: ``python scripts/ejection_fraction.py IMAGES CASES.csv ...``.

IMAGES holds the volumes, named PATIENT_FRAME.nii.gz; CASES.csv is written by ``monai-sfda evaluate`` or a benchmark.
Prints for each table the mean absolute error of the ejection fraction (%) and of the end-diastolic volume (ml) over
patients; the largest volume of a patient counts as end diastole, the smallest as end systole.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from statistics import fmean

from monai_sfda.tables import read_csv
from monai_sfda.volumes import read_volume


def errors(images: Path, cases: Path, structure: str) -> tuple[float, float, int]:
    """Mean absolute error of ejection fraction and end-diastolic volume, and the number of patients."""
    volumes: dict[str, list[list[float]]] = defaultdict(lambda: [[], []])
    for row in read_csv(cases, ["case", f"{structure}_pred_area", f"{structure}_reference_area"]):
        ml = read_volume(str(images / row["case"])).zooms.prod() / 1000
        for column, side in zip(("pred", "reference"), volumes[row["case"].split("_")[0]], strict=True):
            side.append(float(row[f"{structure}_{column}_area"]) * ml)
    pairs = [sides for sides in volumes.values() if len(sides[0]) > 1 and max(sides[0]) and max(sides[1])]
    fraction = fmean(abs(_ejected(found) - _ejected(truth)) for found, truth in pairs)
    diastole = fmean(abs(max(found) - max(truth)) for found, truth in pairs)
    return fraction, diastole, len(pairs)


def _ejected(volumes: list[float]) -> float:
    return 100 * (max(volumes) - min(volumes)) / max(volumes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--structure", default="cavity")
    options = parser.parse_args()
    for cases in options.cases:
        fraction, diastole, patients = errors(options.images, cases, options.structure)
        print(f"{cases}: ejection fraction {fraction:.1f} %, end diastole {diastole:.1f} ml, {patients} patients")


if __name__ == "__main__":
    main()
