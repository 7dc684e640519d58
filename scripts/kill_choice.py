"""Kill ``adapt --methods`` and ``choose --outlines`` again and again: do the same files come out in the end?

    python scripts/kill_choice.py --kills 20

Works on a few images of ``examples`` at a small size. A run that nobody disturbs is the reference. Then each command is
killed (SIGKILL) at random moments, several times in the same folder, and repeated to its end. All files have to be
equal but for how long something took, which the reports of adaptations say. Checkpoints are equal if they hold the same
values: a run that was resumed writes some texts of a pickle anew. Not on Windows, which cannot fork.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import monai.bundle
import monai.engines  # noqa: F401 - what is imported before the first fork is not imported again
import torch

from monai_sfda import candidates, cli, delivery, training  # noqa: F401
from monai_sfda.files import sha256
from monai_sfda.tables import read_csv

ROOT = Path(__file__).resolve().parent.parent
BUNDLE, LABELLED = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "examples" / "nuclei_fluo_360" / "labelled"
IMAGES, EACH = 8, 5  # kills in one folder
ADAPT = ["--methods", "bn_stats,tent,dpl", "--epochs", "2", "--image_size", "[64,64]", "--precision", "float32"]
TIMED = ("report.html",)  # of an adaptation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="of each command, while it is at work")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "images").mkdir()
        for path in sorted((LABELLED / "image").iterdir())[:IMAGES]:
            shutil.copy(path, folder / "images")
        adapt = ["adapt", BUNDLE, folder / "images", "--output", folder / "run", *ADAPT]
        attempts(adapt, folder, options.kills)
        undisturbed(["choose", folder / "run"])
        (folder / "outlines").mkdir()
        for row in read_csv(folder / "run" / "outline" / "order.csv"):
            shutil.copy(LABELLED / "mask" / row["case"], folder / "outlines" / Path(row["image"]).with_suffix(".png"))
        choose = ["choose", folder / "run", "--outlines", folder / "outlines", "--fine_tune", "1"]
        attempts(choose, folder, options.kills)


def attempts(words: Sequence[Any], folder: Path, kills: int) -> None:
    """Compare ``folder/run`` after a command with what becomes of it where the command is killed; the first stays."""
    run, before, reference = folder / "run", folder / "before", folder / "reference"
    for old in (before, reference):
        shutil.rmtree(old, ignore_errors=True)
    if run.exists():
        shutil.copytree(run, before, symlinks=True)
    seconds = undisturbed(words)
    run.rename(reference)
    done = 0
    while done < kills:
        shutil.rmtree(run, ignore_errors=True)
        if before.exists():
            shutil.copytree(before, run, symlinks=True)
        moments = [random.uniform(0, 1.5 * seconds / EACH) for _ in range(EACH)]
        killed = sum(killed_after(words, moment) for moment in moments)
        undisturbed(words)
        done += killed
        compare(reference, run)
        print(f"{words[0]}: {killed} kills at work, the same files in the end", flush=True)
    shutil.rmtree(run)
    reference.rename(run)


def undisturbed(words: Sequence[Any]) -> float:
    start = time.monotonic()
    with tempfile.NamedTemporaryFile("r") as said:
        process = begin(words, said.name)
        process.join()
        if process.exitcode:
            raise SystemExit(f"Expected {words[0]} to end well, found: {said.read()[-3000:]}")
    return time.monotonic() - start


def killed_after(words: Sequence[Any], seconds: float) -> bool:
    """Whether the command was still at work."""
    process = begin(words, os.devnull)
    process.join(seconds)
    at_work = process.is_alive()
    process.kill()
    process.join()
    return at_work


def begin(words: Sequence[Any], log: str) -> Any:
    """A process in which everything is imported already, so that kills meet the work."""
    process = multiprocessing.get_context("fork").Process(target=command, args=(list(map(str, words)), log))
    process.start()
    return process


def command(words: Sequence[str], log: str) -> None:
    with open(log, "w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
        sys.argv = ["monai-sfda", *words]
        cli.main()


def compare(first: Path, second: Path) -> None:
    """`different` in a process of its own: threads of PyTorch that computed here would be missing after a fork."""
    process = multiprocessing.get_context("fork").Process(target=different, args=(first, second))
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)


def different(first: Path, second: Path) -> None:
    """Raises SystemExit: if the folders do not hold the same files."""
    one, other = contents(first), contents(second)
    if changed := sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name)):
        raise SystemExit(f"Expected the same files in {first.name} and {second.name}, found others: {changed}")


def contents(folder: Path) -> dict[str, str]:
    """Name of a file -> what it holds, without times."""
    return {path.relative_to(folder).as_posix(): content(path) for path in folder.rglob("*") if path.is_file()}


def content(path: Path) -> str:
    adaptation = "candidates" in path.parts
    if path.name == "report.json" and adaptation:
        report = json.loads(path.read_text())
        return json.dumps({name: value for name, value in report.items() if name != "time"})
    if path.suffix == ".pt":
        return json.dumps(values(torch.load(path, weights_only=True)))
    return "" if path.name in TIMED and adaptation else sha256(path)


def values(held: Any) -> Any:
    """What a checkpoint holds, with a checksum in place of each tensor."""
    if isinstance(held, torch.Tensor):
        return [str(held.dtype), list(held.shape), hashlib.sha256(held.contiguous().numpy().tobytes()).hexdigest()]
    if isinstance(held, dict):
        return {str(name): values(value) for name, value in held.items()}
    return [values(value) for value in held] if isinstance(held, (list, tuple)) else repr(held)


if __name__ == "__main__":
    main()
