"""How well discs are found in full photographs: ``python3 scripts/benchmark_localise.py [CROPS ...] [--real FOLDER]``.

The photographs are simulated, other eyes than those the network was trained on, under cameras it has not seen; the
pictures without a disc are simulated and, for pictures of everyday things and one real fundus photograph, those that
come with scikit-image. CROPS are folders of pictures that should be taken for crops already. ``--real`` takes folders
of real photographs with boxes: NAME.jpg and NAME.txt, whose line ``0 x y width height`` is the box of the disc, its
centre and size as shares of the photograph's. CODRAS (https://github.com/chrisvoncsefalvay/codras) holds such boxes of
514 photographs of IDRiD (CC BY 4.0) and of the 89 of DIARETDB1; https://github.com/ardhigagan/Optic-Disc-Detection,
ellipses of 520 of ORIGA, of which the upright rectangles around them are the boxes. ``--classical`` measures a search
without a network on the same photographs.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterable, Iterator, Sequence  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numpy as np  # noqa: E402
import skimage.data  # noqa: E402
import torch  # noqa: E402
from classical_disc import classical_disc  # noqa: E402
from monai.bundle import ConfigParser  # noqa: E402
from PIL import Image  # noqa: E402
from torch import Tensor  # noqa: E402

from monai_sfda.networks.load import load_network  # noqa: E402
from monai_sfda.organs.fundus import DiscFinder  # noqa: E402
from monai_sfda.organs.fundus.simulated.cameras import CAMERAS, Camera  # noqa: E402
from monai_sfda.organs.fundus.simulated.clinic import simulate_fundus  # noqa: E402
from monai_sfda.organs.fundus.simulated.full_photograph import FullPhotograph, simulate_full  # noqa: E402
from monai_sfda.organs.fundus.simulated.not_fundus import NOT_FUNDUS, simulate_not_fundus  # noqa: E402

Finder = Callable[[Tensor], dict[str, Any]]
BUNDLE = environment.ROOT / "bundles" / "fundus_disc_cup"
SEED = 1_000  # the locator was trained on eyes of seed 0
PLAIN = CAMERAS["source"]
STRONG = {
    "dim": replace(PLAIN, gain=(0.35, 0.3, 0.25), gamma=1.6, noise=6.0, exposure_spread=0.25),
    "overexposed": replace(PLAIN, gain=(1.9, 1.9, 1.7), exposure_spread=0.2),
    "cataract": replace(PLAIN, haze=(0.35, 0.6), blur=(4.0, 8.0), saturation=0.8),
    "red-free": replace(PLAIN, gain=(0.6, 1.5, 1.2), saturation=0.0, vessel_contrast=1.3),
    "false colour": replace(PLAIN, gain=(0.5, 1.5, 0.6), saturation=1.3),
    "uneven": replace(PLAIN, gradient=0.9, vignette=0.9, haze=(0.0, 0.2)),
    "compressed": replace(PLAIN, jpeg=(8, 15), noise=12.0, blur=(2.0, 4.0)),
}
EVERYDAY = ("astronaut", "coffee", "chelsea", "rocket", "page", "coins", "moon", "camera", "hubble_deep_field", "text")


def tensor(image: np.ndarray) -> Tensor:
    """RGB (3, H, W) uint8 of a grey or colour picture."""
    image = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image[..., :3]
    return torch.as_tensor(np.ascontiguousarray(image.transpose(2, 0, 1))).byte()


def hits(locate: Finder, photographs: Iterable[FullPhotograph]) -> str:
    """Shares of photographs: found; centre within half a radius; whole disc in the cut. Errors of the diameter."""
    rows = []
    for photo in photographs:
        place = locate(tensor(photo.image))
        left, top, right, bottom = place["box"]
        disc = photo.mask > 0
        rows.append(row(place, photo.centre, photo.diameter, disc[top:bottom, left:right].sum() == disc.sum()))
    return shares(rows)


def row(place: dict[str, Any], centre: Sequence[float], diameter: float, inside: bool) -> tuple[float, ...]:
    """Whether the disc is found, hit and wholly in the cut, if it is ``inside`` the box; error of the diameter."""
    distance = float(np.hypot(*np.subtract(place["centre"], centre))) / diameter
    hit = place["found"] and distance < 0.25
    return place["found"], hit, place["diameter"] / diameter - 1, place["cropped"] and inside


def shares(rows: list[tuple[float, ...]]) -> str:
    found, hit, error, whole = np.array(rows, float).T
    bias = f"{np.median(error[hit > 0]):+7.1%} {np.median(np.abs(error[hit > 0])):6.1%}" if hit.any() else " " * 14
    return f"{found.mean():7.1%} {hit.mean():7.1%} {bias} {whole.mean():7.1%} {len(rows):5d}"


class Boxed(NamedTuple):
    """A real photograph, of whose disc the box is known."""

    image: np.ndarray
    box: np.ndarray
    """x and y of its centre, width and height, in pixels."""


def boxed(folder: Path) -> Iterator[Boxed]:
    for file in images(folder):
        text = file.with_suffix(".txt").read_text() if file.with_suffix(".txt").exists() else ""
        boxes = [line.split() for line in text.splitlines() if line.startswith("0 ")]
        if boxes:
            image = np.asarray(Image.open(file).convert("RGB"))
            height, width = image.shape[:2]
            yield Boxed(image, np.array(boxes[0][1:], float) * [width, height, width, height])


def real_hits(locate: Finder, photographs: Iterable[Boxed]) -> dict[tuple[int, int], str]:
    """As `hits`, by the size (W, H) of photographs, as each camera has its own; a diameter is a box's mean side."""
    rows: dict[tuple[int, int], list[tuple[float, ...]]] = {}
    for image, (x, y, width, height) in photographs:
        place = locate(tensor(image))
        left, top, right, bottom = place["box"]
        inside = left <= x - width / 2 and x + width / 2 <= right and top <= y - height / 2 and y + height / 2 <= bottom
        mine = rows.setdefault((image.shape[1], image.shape[0]), [])
        mine.append(row(place, (x, y), (width + height) / 2, inside))
    return {size: shares(mine) for size, mine in sorted(rows.items())}


