"""Check the options of a command against the bundle's configs before any work is done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from monai_sfda.typed import TEXT

__all__ = ["as_expression", "check_names", "check_overrides", "path_of", "placed"]


def as_expression(text: str | os.PathLike) -> str:
    """Text or a path as an expression of MONAI's configs, which would take ``#``, ``$``, ``@``, ``%`` for their own."""
    return "$'" + "".join(f"\\U{ord(letter):08x}" for letter in os.fspath(text)) + "'"


def path_of(name: str) -> list[str]:
    """``["method", "settings", "passes"]`` of ``method::settings::passes``, or of the same with ``#``."""
    return name.replace("#", "::").split("::")


def placed(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides in which settings and parts of the recipe stand by their place in it.

    ``passes`` becomes ``method::settings::passes`` if the recipe has that setting and the config has no such name.
    """
    method = config.get("method", {})
    places = {name: f"method::{group}::{name}" for group in ("parts", "settings") for name in method.get(group, {})}
    given = {}
    for name, value in overrides.items():
        first, *inner = path_of(name)
        own = first not in config and first in places
        given["::".join([places[first], *inner]) if own else name] = value
    return given


def check_names(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Refuse options whose names are not in the configs.

    Args:
        config: values by name.
        overrides: as for `check_overrides`.

    Raises:
        ValueError: if a name is unknown.
    """
    for name in overrides:
        if path_of(name)[0] not in config:
            raise ValueError(_unknown(name, config))


def check_overrides(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> None:
    """Refuse wrong values that MONAI would silently accept or fail on later.

    Args:
        config: values by name, as the bundle has them.
        overrides: name, or path of names joined by ``::``, -> value that replaces it; text that begins with ``$``,
            ``@`` or ``%`` is an expression, and is not looked at.

    Raises:
        ValueError: if a name is unknown, a number is of another kind than the bundle's, or there is no such device.
    """
    check_names(config, overrides)
    for name, value in overrides.items():
        first, *inner = path_of(name)
        _require_parts(name, config[first], inner)
        value = os.fspath(value) if isinstance(value, Path) else value
        if f"--{name}" in TEXT and not isinstance(value, str):
            raise ValueError(f"Expected a name after --{name}, found {value!r}; give it, or leave the option out.")
        if isinstance(value, str) and value.startswith(("$", "@", "%")):
            continue
        default = _default(config, name)
        plain = isinstance(default, Mapping) and "_target_" not in default
        if plain and not (isinstance(value, Mapping) and (value or not default)):
            raise ValueError(f"Expected named values for --{name}, such as {default}, found {value!r}.")
        if not _fits(value, default):
            raise ValueError(f"Expected {_kind(default)} for --{name}, such as {default}, found {value!r}.")
        if name == "device":
            _require_device(value)


def _default(config: Mapping[str, Any], name: str) -> Any:
    """What an override replaces, looked up where one value only refers to another."""
    value = config.get(name)
    if name.startswith("method::settings::"):
        value = config["method"]["settings"].get(name.split("::")[2])
    if isinstance(value, str) and value.startswith("@method::settings::"):
        return config["method"]["settings"].get(value.split("::")[2])
    return value


def _unknown(name: str, config: Mapping[str, Any]) -> str:
    settings = config.get("method", {}).get("settings", {})
    values = {key: _default(config, key) for key in config if key[0] not in "_+" and "::" not in key} | settings
    names, plain = list(values), [key for key, value in values.items() if _kind(value)]
    near = get_close_matches(name, names, n=1)
    remedy = f"did you mean --{near[0]}?" if near else "leave it out."
    return f"Expected a name that the configs have ({', '.join(plain)}, ...), found --{name}; {remedy}"


def _require_parts(name: str, value: Any, keys: Sequence[str]) -> None:
    """Every part that a name passes through must be there; what it ends on may be new, as a further argument is."""
    for depth, key in enumerate(keys, 1):
        if isinstance(value, Mapping) and depth == len(keys):
            return
        numbered = enumerate(value) if isinstance(value, list) else ()
        parts = dict(value) if isinstance(value, Mapping) else {str(number): part for number, part in numbered}
        if key not in parts:
            found = ", ".join(parts) or "no parts"
            raise ValueError(
                f"Expected {key} among the parts of the config in --{name}, found {found}; choose one of these."
            )
        value = parts[key]


def _fits(value: Any, default: Any) -> bool:
    if isinstance(default, list) and _kind(default):
        return isinstance(value, list | tuple) and len(value) == len(default) and all(map(_fits, value, default))
    if isinstance(default, bool) or isinstance(value, bool):
        return type(value) is type(default) or not _kind(default)
    if isinstance(default, int):
        return isinstance(value, int) and value >= min(default, 1)
    return not isinstance(default, float) or isinstance(value, int | float)


def _kind(default: Any) -> str:
    """In words, what a plain number or list of numbers of a config may be replaced by; else nothing."""
    if isinstance(default, list) and default and all(isinstance(item, int) for item in default):
        return f"{len(default)} whole numbers of at least {min(*default, 1)}"
    if isinstance(default, bool):
        return "True or False"
    if isinstance(default, int):
        return f"a whole number of at least {min(default, 1)}"
    return "a number" if isinstance(default, float) else ""


def _require_device(device: Any) -> None:
    import torch  # slow, and only this needs it

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, TypeError) as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"Expected a device of this machine, such as cpu, found {device!r} ({reason}).") from error
