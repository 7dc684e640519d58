"""``python -m monai_sfda.older BUNDLE``: rewrite the configs of a bundle of version 0.1 for this one.

Names have moved to other rooms, so such a bundle, an adapted one for example, asks for modules that are no more.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from monai_sfda.console import one_sentence
from monai_sfda.files import whole_file

__all__ = ["convert", "is_older"]

MOVED: dict[str, dict[str, tuple[str, ...]]] = {
    "monai_sfda.clinic": {
        "monai_sfda.delivery": ("Comparison", "Delivery", "Limits", "source_masks"),
        "monai_sfda.prediction": (
            "DescribeCased", "check_formats", "class_names", "model_name", "same_classes", "write_results",
        ),
        "monai_sfda.same_run": ("refuse_other_masks",),
    },
    "monai_sfda.data": {"monai_sfda.failures": ("Failures", "clear_drafts", "write_failures")},
    "monai_sfda.pseudo.fingerprint": {"monai_sfda.fingerprint": ("describe", "fingerprint")},
    "monai_sfda.transforms": {
        "monai_sfda.imageio": ("MaskReader", "PhotoReader", "ReadPhotod"),
        "monai_sfda.organs.fundus": ("CutToDiscd", "DiscFinder"),
    },
}  # fmt: skip
"""Module -> module that has these names now."""

RENAMED = {
    r"monai_sfda\.handlers\.PostprocessBehind\b": "monai_sfda.handlers.PostprocessInThreads",
    r"monai_sfda\.pseudo\.CertainOnly\b": "monai_sfda.pseudo.LowSpreadOnly",
    r"from monai_sfda\.fingerprint import describe\b": "from monai_sfda.fingerprint import setup_of",
    r"\bdescribe\((?=@|dict\()": "setup_of(",
    r'"apart": ': '"split_batch": ',
}
"""What an older config says -> what it says now, once its names have moved."""

OLDER = re.compile(r"monai_sfda\.clinic\b|monai_sfda\.pseudo\.fingerprint\b|monai_sfda\.transforms\.PhotoReader\b")

FUNDUS = {
    '    "finder": {\n': (
        '    "findings": {"_target_": "monai_sfda.organs.fundus.DiscAndCup", "disc": 1, "cup": 2},\n    "finder": {\n'
    ),
    '"classes": {"1": "optic disc", "2": "optic cup"},': (
        '"classes": {"1": "optic disc", "2": "optic cup"}, "findings": "@findings",'
    ),
    '"classes": "@classes",': '"classes": "@classes", "findings": "@findings",',
    "table=@pseudonym_table)": "table=@pseudonym_table, keep=@findings.keep)",
}
"""How a bundle that searches for the disc says that ratios, the eye and their limits belong to its predictions."""


def is_older(text: str) -> bool:
    """Whether a config asks for modules of version 0.1."""
    return OLDER.search(text) is not None


def convert(text: str, *, fundus: bool = False) -> str:
    """The same config with today's names, and for ``fundus`` with the findings that were once told by class names."""
    for old, rooms in MOVED.items():
        for new, names in rooms.items():
            for name in names:
                text = re.sub(rf"{re.escape(old)}\.{name}\b", f"{new}.{name}", text)
                text = re.sub(rf"from {re.escape(old)} import {name}\b", f"from {new} import {name}", text)
    for old, new in RENAMED.items():
        text = re.sub(old, new, text)
    for old, new in FUNDUS.items() if fundus else ():
        text = text.replace(old, new)
    return text


def main() -> None:
    """Rewrite older files, and print their names."""
    if len(sys.argv) != 2 or not Path(sys.argv[1], "configs").is_dir():
        raise ValueError("Expected the folder of a bundle, as in: python -m monai_sfda.older BUNDLE.")
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(Path(sys.argv[1], "configs").rglob("*.json"))}
    fundus = any("monai_sfda.transforms.DiscFinder" in text for text in texts.values())
    changed = []
    for path, text in texts.items():
        if (now := convert(text, fundus=fundus)) != text:
            with whole_file(path) as draft:
                draft.write_text(now, encoding="utf-8")
            changed.append(path.name)
    print(f"Rewritten: {', '.join(changed)}." if changed else "Nothing to rewrite: the bundle has today's names.")


if __name__ == "__main__":
    with one_sentence():
        main()
