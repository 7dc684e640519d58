"""Write simulated fundus clinics, or draw a contact sheet of what the cameras see.

python scripts/simulate_clinics.py data/simulated --count 200
python scripts/simulate_clinics.py --contact-sheet sheet.png --beside /data/real
"""

from __future__ import annotations

from pathlib import Path

import fire
import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from monai_sfda.console import one_sentence
from monai_sfda.data import find_pairs
from monai_sfda.organs.fundus.simulated import CAMERAS, simulate_fundus, write_clinic

COLUMNS = 8
DISC, CUP = (80, 255, 120), (90, 200, 255)


def main(
    folder: str | None = None,
    *,
    cameras: tuple[str, ...] = ("source", "target"),
    count: int = 200,
    size: int = 256,
    seed: int = 0,
    mean_vcdr: float = 0.5,
    contact_sheet: str | None = None,
    beside: str | None = None,
) -> None:
    """Write one clinic per camera, a contact sheet, or both.

    Args:
        folder: where the clinics go, each in a folder named as its camera; may hold those of an earlier run.
        cameras: names, separated by commas.
        count: images per clinic.
        size: side of the images in pixels.
        seed: which population of eyes.
        mean_vcdr: its median vertical cup-to-disc ratio.
        contact_sheet: PNG file to draw; per camera a row of photographs, and the same with disc and cup outlined.
        beside: labelled folder ({image,mask}/NAME) whose pictures go at the bottom of the sheet.
    """
    if folder is None and contact_sheet is None:
        raise SystemExit("Expected a folder to write clinics to or --contact-sheet OUT.png, found neither.")
    names = [cameras] if isinstance(cameras, str) else list(cameras)
    if folder is not None:
        for name in names:
            write_clinic(Path(folder) / name, camera=name, count=count, size=size, seed=seed, mean_vcdr=mean_vcdr)
        print(f"Clinics of {count} images: {', '.join(str(Path(folder) / name) for name in names)}")
    if contact_sheet is not None:
        rows = [
            [simulate_fundus(i, camera=CAMERAS[n], size=size, seed=seed, mean_vcdr=mean_vcdr) for i in range(COLUMNS)]
            for n in names
        ]
        if beside is not None:
            rows.append(read_pairs(beside, size))
            names.append(Path(beside).name)
        draw_sheet(rows, names).save(contact_sheet)
        print(f"Contact sheet: {contact_sheet}")


def read_pairs(folder: str, size: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """A few pairs spread over a labelled folder, resized to ``size``."""
    pairs = find_pairs(folder)
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, min(COLUMNS, len(pairs))).astype(int)]
    return [
        (
            np.asarray(Image.open(pair["image"]).convert("RGB").resize((size, size))),
            np.asarray(Image.open(pair["label"]).resize((size, size), Image.Resampling.NEAREST)),
        )
        for pair in chosen
    ]


def draw_sheet(rows: list[list[tuple[np.ndarray, np.ndarray]]], names: list[str]) -> Image.Image:
    """Two lines per row of pairs: the pictures, and the pictures with outlines."""
    size = rows[0][0][0].shape[0]
    sheet = Image.new("RGB", (COLUMNS * size, 2 * len(rows) * size))
    for line, (row, name) in enumerate(zip(rows, names, strict=True)):
        for column, (image, mask) in enumerate(row):
            sheet.paste(Image.fromarray(image), (column * size, 2 * line * size))
            sheet.paste(Image.fromarray(outlined(image, mask)), (column * size, (2 * line + 1) * size))
        ImageDraw.Draw(sheet).text((4, 2 * line * size + 2), name, fill="white")
    return sheet


def outlined(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with the edges of disc and cup drawn on it."""
    image = image.copy()
    for structure, colour in ((mask > 0, DISC), (mask > 1, CUP)):
        image[structure & ~binary_erosion(structure)] = colour
    return image


if __name__ == "__main__":
    with one_sentence():
        fire.Fire(main)
