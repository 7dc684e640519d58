"""What a person types after a command, held against what is there, before any work is done."""

from __future__ import annotations

import json
import os
from ast import literal_eval
from collections.abc import Callable, Sequence
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from monai_sfda.json_file import read_json
from monai_sfda.overrides import as_expression
from monai_sfda.places import refuse_inside
from monai_sfda.recipe_list import default_recipe, recipe_names, uses_source
from monai_sfda.typed import positional

__all__ = [
    "bundle_folder",
    "chosen_recipe",
    "listed_files",
    "measured_results",
    "one_network",
    "refuse_shared",
    "refuse_surplus",
    "refuse_taken",
    "size_of_images",
    "source_users",
    "structure_names",
    "with_places",
    "writable_folder",
]

PLACES = ("bundle_root", "failures_file", "output_dir", "results_dir", "skip_done", "source_dir")
"""Values of the configs that follow from the arguments of a command."""


def with_places(overrides: dict[str, Any], **places: str | Path) -> dict[str, Any]:
    """Overrides, and where the command reads and writes."""
    twice = sorted(set(overrides) & {*PLACES, *places})
    if twice:
        raise ValueError(f"Expected places as arguments and --output, found --{twice[0]}; leave it out, see --help.")
    empty = sorted(key for key in ("device", "views") if key in overrides and overrides[key] is None)
    if empty:
        raise ValueError(f"Expected a value for --{empty[0]}, found None; leave it out to use the bundle's own.")
    named = {key: value for key, value in overrides.items() if value and isinstance(value, str)}
    files = {key: Path(value) for key, value in named.items() if os.path.exists(value)}
    return {**overrides, **files, **{key: as_expression(value) for key, value in places.items()}}


def listed_files(matrix: str) -> list[str]:
    """Files of a list as a person types it: ``"['a.json','b.json']"``."""
    try:
        return [str(file) for file in literal_eval(matrix)]
    except (ValueError, SyntaxError, TypeError):
        raise ValueError(f"Expected files such as \"['pairs.json','methods.json']\", found {matrix}.") from None


def bundle_folder(bundle: str) -> Path:
    """The folder of a bundle, if it is one."""
    root = Path(str(bundle))
    if not (root / "configs" / "inference.json").is_file():
        raise FileNotFoundError(
            f"Expected a MONAI bundle (a folder with configs/inference.json) at {bundle}, found none; "
            "give the folder of a bundle such as bundles/fundus_disc_cup."
        )
    return root


def one_network(bundle: str) -> Path:
    """The folder of a bundle whose network can learn, which several that were joined cannot."""
    root = bundle_folder(bundle)
    definition = read_json(root / "configs" / "inference.json").get("network_def", {})
    if isinstance(definition, dict) and str(definition.get("_target_", "")).endswith(".Joined"):
        raise ValueError(
            f"Expected a bundle of one network to adapt or train, found several in {bundle}, which monai-sfda choose "
            "joined; use the bundle that they were adapted from."
        )
    return root


def measured_results(path: Path) -> list[dict[str, Any]]:
    """What ``monai-sfda benchmark`` has measured, from its results.json."""
    if not path.is_file():
        raise FileNotFoundError(
            f"Expected the output of monai-sfda benchmark at {path.parent}, found no {path.name}; give its --output."
        )
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"Expected results of a benchmark in {path}, found a damaged file ({error}).") from None


def chosen_recipe(root: Path, name: str | None) -> str:
    """A recipe of the bundle, its default where none is named."""
    known = recipe_names(root)
    name = default_recipe(root) if name is None else name
    if name not in known:
        raise ValueError(f"Expected --method to be one of {', '.join(known) or 'none in this bundle'}, found {name}.")
    return name


def structure_names(structures: Any) -> list[str]:
    """Of ``a,b``, ``"['a','b']"``, ``[a,b]``, or of a list of names."""
    if isinstance(structures, str):
        structures = structures.strip("[()]")
    if structures is True:  # Fire gives True to an option without a value
        return []
    parts = structures.split(",") if isinstance(structures, str) else structures
    return [str(part).strip(" '\"") for part in parts if part != ""]


