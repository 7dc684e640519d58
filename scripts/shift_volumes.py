"""Labelled volumes as another scanner might take them, simulated: ``python scripts/shift_volumes.py LABELLED OUT``.

The transforms are MONAI's. The truth is known, so that methods can be compared without a label of a real target; what
comes out is a simulation, and says little about any real scanner.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    AdjustContrast,
    KSpaceSpikeNoise,
    RandBiasField,
    RandGaussianNoise,
    ScaleIntensity,
    Spacing,
)

from monai_sfda.console import one_sentence
from monai_sfda.volumes import find_volume_pairs

Image = Callable[[MetaTensor, float, np.random.RandomState], torch.Tensor]


def bias(image: MetaTensor, severity: float, draws: np.random.RandomState) -> torch.Tensor:
    """A smooth field from the coils, which makes one side brighter."""
    return RandBiasField(prob=1, coeff_range=(-0.5 * severity, 0.5 * severity)).set_random_state(state=draws)(image)


def ghosting(image: MetaTensor, severity: float, draws: np.random.RandomState) -> torch.Tensor:
    """Stripes through the whole volume, from a spike in k-space."""
    near = [int(draws.randint(side // 2 - side // 5, side // 2 + side // 5)) for side in image.shape[1:]]
    strongest = float(torch.fft.fftn(image.as_tensor()).abs().max().log())
    return KSpaceSpikeNoise([(0, *near)], k_intensity=[strongest - 3 + 2 * severity])(image)


def noise(image: MetaTensor, severity: float, draws: np.random.RandomState) -> torch.Tensor:
    """Gaussian noise of up to 15 % of the range of grey levels."""
    add = RandGaussianNoise(prob=1, std=0.15 * severity, sample_std=False)
    return add.set_random_state(state=draws)(image)


def contrast(image: MetaTensor, severity: float, draws: np.random.RandomState) -> torch.Tensor:
    """Dark tissue becomes brighter, as in another weighting."""
    return AdjustContrast(1 / (1 + 2 * severity))(image)


KINDS: dict[str, Image] = {"bias": bias, "ghosting": ghosting, "contrast": contrast, "noise": noise}


def coarser(volume: MetaTensor, severity: float, mode: str) -> MetaTensor:
    """Slices along the last axis that are up to three times as thick."""
    zooms = np.array(nibabel.affines.voxel_sizes(volume.affine.numpy()))
    return Spacing(zooms * [1, 1, 1 + 2 * severity], mode=mode)(volume)


def read(path: str) -> MetaTensor:
    file = nibabel.load(path)
    return MetaTensor(
        torch.from_numpy(np.asarray(file.dataobj, np.float32))[None], affine=torch.from_numpy(file.affine)
    )


def save(path: Path, volume: MetaTensor, dtype: type) -> None:
    nibabel.save(nibabel.Nifti1Image(volume[0].numpy().astype(dtype), volume.affine.numpy()), path)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the volumes; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labelled", type=Path, help="{image,mask}/NAME.nii.gz")
    parser.add_argument("out", type=Path)
    parser.add_argument("--kind", nargs="+", choices=[*KINDS, "spacing"], default=[*KINDS, "spacing"])
    parser.add_argument("--severity", type=float, default=0.5, help="from 0, unchanged, to 1")
    parser.add_argument("--count", type=int, default=1000, help="volumes at most, evenly from the folder")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not 0 <= options.severity <= 1:
        parser.error(f"Expected a severity from 0 to 1, found {options.severity}.")
    pairs = find_volume_pairs(options.labelled)
    chosen = sorted({round(i) for i in np.linspace(0, len(pairs) - 1, min(options.count, len(pairs)))})
    for name in ("image", "mask"):
        (options.out / name).mkdir(parents=True, exist_ok=True)
    for number in chosen:
        draws = np.random.RandomState(options.seed + number)
        image, label = read(pairs[number]["image"]), read(pairs[number]["label"])
        image = ScaleIntensity(0, 1)(image)
        for kind in (kind for kind in KINDS if kind in options.kind):
            image = ScaleIntensity(0, 1)(KINDS[kind](image, options.severity, draws))
        if "spacing" in options.kind:
            image, label = coarser(image, options.severity, "bilinear"), coarser(label, options.severity, "nearest")
        name = pairs[number]["output"]
        save(options.out / "image" / name, 1000 * image, np.int16)
        save(options.out / "mask" / name, label, np.uint8)
    print(
        f"{len(chosen)} volumes in {options.out}: simulated {', '.join(options.kind)} of severity {options.severity:g}"
    )


if __name__ == "__main__":
    with one_sentence():
        main()
