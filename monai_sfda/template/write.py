"""Write the configs of a bundle from those that all bundles share and from what its task is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.files import whole_file
from monai_sfda.overrides import read_json

__all__ = ["CONFIGS", "TASK", "filled", "layout", "write_configs"]

CONFIGS = Path(__file__).with_name("configs")
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
                draft.write_text(laid_over(filled(source.read_text(encoding="utf-8"), task), task), encoding="utf-8")
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


def laid_over(text: str, task: Mapping[str, Any]) -> str:
    """A config with ``"_over_": "NAME"``, whole: its values replace those of the shared config NAME, in which they lie.

    ``"a::b"`` replaces one value of a dictionary, ``"+a"`` adds to a list. Other configs are returned as they are.
    """
    values = json.loads(text)
    if "_over_" not in values:
        return text
    whole = json.loads(filled((CONFIGS / values.pop("_over_")).read_text(encoding="utf-8"), task))
    for name, value in values.items():
        *outer, last = name.lstrip("+").split("::")
        place = whole
        for part in outer:
            place = place[part]
        place[last] = place[last] + value if name.startswith("+") else value
    return layout(whole) + "\n"


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
