"""Ejection fraction from the scores of heart volumes: ``python scripts/ejection_fraction.py IMAGES CASES.csv ...``.

IMAGES holds the volumes, named as patient001_frame01.nii.gz; CASES.csv is written by ``monai-sfda evaluate`` or a
benchmark. Prints for each table the mean absolute error of the ejection fraction (%) and of the end-diastolic volume
(ml) over the patients who have both numbers, see `monai_sfda.organs.heart.function`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from monai_sfda.organs.heart.function import FRAMES, function_rows
from monai_sfda.tables import read_csv
from monai_sfda.volumes import read_volume

FRACTION, DIASTOLE = "ejection_fraction_percent", "end_diastolic_volume_ml"


def errors(images: Path, cases: Path, structure: str) -> tuple[float, float, int]:
    """Mean absolute error of ejection fraction and end-diastolic volume, and the number of patients."""
    columns = [f"{structure}_pred_area", f"{structure}_reference_area"]
    rows = read_csv(cases, ["case", *columns])
    ml = [read_volume(str(images / row["case"])).zooms.prod() / 1000 for row in rows]
    studies = (_studies(rows, column, ml) for column in columns)
    pairs = [pair for pair in zip(*studies, strict=True) if None not in (study[FRACTION] for study in pair)]
    fraction, diastole = (fmean(abs(one[key] - other[key]) for one, other in pairs) for key in (FRACTION, DIASTOLE))
    return fraction, diastole, len(pairs)


def _studies(rows: Sequence[Mapping[str, str]], column: str, ml: Sequence[float]) -> list[dict[str, Any]]:
    """Of voxels in a column, and the ml of a voxel of each row."""
    volumes = [
        {"file": row["case"], "status": "ok", "ml": float(row[column]) * size}
        for row, size in zip(rows, ml, strict=True)
    ]
    return function_rows(volumes, "ml", re.compile(FRAMES))


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
