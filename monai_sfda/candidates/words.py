"""What the console says: which images to outline, which network to use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai_sfda.candidates.ask import Asked
from monai_sfda.candidates.deliver import CHOSEN
from monai_sfda.candidates.order import SOURCE_MASKS
from monai_sfda.candidates.outlines import SKIP
from monai_sfda.candidates.triage import CAUTION, triage
from monai_sfda.choice import Rule
from monai_sfda.report.page import MISSING

__all__ = ["WORDS", "distance", "from_whom", "points", "what_to_do", "what_was_found"]

WORDS = {"adopt": "adopt", "keep-source": "keep the source network", "outline": "outline more images"}
"""Decision in choice.json -> decision in words."""


def what_to_do(run: Path, asked: Asked) -> str:
    """Which images to outline, and how."""
    images = len(asked.masks["source"])
    if not asked.order:
        said = (
            f"All candidates give the masks of the source network on all {images} images, so outlines can tell nothing."
        )
        return "\n".join([*_left_out(asked.left_out), "", f"{said} Keep the source bundle."])
    copies = sum(bool(drawn.image) for drawn in asked.order)
    most = min(copies, Rule().cap)
    spare = f"; the last {copies - most} are spare, for images that cannot be outlined" if copies > most else ""
    return "\n".join(
        [
            *_left_out(asked.left_out),
            "",
            *(f"Checks   {name}: {found}" for name, found in triage(run, asked).items()),
            f"Caution  {CAUTION}",
            "",
            f"Outline  {asked.images}, in the order of the numbers: {Rule().missing(0, images)} images first, at most "
            f"{most}{spare}",
            *_drafts(run),
            f"Save     each as a label map {_how(asked.structures.volumes)}, under the same name, in a folder",
            f"Ids      {asked.structures.legend()}",
            f"Then     monai-sfda choose {run} --outlines FOLDER",
        ]
    )


def _drafts(run: Path) -> list[str]:
    folder = run / SOURCE_MASKS
    return [f"Correct  {folder}: masks of the source network, which lead the hand"] if folder.is_dir() else []


def _how(volumes: bool) -> str:
    return "on the voxels of its volume, NIfTI" if volumes else "of the size of its image, png, NIfTI or DICOM-SEG"


def what_was_found(run: Path, measured: Mapping[str, Any]) -> str:
    """The verdict, and the gains that it rests on."""
    lines = [*_left_out(measured["left_out"]), "", *_table(measured)]
    if skipped := measured["skipped"]:
        lines.append(f"Without an outline, so that the gains do not hold for them: {', '.join(skipped)}")
    for structure, count in measured["empty"].items():
        if 0 < count < len(measured["outlined"]):
            verbs = ("does", "it counts") if count == 1 else ("do", "they count")
            lines.append(f"{count} of the outlines {verbs[0]} not show {structure}; {verbs[1]}, too.")
    if further := measured["further"]:
        lines.append(f"{_outlines(further)} more count{'s' if further == 1 else ''} at the next decision.")
    lines += ["", f"Verdict  {measured['sentence']}"]
    if copies := measured["next"]:
        lines.append(
            f"Next     {', '.join(copies)}; if one cannot be outlined, write its name into {SKIP} beside the masks"
        )
    if measured["tunable"]:
        lines.append("Also     --fine_tune 100 trains the source network on these outlines, and lets it compete")
    lines.append(f"Report   {run / 'choice' / 'report.html'}")
    if measured["networks"]:
        lines.append(f"Bundle   {run / CHOSEN} ({from_whom(measured['networks'])})")
    return "\n".join(lines)


def from_whom(networks: Mapping[str, str]) -> str:
    """``dpl``, or ``disc: dpl, cup: source`` where structures come from different candidates."""
    names = list(dict.fromkeys(networks.values()))
    return names[0] if len(names) == 1 else ", ".join(f"{structure}: {name}" for structure, name in networks.items())


def _outlines(count: int) -> str:
    return f"{count} outline" if count == 1 else f"{count} outlines"


def points(share: float) -> str:
    """A gain of Dice in hundredths, with its sign."""
    return f"{100 * share:+.1f}"


def distance(change: float | None) -> str:
    """A change of distance, with its sign."""
    return MISSING if change is None else f"{change:+.2f}"


def _left_out(sentences: list[str]) -> list[str]:
    return [f"Note     {sentence}" for sentence in sentences]


def _table(measured: Mapping[str, Any]) -> list[str]:
    rows = [("", "", "Dice", "95 % interval", "ASSD", "HD95")]
    for structure, column in measured["gains"].items():
        for name, row in column.items():
            spread = MISSING if row["low"] is None else f"{points(row['low'])} to {points(row['high'])}"
            rows.append((name, structure, points(row["dice"]), spread, distance(row["assd"]), distance(row["hd95"])))
    first, second = (max(len(row[place]) for row in rows) for place in (0, 1))
    lines = [f"{a:{first}}  {b:{second}}  {c:>6}  {d:>15}  {e:>6}  {f:>6}".rstrip() for a, b, c, d, e, f in rows]
    count = f"{_outlines(len(measured['outlined']))} of {measured['images']} images"
    unit = measured["assd_unit"]
    return [*lines, f"{count}; Dice in points, ASSD and HD95 in {unit}, each less that of the source network"]
