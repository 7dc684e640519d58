"""What `monai-sfda methods` lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from monai_sfda.json_file import read_json
from monai_sfda.recipe_list import default_recipe, recipe_names

__all__ = ["described_recipes"]


def described_recipes(bundle: Path, measured: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """Name and lines of each recipe of a bundle: summary, citation, and what it gained.

    Args:
        bundle: folder of the bundle.
        measured: rows of a benchmark's results.json.
    """
    from monai.bundle import ConfigParser

    default = default_recipe(bundle)
    for name in recipe_names(bundle):
        parser = ConfigParser()
        files = [bundle / "configs" / "adapt.json", bundle / "configs" / "methods" / f"{name}.json"]
        for file in files:
            read_json(file)
        parser.read_config([str(file) for file in files])
        method = parser.get("method")
        rebuilt = "reconstruction" in method and parser.get_parsed_content("method::reconstruction")
        source = "; learns from labelled source images too: --source LABELLED" if method.get("uses_source") else ""
        yield (
            name,
            [
                method["summary"] + (" (the default)" if method["name"] == default else ""),
                method["citation"] + ("; here a reconstruction" if rebuilt else "") + source,
                *(_gain(row, row["change"]) for row in measured if row["method"] == name and _is_known(row["change"])),
            ],
        )


def _is_known(change: Mapping[str, Any] | None) -> bool:
    return change is not None and change.get("difference") is not None


def _gain(row: Mapping[str, Any], change: Mapping[str, float]) -> str:
    gain, dice = 100 * change["difference"], fmean(row["dice"])
    return f"{row['pair']}, {row['structure']}: Dice {dice:.1f} %, {gain:+.1f} against the source"
