"""Labelled pictures as another instrument might take them: ``python3 scripts/simulate_shift.py LABELLED OUT``.

Structures become larger, the picture darker, softer and noisier. The truth is known, so that methods can be compared
without a label of any target: this is how the default method of a bundle is chosen (docs/results.md).
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from scipy.ndimage import gaussian_filter  # noqa: E402

from monai_sfda.console import one_sentence  # noqa: E402
from monai_sfda.data import find_pairs  # noqa: E402
from monai_sfda.imageio import MaskReader, PhotoReader  # noqa: E402


def enlarge(picture: Image.Image, zoom: float, how: Image.Resampling) -> np.ndarray:
    """The middle of a picture, at its full size."""
    width, height = picture.size
    left, top = width * (1 - 1 / zoom) / 2, height * (1 - 1 / zoom) / 2
    return np.asarray(picture.resize(picture.size, how, box=(left, top, width - left, height - top)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labelled", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=64, help="images, evenly from the folder")
    parser.add_argument("--zoom", type=float, default=1.4)
    parser.add_argument("--gain", type=float, default=0.5, help="factor on grey levels")
    parser.add_argument("--blur", type=float, default=1.0, help="deviation in pixels")
    parser.add_argument("--noise", type=float, default=3.0, help="deviation in grey levels of 255")
    options = parser.parse_args()
    pairs = find_pairs(options.labelled)
    chosen = sorted({round(i) for i in np.linspace(0, len(pairs) - 1, min(options.count, len(pairs)))})
    generator = np.random.default_rng(0)
    for name in ("image", "mask"):
        (options.out / name).mkdir(parents=True, exist_ok=True)
    for number in chosen:
        pair = pairs[number]
        image = enlarge(PhotoReader().decode(Path(pair["image"])), options.zoom, Image.Resampling.BICUBIC)
        mask = enlarge(MaskReader().decode(Path(pair["label"])), options.zoom, Image.Resampling.NEAREST)
        softer = gaussian_filter(image.astype(float) * options.gain, (options.blur, options.blur, 0))
        noise = generator.normal(0, options.noise, image.shape[:2])[..., None]
        name = f"{number:04d}.png"
        Image.fromarray((softer + noise).clip(0, 255).astype(np.uint8)).save(options.out / "image" / name)
        Image.fromarray(mask).save(options.out / "mask" / name)
    print(f"{len(chosen)} images in {options.out}")


if __name__ == "__main__":
    with one_sentence():
        main()
