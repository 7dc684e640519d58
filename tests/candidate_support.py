"""A run of several methods whose masks are drawn, so that no network has to run."""

import json
import shutil
from pathlib import Path

import numpy as np
from bundle_support import ROOT, write_images
from PIL import Image

from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.cheap import at_cutoffs, middle_networks, mixed_networks
from monai_sfda.candidates.run import find_candidates, find_source, record_source
from monai_sfda.candidates.structures import read_structures
from monai_sfda.tables import read_csv, write_csv

NUCLEI, FUNDUS = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "bundles" / "fundus_disc_cup"


def copy_bundle(source: Path, target: Path, weights: bytes) -> Path:
    """Configs of a bundle, and a file in place of its weights."""
    shutil.copytree(source / "configs", target / "configs")
    (target / "models").mkdir()
    (target / "models" / "model.pt").write_bytes(weights)
    return target


def shifted(ids: np.ndarray, disc: int, cup: int = 0) -> np.ndarray:
    """A label map in which each structure has moved to the right by so many pixels."""
    outer, inner = np.roll(ids > 0, disc, axis=1), np.roll(ids > 1, cup, axis=1)
    return (outer | inner).astype(np.uint8) + inner


def draw_masks(run: Path, network: Candidate, truth: dict[str, np.ndarray], shifts) -> None:
    """What a prediction leaves behind; each image has a few pixels more of shift than the one before."""
    folder = run / "choice" / "masks" / network.name
    further = [f"at {one.cutoff:g}" for one in at_cutoffs(network, read_structures(network.bundle))]
    for place in ("masks", *further):
        (folder / place).mkdir(parents=True)
        for number, (case, ids) in enumerate(truth.items()):
            extra = number % 3
            Image.fromarray(shifted(ids, *(shift + extra for shift in shifts))).save(folder / place / case)
    write_csv(folder / "results.csv", ["file", "mask"], [{"file": case, "mask": case} for case in truth])
    (folder / "made_of.json").write_text(json.dumps(network.made_of()))
    (folder / "report.html").touch()


def make_run(
    folder: Path,
    shifts: dict[str, tuple[int, ...]],
    *,
    bundle: Path = NUCLEI,
    count: int = 12,
    middle: dict[str, tuple[int, ...]] | None = None,
) -> Path:
    """``folder/run`` of candidates, and of the source, whose structures have moved: the less the better.

    At other cut-offs, and mixed with the source, they have the same masks.

    Args:
        folder: also receives ``data`` (labelled images) and ``bundle`` (the source).
        shifts: name, ``source`` among them -> pixels for each structure.
        bundle: whose configs are used.
        count: number of images.
        middle: name -> pixels, of those that kept the weights of epoch 5.
    """
    data = write_images(folder / "data", count, classes=len(shifts[SOURCE]))
    truth = {path.name: np.asarray(Image.open(path)) for path in sorted((data / "mask").iterdir())}
    source, run = copy_bundle(bundle, folder / "bundle", b"source"), folder / "run"
    record_source(run, bundle=source, images=data / "image", overrides={})
    for name in set(shifts) - {SOURCE}:
        home = run / "candidates" / name
        copy_bundle(bundle, home / "bundle", name.encode())
        metadata = home / "bundle" / "configs" / "metadata.json"
        metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"adaptation": {"method": name}}))
        (home / "report.json").write_text("{}")
    networks, middle = [find_source(run), *find_candidates(run)[0]], middle or {}
    for name in middle:
        (run / "candidates" / name / "epochs").mkdir()
        (run / "candidates" / name / "epochs" / "5.pt").write_bytes(f"{name} epoch 5".encode())
    for network in networks:
        draw_masks(run, network, truth, shifts[network.name])
    for network in middle_networks(networks[1:], read_structures(source)):
        draw_masks(run, network, truth, middle[network.name.removesuffix(" epoch 5")])
    for network in mixed_networks(networks[0], networks[1:]):
        draw_masks(run, network, truth, shifts[network.mixed.adapted.name])
    return run


def outline(run: Path, count: int, folder: Path) -> Path:
    """The true masks of the first images of the order, under the names of the copies."""
    folder.mkdir(exist_ok=True)
    for row in read_csv(run / "outline" / "order.csv")[:count]:
        shutil.copy(run.parent / "data" / "mask" / row["case"], folder / row["image"])
    return folder
