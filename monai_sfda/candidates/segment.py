"""The masks of a network at several cut-offs: made in one pass, by the bundle's own configs, and kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_sfda.candidates.build import build
from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.run import find_images_folder
from monai_sfda.candidates.structures import Structures
from monai_sfda.json_file import read_json, write_json
from monai_sfda.mask_file import SUFFIXES
from monai_sfda.passport import channel_cutoffs
from monai_sfda.tables import read_csv
from monai_sfda.workflow import run_configs

__all__ = ["kept_masks", "mask_name", "segment"]

MADE_OF = "made_of.json"
PART = "network.part"
"""In ``run/choice``, a network that is mixed for a while."""

Masks = dict[str, Path]
"""case -> its mask; images that could not be read have none."""


def segment(
    network: Candidate,
    further: Sequence[Candidate],
    run: Path,
    structures: Structures,
    made_of: Mapping[str, Any],
    **options: Any,
) -> list[Masks]:
    """Segment every image of a run as ``monai-sfda predict`` does; a mask that is there is not made again.

    Args:
        network: at its own cut-offs; masks that another one made under its name are deleted.
        further: the same network at others.
        run: receives what a prediction writes, in ``choice/masks/NAME``.
        structures: of the bundle.
        made_of: what `Candidate.made_of` says of the network.
        options: how to read and compute, such as ``frames`` and ``device``.

    Returns:
        The masks of the network and of each of ``further``.
    """
    folder = _folder(network, run)
    if not _holds(folder, made_of):
        shutil.rmtree(folder, ignore_errors=True)
        write_json(folder / MADE_OF, made_of, indent=None)
    _unmake_incomplete(folder, further)
    places = {"dataset_dir": find_images_folder(run), "results_dir": folder}
    cutoffs = {_place(one): _channels(one, structures) for one in further}
    bundle, own = network.bundle, network.options
    if network.mixed is not None:
        bundle, own = run / "choice" / PART, {}
        shutil.rmtree(bundle, ignore_errors=True)
        build(bundle, dict.fromkeys(structures.names, network), structures)
    overlay = Path(__file__).with_name("cutoffs_of_volumes.json" if structures.volumes else "cutoffs.json")
    configs = ["inference.json", "predict.json", str(overlay)]
    run_configs(bundle, configs, further=cutoffs, **own, **options, **places)
    if network.mixed is not None:
        shutil.rmtree(bundle)  # it is made again if it is chosen
    return _masks(folder, further)


def kept_masks(network: Candidate, further: Sequence[Candidate], run: Path, made_of: Mapping[str, Any]) -> list[Masks]:
    """What `segment` gave before; empty unless it was finished with this network and all masks are still there."""
    folder = _folder(network, run)
    masks = _masks(folder, further) if _holds(folder, made_of) else []
    return masks if all(path.is_file() for each in masks for path in each.values()) else []


def mask_name(network: Candidate, run: Path, mask: Path) -> str:
    """The relative path of a mask that `segment` made with a network at its own cut-offs."""
    return mask.relative_to(_folder(network, run) / "masks").as_posix()


def _channels(one: Candidate, structures: Structures) -> Any:
    first = int(structures.head == "softmax")  # channel 0 is the background
    places = {name: first + place for place, name in enumerate(structures.names)}
    return channel_cutoffs(one.cutoffs(structures.names, structures.head), places)


def _folder(network: Candidate, run: Path) -> Path:
    return run / "choice" / "masks" / network.name


def _place(one: Candidate) -> str:
    return f"at {one.cutoff:g}"


def _holds(folder: Path, made_of: Mapping[str, Any]) -> bool:
    try:
        return read_json(folder / MADE_OF) == made_of
    except (OSError, ValueError):
        return False


def _unmake_incomplete(folder: Path, further: Sequence[Candidate]) -> None:
    """A mask counts as done, so one that was saved before its fellows at further cut-offs has to go."""
    for mask in (folder / "masks").rglob("*"):
        name = mask.relative_to(folder / "masks")
        if mask.name.endswith(SUFFIXES) and not all((folder / _place(one) / name).is_file() for one in further):
            mask.unlink()


def _masks(folder: Path, further: Sequence[Candidate]) -> list[Masks]:
    """Those of a finished prediction, which writes ``report.html`` last."""
    if not all((folder / name).is_file() for name in ("report.html", "results.csv")):
        return []
    rows = read_csv(folder / "results.csv", ["file", "mask"])
    names = {row["file"]: row["mask"] for row in rows if row["mask"]}
    folders = [folder / "masks", *(folder / _place(one) for one in further)]
    return [{case: each / name for case, name in names.items()} for each in folders]
