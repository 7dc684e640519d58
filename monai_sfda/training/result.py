"""Write the results of a training beside its weights, and print a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from monai_sfda.functional import channel_names
from monai_sfda.passport import read_passport
from monai_sfda.report import save_curves
from monai_sfda.tables import read_csv
from monai_sfda.training.class_ratios import class_ratios, write_ratios

__all__ = ["channel_ids", "keep_curves", "keep_ratios", "result_table"]


def keep_curves(folder: Path, parser: ConfigParser) -> None:
    """Write ``training.png`` beside the training.csv that train.json left in ``folder``."""
    save_curves(
        folder / "training.png", read_csv(folder / "training.csv"), list(parser.get_parsed_content("structures"))
    )


def keep_ratios(folder: Path, parser: ConfigParser, *, bundle: Path, data: str) -> None:
    """Write ``source_ratios.json`` beside the weights in ``folder``.

    Args:
        folder: of the weights.
        parser: of train.json, as it was run.
        bundle: folder of the bundle.
        data: what the images are, which the file of ratios keeps.
    """
    channels, pairs = channel_ids(parser), parser.get_parsed_content("pairs")
    found = class_ratios(pairs, channels, bundle)
    write_ratios(folder / "source_ratios.json", data=data, channels=channels, **found._asdict())


def channel_ids(parser: ConfigParser) -> dict[str, list[int]]:
    """Name of each channel -> the ids of a mask that belong to it, as a train.json says; 0 is the background."""
    structures, ids, head = (parser.get_parsed_content(name) for name in ("structures", "mask_ids", "head"))
    of_each = dict(zip(structures, ids, strict=True))
    return {name: of_each.get(name, [0]) for name in channel_names(structures, head)}


def result_table(weights: Path) -> str:
    """Held-out Dice and cut-off of each structure, from the passport of ``weights``."""
    facts = read_passport(weights)
    dice: Mapping[str, Any] = facts["dice_by_cutoff"]
    width = max(map(len, dice))
    lines = [f"{'':{width}}  Dice %  at cut-off   ({facts['images']} images that were held out)"]
    for name, cutoff in facts["cutoff"].items():
        value = dice[name][f"{cutoff:g}"]
        score = "-" if value != value else f"{100 * value:.1f}"
        lines.append(f"{name:{width}}  {score:>6}  {cutoff:10.2f}")
    return "\n".join(lines)
