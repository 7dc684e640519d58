"""Write the configs of a bundle from those that all bundles share and from what its task is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.files import whole_file
from monai_sfda.json_file import read_json

__all__ = ["CONFIGS", "TASK", "filled", "layout", "write_configs"]

CONFIGS = Path(__file__).with_name("configs")
VOLUMES = Path(__file__).with_name("volumes")
TASK = "task.json"
WIDTH = 120
STEP = 4
USUAL = {
    "class_names": "${number: name for number, name in enumerate(@structures, 1)}",
    "mask_ids": "$[[number] for number in range(1, 1 + len(@structures))]",
    "balanced": "$list(@structures)",
    "nested": [],
    "limits": {},
}
"""What a task that does not say it has: structures that exclude each other, numbered from 1 in masks."""

VALUE = re.compile(r'"%task::(\w+)"|"%(default_method)"|"%recipe::(\w+)"')
ADDED = re.compile(r'\{"_task_": "(\w+)"(?:, )?(.*)\}(,?)')


def write_configs(folder: Path, task: Mapping[str, Any]) -> None:
    """Write ``configs/`` of a bundle: each file is complete for MONAI, and none has to be edited by hand.

    Args:
        folder: the bundle's ``configs``; metadata.json and other files of the bundle's own in it stay.
        task: ``structures``, ``head``, ``network_def`` and so on, as in ``task.json`` of a bundle.

    Raises:
        ValueError: if the task names no default method that there is.
    """
    for source in sorted(path for path in CONFIGS.rglob("*") if path.is_file()):
        target = folder / source.relative_to(CONFIGS)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".json":
            with whole_file(target) as draft:
                draft.write_text(whole(source.relative_to(CONFIGS), task), encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    with whole_file(folder / TASK) as draft:
        draft.write_text(layout(dict(task)) + "\n", encoding="utf-8")


def filled(text: str, task: Mapping[str, Any]) -> str:
    """A shared config with the values of a task.

    ``"%task::NAME"`` becomes that value, null if the task has none. A line ``{"_task_": "NAME", ...}`` becomes the
    value with the other entries added; as an item of a list it disappears if the task has none. ``"%default_method"``
    becomes the dictionary ``method`` of the task's default recipe, ``"%recipe::NAME"`` that of another. (MONAI would
    look for such files from the folder in which a command is given, so they are put in here.)
    """
    task = USUAL | dict(task)
    lines = []
    for line in text.splitlines():
        if match := ADDED.search(line):
            value = task.get(match[1])
            if value is None and not line[: match.start()].strip():
                continue
            more = json.loads("{" + match[2] + "}")
            written = layout(None if value is None else value | more, *_place(line, match)) + match[3]
            line = line[: match.start()] + written + line[match.end() :]
        elif match := VALUE.search(line):
            value = task.get(match[1]) if match[1] else _recipe(match[3] or task.get("default_method"))
            line = line[: match.start()] + layout(value, *_place(line, match)) + line[match.end() :]
        lines.append(line)
    return "\n".join(lines) + "\n"


def whole(name: Path, task: Mapping[str, Any]) -> str:
    """A config of the bundle of a task; one with ``"_over_": "NAME"`` lies over the config of that name."""
    text = filled((CONFIGS / name).read_text(encoding="utf-8"), task)
    entries = json.loads(text)
    if under := entries.pop("_over_", None):
        text = replaced(whole(Path(under), task), json.dumps(entries))
    volumes = VOLUMES / name
    if "volumes" in task and volumes.is_file():
        text = replaced(text, filled(volumes.read_text(encoding="utf-8"), task))
    return text


def replaced(text: str, entries: str) -> str:
    """A config with other entries, such as those that volumes have in place of pictures.

    ``NAME`` is put in place of that entry or after all others, ``outer::inner`` reaches inside, and ``+NAME`` is added
    to a list at its end (``++imports`` to the list that an overlay calls ``+imports``).
    """
    config = json.loads(text)
    for name, value in json.loads(entries).items():
        *outer, inner = name.removeprefix("+").split("::")
        inside = config
        for part in outer:
            inside = inside[part]
        inside[inner] = [*inside.get(inner, ()), *value] if name.startswith("+") else value
    return layout(config) + "\n"


def _place(line: str, match: re.Match) -> tuple[int, int]:
    indent = len(line) - len(line.lstrip())
    return indent, match.start() - indent


def _recipe(name: Any) -> dict[str, Any]:
    path = CONFIGS / "methods" / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(path.stem for path in path.parent.glob("*.json")))
        raise ValueError(f"Expected default_method of the task to be one of {known}, found {name}; correct task.json.")
    return read_json(path)["method"]


def layout(value: Any, indent: int = 0, before: int = 0) -> str:
    """Format JSON so that whatever fits on one line is on one line.

    Args:
        value: what to write.
        indent: spaces before the line that it begins in.
        before: letters that precede it in that line.
    """
    short = json.dumps(value, ensure_ascii=False)
    fits = indent + before + len(short) < WIDTH and (indent or before)
    if not isinstance(value, dict | list) or not value or fits:
        return short
    inner = indent + STEP
    if isinstance(value, list):
        lines = [layout(item, inner) for item in value]
    else:
        names = {name: f"{json.dumps(name, ensure_ascii=False)}: " for name in value}
        lines = [names[name] + layout(item, inner, len(names[name])) for name, item in value.items()]
    body = ",\n".join(" " * inner + line for line in lines)
    opening, closing = ("[", "]") if isinstance(value, list) else ("{", "}")
    return f"{opening}\n{body}\n{' ' * indent}{closing}"