def source_users(root: Path, methods: Sequence[str], source: object) -> list[str]:
    """Those of the methods that learn from labelled source images too, if these are given exactly where needed.

    Args:
        root: folder of the bundle.
        methods: names of recipes.
        source: what was typed after ``--source``; None if nothing was.

    Raises:
        ValueError: if a method needs the source and there is none, or there is one and no method uses it.
    """
    users = [method for method in methods if uses_source(root, method)]
    if users and source in (None, True):  # Fire gives True to an option without a value
        raise ValueError(
            f"Expected --source LABELLED with {users[0]}, which learns from labelled source images too, found none; "
            "give the folder with image and mask that the network was trained on, or choose another method."
        )
    if source is not None and not users:
        raise ValueError(
            f"Expected no --source with {', '.join(methods)}, which learns from the unlabelled images alone, found "
            f"{source}; leave it out."
        )
    return users


def size_of_images(image_size: Any, like: Sequence[int]) -> list[int]:
    """As many positive whole numbers as ``like`` has, which is taken if there are none."""
    if image_size is None:
        return list(like)
    numbers = list(image_size) if isinstance(image_size, list | tuple) else [image_size]
    if len(numbers) != len(like) or not all(type(number) is int and number > 0 for number in numbers):
        axes = "height and width" if len(like) == 2 else "slices, rows and columns"
        example = str(list(like)).replace(" ", "")
        raise ValueError(f"Expected --image_size as {axes}, such as {example}, found {image_size}.")
    return numbers


def refuse_taken(folder: Path) -> None:
    """A new bundle needs a folder of its own."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise FileExistsError(
            f"Expected a new or empty folder for the bundle, found {folder} with something in it; choose another name."
        )


def writable_folder(output: Any, *, outside: object = None, option: str = "--output") -> Path:
    """The folder to write to, made if missing."""
    if not output or output is True:  # Fire gives True to an option without a value
        raise FileNotFoundError(f"Expected a folder to write to, found no name; give {option} FOLDER.")
    folder = Path(str(output))
    if outside:
        refuse_inside(str(outside), folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermissionError(f"Expected an output folder at {output}, could not make it ({error.strerror}).") from None
    if not os.access(folder, os.W_OK):
        raise PermissionError(
            f"Expected a folder to write to at {output}, found it read-only; choose another {option}."
        )
    return folder


def refuse_shared(table: str, images: str, folder: Path) -> None:
    """The table of pseudonyms must not be in a folder that is passed on."""
    place = Path(table).resolve()
    for name, other in (("IMAGES", images), ("OUTPUT", folder)):
        if place.is_relative_to(Path(str(other)).resolve()):
            raise ValueError(
                f"Expected --pseudonym_table outside of {name}, found {table}: whoever is given that folder could read "
                "the names; choose another place."
            )


def refuse_surplus(words: Sequence[str], command: Callable[..., None]) -> None:
    """Before any work is done: Fire calls the command first and complains afterwards."""
    parameters = signature(command).parameters
    kinds = [parameter.kind for parameter in parameters.values()]
    options = [word[2:].partition("=")[0] for word in words if word.startswith("--")]
    unknown = [] if Parameter.VAR_KEYWORD in kinds else sorted(set(options) - set(parameters))
    if unknown:
        known = ", ".join(f"--{name}" for name, part in parameters.items() if part.kind == Parameter.KEYWORD_ONLY)
        raise ValueError(f"Expected the options {known} after {command.__name__}, found --{unknown[0]}; leave it out.")
    expected = kinds.count(Parameter.POSITIONAL_OR_KEYWORD)
    surplus = positional(words)[expected:]
    if surplus:
        raise ValueError(
            f"Expected {expected} name(s) after {command.__name__}, found also {surplus[0]!r}; put a name with spaces "
            "in quotes."
        )
