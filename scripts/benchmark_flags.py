"""How often good and damaged photographs get a flag of image quality.

python scripts/benchmark_flags.py data/simulated/target
python scripts/benchmark_flags.py data/nuclei/fluo_256 --bundle bundles/nuclei_fluorescence
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import fire
import numpy as np
import torch
from monai.bundle import ConfigParser
from PIL import Image, ImageFilter

from monai_sfda.data import find_images
from monai_sfda.imageio import PhotoReader
from monai_sfda.json_file import read_json
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.metadata import class_names
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.quality import image_quality

SIZE = 256
DAMAGES = {
    "as it is": lambda image: image,
    "blurred, sigma 4 px": lambda image: image.filter(ImageFilter.GaussianBlur(4)),
    "blurred, sigma 8 px": lambda image: image.filter(ImageFilter.GaussianBlur(8)),
    "brightness x 0.3": lambda image: image.point(lambda level: level * 0.3),
    "brightness x 0.15": lambda image: image.point(lambda level: level * 0.15),
    "brightness x 2.5": lambda image: image.point(lambda level: min(255, level * 2.5)),
    "brightness x 4": lambda image: image.point(lambda level: min(255, level * 4)),
    "60 % of it black": lambda image: half_black(image),
    "one colour": lambda image: Image.new("RGB", image.size, (120, 80, 60)),
}


def main(folder: str, *, bundle: str = "bundles/fundus_disc_cup", count: int = 100) -> None:
    """Print, for each damage, the share of images with a flag, and which flags.

    Args:
        folder: photographs that are taken to be good.
        bundle: folder of a bundle, whose findings have the limits.
        count: at most so many photographs.
    """
    configs = Path(bundle) / "configs"
    parser = ConfigParser()
    parser.read_config(str(configs / "inference.json"))
    findings = parser.get_parsed_content("findings") or NO_FINDINGS
    judge = Judge(class_names(read_json(configs / "metadata.json")), findings)
    reader = PhotoReader()
    items = find_images(folder)[:count]
    pictures = [reader.decode(Path(item["image"])).resize((SIZE, SIZE), Image.Resampling.BILINEAR) for item in items]
    print(f"{len(pictures)} photographs of {Path(folder).name}")
    for damage, inflict in DAMAGES.items():
        raised = [list(judge(numbers_of(inflict(picture)))) for picture in pictures]
        counts = Counter(flag for flags in raised for flag in flags)
        detail = ", ".join(f"{flag} {number}" for flag, number in counts.most_common())
        print(f"{damage:20} {sum(map(bool, raised)) / len(raised):6.1%}  {detail}")


def numbers_of(picture: Image.Image) -> dict:
    """Image quality of a picture as a network sees it."""
    return image_quality(torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1)


def half_black(picture: Image.Image) -> Image.Image:
    """The photograph with its left 60 % black, as where the field of view was missed."""
    pixels = np.array(picture)
    pixels[:, : round(0.6 * pixels.shape[1])] = 0
    return Image.fromarray(pixels)


if __name__ == "__main__":
    fire.Fire(main)