def accepted(locate: Finder, pictures: Iterable[np.ndarray]) -> str:
    """How many pictures without a disc count as showing one."""
    found = [locate(tensor(picture))["found"] for picture in pictures]
    return f"{sum(found):3d} of {len(found)}"


def kept(locate: Finder, pictures: Iterable[np.ndarray]) -> str:
    """How many crops count as crops."""
    places = [locate(tensor(picture)) for picture in pictures]
    whole = sum(place["found"] and not place["cropped"] for place in places)
    return f"{whole:4d} of {len(places)} (no disc: {sum(not p['found'] for p in places)})"


def milliseconds(locate: Finder, height: int) -> float:
    """Median time of one photograph."""
    picture = tensor(simulate_full(0, camera=PLAIN, height=480, seed=SEED).image)
    picture = torch.nn.functional.interpolate(picture[None].float(), scale_factor=height / 480)[0].byte()
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        locate(picture)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds[2:])) * 1e3


def bundled() -> Finder:
    """With the weights of the bundle; every picture is looked at, and none refused."""
    parser = ConfigParser()
    parser.read_config(str(BUNDLE / "configs" / "inference.json"))
    network = load_network(parser.get_parsed_content("locator_def"), BUNDLE / "models" / "locator" / "model.pt")
    return DiscFinder(network.eval(), required=False)


def eyes(camera: Camera, count: int, disc: bool = True) -> Iterable[FullPhotograph]:
    return (simulate_full(index, camera=camera, height=320, seed=SEED, disc=disc) for index in range(count))


def report_hits(locate: Finder, count: int, real: list[Path]) -> None:
    print(f"{'camera':14s} {'found':>7s} {'hit':>7s} {'bias':>7s} {'error':>6s} {'whole':>7s} {'n':>5s}")
    for name, camera in (CAMERAS | STRONG).items():
        print(f"{name:14s} {hits(locate, eyes(camera, count))}", flush=True)
    for folder in real:
        print(f"\nreal photographs in {folder.name}")
        for size, line in real_hits(locate, boxed(folder)).items():
            print(f"{size[0]} x {size[1]:6d} {line}", flush=True)


def report_refusals(locate: Finder, count: int, folders: list[Path]) -> None:
    print("\nwithout a disc, yet found")
    for name, camera in (CAMERAS | STRONG).items():
        print(f"{name:14s} {accepted(locate, (photo.image for photo in eyes(camera, count, disc=False)))}", flush=True)
    for kind in NOT_FUNDUS:
        pictures = (simulate_not_fundus(index, kind=kind, seed=SEED) for index in range(20))
        print(f"{kind:14s} {accepted(locate, pictures)}", flush=True)
    print(f"{'everyday':14s} {accepted(locate, (getattr(skimage.data, name)() for name in EVERYDAY))}")
    print("\ncrops, taken as they are")
    for name, camera in CAMERAS.items():
        crops = (simulate_fundus(index, camera=camera, seed=SEED)[0] for index in range(count))
        print(f"{name:14s} {kept(locate, crops)}", flush=True)
    for folder in folders:
        pictures = (np.asarray(Image.open(file).convert("RGB")) for file in images(folder))
        print(f"{folder.parent.name + '/' + folder.name:14s} {kept(locate, pictures)}", flush=True)
    retina = locate(tensor(skimage.data.retina()))  # the disc is at about (226, 649), 200 wide
    print(f"\nthe real photograph of scikit-image: {retina}")
    print(
        "milliseconds a photograph: " + ", ".join(f"{milliseconds(locate, h):.1f} at height {h}" for h in (480, 1920))
    )


def images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("crops", nargs="*", type=Path)
    arguments.add_argument("--count", type=int, default=60, help="photographs per camera")
    arguments.add_argument("--real", nargs="*", type=Path, default=[], help="folders of photographs with boxes")
    arguments.add_argument("--classical", action="store_true", help="search without a network, hits alone")
    options = arguments.parse_args()
    report_hits(classical_disc if options.classical else bundled(), options.count, options.real)
    if not options.classical:
        report_refusals(bundled(), options.count, options.crops)
