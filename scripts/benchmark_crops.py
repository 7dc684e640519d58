"""Whether the disc finder harms crops: ``python3 scripts/benchmark_crops.py [LABELLED ...] [--real FOLDER ...]``.

LABELLED are folders {image,mask}/NAME.png of crops, such as ``scripts/prepare_rim_one_dl.py SOURCE OUT --split release
--full`` makes; each crop is scaled to each of ``--sizes``, looked at, and scored: how much of the labelled disc lies in
the part that the network would see. ``--real`` takes folders of photographs with boxes, as
scripts/benchmark_localise.py does; of each, crops of 1.5 to 6 disc diameters are cut with the disc anywhere in them.
``--dice`` also segments the LABELLED crops with and without the finder, by ``--weights``; a crop that is taken whole
has the same mask both ways.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
from collections.abc import Iterable, Iterator  # noqa: E402
from itertools import pairwise  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from benchmark_localise import BUNDLE, Boxed, Finder, boxed, tensor  # noqa: E402
from monai.bundle import ConfigParser  # noqa: E402
from monai.data import MetaTensor  # noqa: E402
from PIL import Image  # noqa: E402

from monai_sfda.data import find_pairs  # noqa: E402
from monai_sfda.imageio import PhotoReader  # noqa: E402
from monai_sfda.imageio.resample import resize_photo  # noqa: E402
from monai_sfda.transforms import LabelMapd  # noqa: E402

FRAMINGS = (1.5, 2.1, 2.9, 3.3, 4, 5, 6)  # disc diameters across a crop, from ... to
LARGEST = 1024  # pixels across a crop of a photograph
KEPT = 0.98  # share of the disc below which it counts as lost
CUTOFFS = (0.5, 0.75)


class Labelled(NamedTuple):
    """A picture (H, W, 3) uint8 and its class ids (H, W): 0 background, 1 disc rim, 2 cup."""

    image: np.ndarray
    ids: np.ndarray


def labelled(folder: Path, size: int) -> Iterator[Labelled]:
    """The pairs of a folder, scaled to ``size`` squared."""
    for pair in find_pairs(str(folder)):
        image = Image.fromarray(PhotoReader().decode_array(pair["image"])).resize(
            (size, size), Image.Resampling.BICUBIC
        )
        with Image.open(pair["label"]) as mask:
            ids = np.asarray(mask.resize((size, size), Image.Resampling.NEAREST))
        yield Labelled(np.asarray(image), ids)


def framed(folder: Path) -> Iterator[tuple[str, Labelled]]:
    """Crops of each photograph, one of each of ``FRAMINGS``, the disc an ellipse anywhere in it."""
    rng = np.random.default_rng(0)
    for photo in boxed(folder):
        for low, high in pairwise(FRAMINGS):
            yield f"{folder.name}, {low} to {high}", crop_of(photo, rng.uniform(low, high), rng)


def crop_of(photo: Boxed, diameters: float, rng: np.random.Generator) -> Labelled:
    """A square of so many disc diameters, within the frame."""
    image, size = photo.image, photo.box[2:]
    side = diameters * size.max()
    corner = photo.box[:2] - side / 2 + np.maximum(0, (side - 1.1 * size) / 2) * rng.uniform(-1, 1, 2)
    left, top = np.clip(corner, 0, np.maximum(0, np.array(image.shape[1::-1]) - side)).astype(int)
    crop = image[top : top + int(side), left : left + int(side)]
    rows, columns = np.mgrid[: crop.shape[0], : crop.shape[1]] + 0.5
    across, down = ((at - middle) * 2 for at, middle in zip((columns + left, rows + top), photo.box[:2], strict=True))
    disc = Image.fromarray((across / size[0]) ** 2 + (down / size[1]) ** 2 <= 1)
    small = Image.fromarray(crop)
    small.thumbnail((LARGEST, LARGEST))
    return Labelled(np.asarray(small), np.asarray(disc.resize(small.size)).astype(np.uint8))


def looked_at(finder: Finder, crop: Labelled) -> dict[str, Any]:
    """What the finder says, the share of the disc that is ``inside`` its box, and the disc's share of the ``width``."""
    place = finder(tensor(crop.image))
    left, top, right, bottom = place["box"]
    disc = crop.ids > 0
    rows, columns = (np.flatnonzero(disc.any(axis)) for axis in (1, 0))
    inside = disc[top:bottom, left:right].sum() / disc.sum()
    width = max(np.ptp(rows), np.ptp(columns)) / min(right - left, bottom - top)
    return place | {"inside": inside, "width": width}


