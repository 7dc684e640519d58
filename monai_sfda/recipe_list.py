"""Which recipes a bundle has, and which of them a person means."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

from monai_sfda.json_file import read_json

__all__ = [
    "COSTS",
    "cheap_first",
    "default_recipe",
    "recipe_cost",
    "recipe_names",
    "same_network_recipes",
    "uses_source",
]

COSTS = Path(__file__).with_name("recipe_costs.json")
"""What ``scripts/relative_costs.py`` measured."""

FAST = ("bn_stats", "tent")
"""Those that take one pass over the images; ``fast`` means them and the default."""


def recipe_names(bundle: Path) -> list[str]:
    """All recipes in ``configs/methods``, sorted."""
    return sorted(path.stem for path in (bundle / "configs" / "methods").glob("*.json"))


def default_recipe(bundle: Path) -> str:
    """The recipe that ``adapt.json`` runs by itself."""
    return read_json(bundle / "configs" / "adapt.json")["method"]["name"]


def uses_source(bundle: Path, name: str) -> bool:
    """Whether a recipe learns from labelled source images too."""
    return bool(_method(bundle, name).get("uses_source"))


def same_network_recipes(bundle: Path, *, source: bool = False) -> list[str]:
    """Recipes whose weights fit the bundle's own network, the default first; with ``source`` those that use it, too."""
    default = default_recipe(bundle)
    others = (name for name in recipe_names(bundle) if name != default and "redefine" not in _method(bundle, name))
    return [default, *(name for name in others if source or not uses_source(bundle, name))]


def cheap_first(bundle: Path, wanted: Any, *, source: bool = False) -> list[str]:
    """The recipes that ``--methods`` names, the quick ones first.

    Args:
        bundle: folder of the bundle.
        wanted: names with commas between them; ``fast`` stands for `FAST` and the default, ``all`` for all that keep
            the network.
        source: whether there are labelled source images, so that ``all`` has the recipes that use them.

    Raises:
        ValueError: if a name is unknown, or there is none.
    """
    known = recipe_names(bundle)
    groups = {"fast": [*FAST, default_recipe(bundle)], "all": same_network_recipes(bundle, source=source)}
    words = [word.strip() for word in wanted.split(",")] if isinstance(wanted, str) else [str(wanted)]
    unknown = [word for word in words if word not in (*known, *groups)]
    if unknown:
        raise ValueError(
            f"Expected --methods to be fast, all or names with commas between them ({', '.join(known)}), found "
            f"{unknown[0] or 'an empty name'}."
        )
    names = dict.fromkeys(name for word in words for name in groups.get(word, [word]) if name in known)
    return sorted(names, key=lambda name: recipe_cost(bundle, name))


def recipe_cost(bundle: Path, name: str, *, epochs: int | None = None, done: int = 0) -> float:
    """What an adaptation takes, in passes of the network over all images; a recipe of your own counts as a typical one.

    Args:
        bundle: folder of the bundle.
        name: of the recipe.
        epochs: of the adaptation; None: those of the recipe.
        done: epochs that it has behind it.
    """
    known = read_json(COSTS)
    cost = known.get(name) or {part: median(each[part] for each in known.values()) for part in ("once", "epoch")}
    epochs = _method(bundle, name)["settings"]["epochs"] if epochs is None else epochs
    return cost["once"] + cost["epoch"] * max(epochs - done, 0)


def _method(bundle: Path, name: str) -> dict[str, Any]:
    return read_json(bundle / "configs" / "methods" / f"{name}.json")["method"]
