"""Simulated fundus clinics: optic-disc crops with disc and cup truth, photographed by one camera or another."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image
from tqdm import tqdm

from monai_sfda.files import whole_file
from monai_sfda.organs.fundus.simulated.anatomy import draw_eye
from monai_sfda.organs.fundus.simulated.cameras import CAMERAS, Camera, photograph
from monai_sfda.organs.fundus.simulated.paint import Window, paint_eye

__all__ = ["simulate_fundus", "write_clinic"]

SMALLEST = 48  # pixels; below it the smallest cups would be a pixel or two


def simulate_fundus(
    index: int, *, camera: Camera, size: int = 256, seed: int = 0, mean_vcdr: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Photograph eye ``index`` of the population ``seed``.

    The eye and its place within the camera's framing depend on ``seed`` and ``index`` alone: two cameras photograph the
    same eye, and cameras of equal framing share its mask. The truth is the drawn outline itself; the cup always lies
    inside the disc, and the whole disc in the crop.

    Args:
        index: which eye, from 0; its picture does not depend on how many others are made.
        camera: what photographs it, such as ``CAMERAS["source"]``.
        size: side of the crop in pixels, at least 48.
        seed: which population.
        mean_vcdr: the population's median vertical cup-to-disc ratio, in (0, 1); it scatters by about 0.13.

    Returns:
        RGB photograph (size, size, 3) uint8 and mask (size, size) uint8: 0 background, 1 disc rim, 2 cup.

    Raises:
        ValueError: if ``size`` or ``mean_vcdr`` is out of range.
    """
    if size < SMALLEST:
        raise ValueError(f"Expected a size of at least {SMALLEST} pixels, found {size}.")
    if not 0 < mean_vcdr < 1:
        raise ValueError(f"Expected mean_vcdr between 0 and 1, found {mean_vcdr}.")
    streams = np.random.SeedSequence([seed, index]).spawn(4)
    anatomy, framing, colours, exposure = (np.random.default_rng(stream) for stream in streams)
    eye = draw_eye(anatomy, mean_vcdr)
    window = frame(camera, *framing.random(3).tolist())
    scene, mask = paint_eye(eye, window, size, colours, pallor=camera.pallor, vessel_contrast=camera.vessel_contrast)
    return photograph(scene, camera, exposure), mask


def frame(camera: Camera, share: float, across: float, down: float) -> Window:
    """Where the camera puts the disc; the three numbers in [0, 1] choose within its range of size and place."""
    low, high = camera.disc_share
    x, y = (0.5 + camera.off_centre * (2 * place - 1) for place in (across, down))
    return Window(x, y, (low + (high - low) * share) / 2)


def write_clinic(
    folder: str | Path,
    *,
    camera: str,
    count: int,
    size: int = 256,
    seed: int = 0,
    mean_vcdr: float = 0.5,
    progress: bool = True,
) -> Path:
    """Write ``folder/{image,mask}/CAMERA_0000.png`` and so on, ``count`` pairs, and return the folder.

    Pairs that exist are kept, so an interrupted run goes on where it stopped and a larger ``count`` adds to the folder.
    ``clinic.json`` records what was asked for. Clinics of different cameras have different patients, also under the
    same seed: no eye of the source clinic comes back at the target's.

    Args:
        folder: made if missing.
        camera: a key of ``CAMERAS``.
        count: number of pairs.
        size, seed, mean_vcdr: see :func:`simulate_fundus`.
        progress: show a progress bar.

    Raises:
        ValueError: if the camera is unknown, or the folder holds a clinic made with other settings.
    """
    if camera not in CAMERAS:
        raise ValueError(f"Expected a camera out of {', '.join(CAMERAS)}, found {camera!r}.")
    if size < SMALLEST or count < 1:
        raise ValueError(
            f"Expected a size of at least {SMALLEST} pixels and a count of at least 1, found {size}, {count}."
        )
    folder = Path(folder)
    record_settings(folder, {"size": size, "seed": seed, "mean_vcdr": mean_vcdr, camera: asdict(CAMERAS[camera])})
    people = int(np.random.SeedSequence([seed, crc32(camera.encode())]).generate_state(1)[0])
    for index in tqdm(range(count), desc=f"{camera} clinic", unit="image", disable=not progress):
        name = f"{camera}_{index:04d}.png"
        targets = folder / "image" / name, folder / "mask" / name
        if all(target.exists() for target in targets):
            continue
        pair = simulate_fundus(index, camera=CAMERAS[camera], size=size, seed=people, mean_vcdr=mean_vcdr)
        for target, pixels in zip(targets, pair, strict=True):
            with whole_file(target) as draft:
                Image.fromarray(pixels).save(draft, format="PNG")
    return folder


def record_settings(folder: Path, settings: dict[str, object]) -> None:
    """Write ``clinic.json``, or compare with the one that is there."""
    record, text = folder / "clinic.json", json.dumps(settings, indent=1) + "\n"
    if record.exists() and record.read_text() != text:
        raise ValueError(
            f"Expected {folder} to be empty or of the same settings, found a clinic of others (see clinic.json); "
            "give another folder or delete this one."
        )
    if not record.exists():
        with whole_file(record) as draft:
            draft.write_text(text)
