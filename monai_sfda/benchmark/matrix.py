"""What a benchmark compares, read from one small file or from several whose values replace each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from monai_sfda.json_file import read_json

__all__ = ["Matrix", "Method", "Pair", "file_name", "read_matrix"]


KINDS = {"pairs": dict, "methods": list, "seeds": list}


class Pair(NamedTuple):
    """A source network and the labelled images that it is adapted to and scored on."""

    name: str
    bundle: Path
    target: Path
    """Labelled folder ``{image,mask}/NAME.png``; adaptation is given ``image`` alone."""
    source: Path | None = None
    """Labelled folder to train the source network, class ratios and denoiser on; None: those of the bundle. It is given
    to methods that learn from labelled source images too."""
    checkpoint: Path | None = None
    """Source network to use; None: train one on ``source``, or take the bundle's."""
    train: Mapping[str, Any] = {}
    """Overrides of train.json."""
    adapt: Mapping[str, Any] = {}
    """Overrides of adapt.json, the same for all methods."""
    evaluate: Mapping[str, Any] = {}
    """Overrides of evaluate.json."""


class Method(NamedTuple):
    """A recipe, overlays on it and settings; a plain name is a recipe with its own settings."""

    name: str
    configs: Sequence[str]
    """Names under ``configs/methods``, without ending."""
    settings: Mapping[str, Any] = {}


class Matrix(NamedTuple):
    pairs: Sequence[Pair]
    methods: Sequence[Method]
    seeds: Sequence[int] = (0, 1, 2)
    oracle: bool = False
    """Whether to add the best of up to five epochs, picked with the target's labels."""
    bound: bool = False
    """Whether to add a network trained on the target's labels."""


def read_matrix(files: Sequence[str | Path]) -> Matrix:
    """Read a matrix; values of later files replace those of earlier ones, a pair's places are relative to the file.

    Raises:
        FileNotFoundError: if a file, a bundle or a folder is missing.
        ValueError: if a name is unknown, or pairs or methods are missing.
    """
    merged: dict[str, Any] = {}
    for file in files:
        values = read_json(file)
        _refuse_unknown(values, Matrix._fields, f"in {file}")
        for name, kind in KINDS.items():
            if not isinstance(values.get(name, kind()), kind):
                what = {dict: "an object", list: "a list"}[kind]
                raise ValueError(f'Expected "{name}" in {file} to be {what}, found {values[name]!r}; write {what}.')
        if "pairs" in values:
            values["pairs"] = [_pair(name, entry, Path(file).parent) for name, entry in values["pairs"].items()]
        if "methods" in values:
            values["methods"] = [_method(entry) for entry in values["methods"]]
        merged |= values
    for name in ("pairs", "methods"):
        if not merged.get(name):
            raise ValueError(f'Expected "{name}" in {", ".join(map(str, files))}, found none; name at least one.')
    matrix = Matrix(**merged)
    for what, names in (("methods", matrix.methods), ("pairs", matrix.pairs)):
        folders = [file_name(item.name) for item in names]  # type: ignore[attr-defined]
        if len(set(folders)) < len(folders):
            raise ValueError(f"Expected {what} of different names, found {', '.join(sorted(folders))}; rename one.")
    if len(set(matrix.seeds)) < len(matrix.seeds) or not all(type(seed) is int for seed in matrix.seeds):
        raise ValueError(f'Expected "seeds" to be different whole numbers, found {list(matrix.seeds)}; give each once.')
    for method in matrix.methods:
        _refuse_absent(method, matrix.pairs)
    return matrix


def file_name(name: str) -> str:
    """The folder of a pair or of a method."""
    return "".join(letter if letter.isalnum() or letter in "-.=" else "_" for letter in name).lstrip(".") or "_"


def _refuse_absent(method: Method, pairs: Sequence[Pair]) -> None:
    """A recipe may be missing in one bundle of several, whose row then says so."""
    folders = [pair.bundle / "configs" / "methods" for pair in pairs]
    for name in method.configs:
        if not any((folder / f"{name}.json").is_file() for folder in folders):
            known = sorted({path.stem for folder in folders for path in folder.glob("*.json")})
            raise ValueError(f"Expected a method out of {', '.join(known)}, found {name!r}; correct the name.")


def _pair(name: str, entry: Mapping[str, Any], place: Path) -> Pair:
    _require_names(entry, f"of pair {name}")
    for key in ("train", "adapt", "evaluate"):
        _require_names(entry.get(key, {}), f"for {key} of pair {name}")
    _refuse_unknown(entry, Pair._fields[1:], f"of pair {name}")
    missing = {"bundle", "target"} - set(entry)
    if missing:
        raise ValueError(f'Expected "{missing.pop()}" of pair {name}, found none; add it.')
    folders = ("bundle", "target", "source", "checkpoint")
    paths = {key: (place / Path(entry[key]).expanduser()).absolute() for key in folders if entry.get(key)}
    for key, path in paths.items():
        if not path.exists():
            raise FileNotFoundError(f"Expected the {key} of pair {name} at {path}, found nothing; correct the path.")
    return Pair(name, **{**entry, **paths})


def _method(entry: str | Mapping[str, Any]) -> Method:
    if isinstance(entry, str):
        return Method(entry, [entry])
    _require_names(entry, "of a method")
    _require_names(entry.get("settings", {}), "for settings of a method")
    _refuse_unknown(entry, Method._fields, "of a method")
    if not {"name", "configs"} <= set(entry):
        raise ValueError(f'Expected a method with "name" and "configs", found {dict(entry)}.')
    return Method(**entry)


def _require_names(entry: Any, where: str) -> None:
    if not isinstance(entry, Mapping):
        raise ValueError(f"Expected named values {where}, found {entry!r}; write an object.")


def _refuse_unknown(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    unknown = sorted(set(values) - set(known) - {"_desc_"})
    if unknown:
        raise ValueError(f"Expected {', '.join(known)} {where}, found {unknown[0]!r}; correct the name.")
    if isinstance(values, dict):
        values.pop("_desc_", None)