def tally(places: list[dict[str, Any]]) -> str:
    """Numbers of pictures, and how large the disc is in what the network sees: 5th, 50th and 95th percentile."""
    inside = np.array([place["inside"] for place in places])
    counts = [
        len(places),
        sum(bool(place["cropped"]) for place in places),
        sum(place["agreed"] is False for place in places),
        sum(place["found"] is False for place in places),
        int((inside < KEPT).sum()),
    ]
    widths = np.percentile([place["width"] for place in places], [5, 50, 95])
    return " ".join(f"{n:6d}" for n in counts) + f" {inside.min():6.1%} " + " ".join(f"{w:5.2f}" for w in widths)


def parts(weights: str) -> ConfigParser:
    """The parts of a prediction, with a finder that refuses nothing."""
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "inference.json"))
    parser.update({"bundle_root": str(BUNDLE), "checkpoint": weights, "finder::required": False})
    return parser


def dice(network: torch.nn.Module, crop: Labelled, box: list[int], size: tuple[int, int]) -> list[float]:
    """Of disc and cup at each of ``CUTOFFS``, where the network sees ``box`` of the picture."""
    left, top, right, bottom = box
    seen = resize_photo(np.ascontiguousarray(crop.image[top:bottom, left:right]), size) * (2 / 255) - 1
    with torch.no_grad():
        prob = network(torch.from_numpy(seen)[None])[0].sigmoid()
    meta = {"spatial_shape": crop.ids.shape[::-1], "box": box, "original_affine": torch.eye(4)}
    item = {"pred": prob, "image": MetaTensor(torch.zeros(1), meta=meta)}
    scores = []
    for cutoff in CUTOFFS:
        ids = LabelMapd("pred", cutoff=cutoff)(item)["pred"].as_tensor()[0].T.numpy()
        for least in (1, 2):
            mine, true = ids >= least, crop.ids >= least
            scores.append(2 * (mine & true).sum() / max(1, mine.sum() + true.sum()))
    return scores


def report_dice(network: torch.nn.Module, crops: Iterable[Labelled], places: list[dict[str, Any]], size: Any) -> None:
    rows = []
    for crop, place in zip(crops, places, strict=True):
        height, width = crop.ids.shape
        without = dice(network, crop, [0, 0, width, height], size)
        rows.append([without, dice(network, crop, place["box"], size) if place["cropped"] else without])
    for name, scores in zip(("without", "with"), 100 * np.mean(rows, 0), strict=True):
        pairs = (
            f"cut-off {c}: disc {d:.1f} cup {u:.1f}" for c, d, u in zip(CUTOFFS, *scores.reshape(-1, 2).T, strict=True)
        )
        print(f"  {name:7s} " + "; ".join(pairs), flush=True)


def main(options: argparse.Namespace) -> None:
    parser = parts(options.weights)
    finder, size = parser.get_parsed_content("finder"), parser.get_parsed_content("image_size")
    network = parser.get_parsed_content("network").eval() if options.dice else None
    print(f"{'':26s} {'n':>6s} {'cut':>6s} {'differ':>6s} {'none':>6s} {'lost':>6s} {'least':>6s} disc / width seen")
    for folder in options.labelled:
        for pixels in options.sizes:
            places = [looked_at(finder, crop) for crop in labelled(folder, pixels)]
            print(f"{f'{folder.name} at {pixels}':26s} {tally(places)}", flush=True)
            if network is not None:
                report_dice(network, labelled(folder, pixels), places, size)
    for folder in options.real:
        found: dict[str, list[dict[str, Any]]] = {}
        for name, crop in framed(folder):
            found.setdefault(name, []).append(looked_at(finder, crop))
        for name, places in found.items():
            print(f"{name:26s} {tally(places)}", flush=True)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("labelled", nargs="*", type=Path)
    arguments.add_argument("--sizes", nargs="*", type=int, default=[300, 512, 1024], help="pixels across a crop")
    arguments.add_argument("--real", nargs="*", type=Path, default=[], help="folders of photographs with boxes")
    arguments.add_argument("--dice", action="store_true", help="segment the LABELLED crops, too")
    arguments.add_argument("--weights", default=str(BUNDLE / "models" / "model.pt"), help="of the segmenting network")
    main(arguments.parse_args())
