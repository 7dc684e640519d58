"""Prepare the words after ``monai-sfda`` for Fire, which would otherwise guess their types."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from inspect import signature
from itertools import pairwise
from pathlib import Path
from typing import Any

__all__ = ["TEXT", "as_typed", "expanded", "positional", "switches", "with_switches"]

TEXT = (
    *("--methods", "--budget", "--outlines", "--run", "--source"),
    *("--output", "--method", "--checkpoint", "--bundle", "--images", "--dataset", "--results"),
    *("--pseudonym_salt", "--pseudonym_table", "--ckpt_dir", "--structures"),
)
TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
SECRET = "pseudonym_salt"  # never a path, whatever it looks like


def as_typed(words: Sequence[str]) -> list[str]:
    """Put arguments and places in quotes, for Fire reads a folder called 2024_01 or a,b as a number or a tuple."""
    quoted = list(words[:1])  # the command
    for before, word in pairwise(words):
        option, _, value = word.partition("=")
        if option in TEXT and value:
            quoted.append(f"{option}={value!r}")
        elif _is_argument(before, word) or (before in TEXT and not word.startswith("-")):
            quoted.append(repr(word))
        else:
            quoted.append(word)
    return quoted


def positional(words: Sequence[str]) -> list[str]:
    """Those words after a command that are neither an option nor the value of one."""
    return [word for before, word in pairwise(["", *words]) if _is_argument(before, word)]


def with_switches(words: Sequence[str], names: Collection[str]) -> list[str]:
    """Give every switch its value, so that it does not take the next word; hyphens in options become underscores.

    ``--overlays BUNDLE`` becomes ``--overlays=True BUNDLE``; ``--overlays false``, ``--overlays=no``, ``--nooverlays``
    and ``--no-overlays`` become ``--overlays=False``.

    Args:
        words: as typed.
        names: those of the switches, see `switches`.

    Raises:
        ValueError: if a switch is given another value.
    """
    plain, waiting = [], deque(words)
    while waiting:
        word = waiting.popleft()
        option, equals, value = word.partition("=")
        name = option[2:].replace("-", "_") if option.startswith("--") else ""
        if name.replace("#", "::") in names:
            if not equals:
                value = waiting.popleft() if waiting and waiting[0].lower() in ("true", "false") else "True"
            word = f"--{name}={_truth(option, value)}"
        elif name.startswith("no") and (bare := name[2:].removeprefix("_")).replace("#", "::") in names and not equals:
            word = f"--{bare}=False"
        elif name:
            word = f"--{name}{equals}{value}"
        plain.append(word)
    return plain


def switches(command: Callable[..., Any], words: Sequence[str]) -> set[str]:
    """Options of a command that are true or false: its own, and the values of the bundle that the words name."""
    own = {name for name, part in signature(command).parameters.items() if isinstance(part.default, bool)}
    kinds: dict[str, set[type]] = {}
    for word in words:
        configs = os.path.join(os.path.expanduser(word.partition("=")[2] or word), "configs")
        for path in Path(configs).rglob("*.json") if os.path.isdir(configs) else ():
            for name, kind in _kinds(_content(path)):
                kinds.setdefault(name, set()).add(kind)
    return own | {name for name, found in kinds.items() if found == {bool}}


def expanded(value: Any) -> Any:
    """Put the home folder in place of ``~`` in every path of a value and of its parts; a salt stays as it is."""
    if isinstance(value, str | Path):
        return type(value)(os.path.expanduser(value))
    if isinstance(value, list | tuple):
        return type(value)(map(expanded, value))
    if isinstance(value, Mapping):
        return {key: part if key == SECRET else expanded(part) for key, part in value.items()}
    return value


def _truth(option: str, value: str) -> bool:
    if value.lower() not in TRUE + FALSE:
        raise ValueError(f"Expected true or false after {option}, found {value}; give one of them.")
    return value.lower() in TRUE


def _is_argument(before: str, word: str) -> bool:
    """Whether a word is neither an option nor the value of the option before it."""
    return not word.startswith("-") and ("=" in before or not before.startswith("-"))


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None  # whoever runs it says so


def _kinds(content: Any, prefix: str = "") -> Iterator[tuple[str, type]]:
    """Every plain value of a config by its path of names, and its type."""
    parts = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for name, part in parts:
        if isinstance(part, dict | list):
            yield from _kinds(part, f"{prefix}{name}::")
        else:
            yield f"{prefix}{name}", type(part)
