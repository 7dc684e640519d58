"""One job of a benchmark: a separate process that leaves a record of what was run and what it cost.

``python -m monai_sfda.benchmark.job RECORD/spec.json`` runs the same again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from monai_sfda.console import one_sentence
from monai_sfda.files import brief_hash, sha256, whole_file
from monai_sfda.json_file import read_json, write_json
from monai_sfda.workflow import run_configs

try:
    import resource
except ImportError:  # not on Windows, where memory is not measured
    resource = None  # type: ignore[assignment]

__all__ = ["Cost", "JobFailed", "carry_out", "content_hash"]

READ = ("dataset_dir", "source_dir", "checkpoint", "source_ratios", "denoiser_checkpoint")
PLACES = (*READ, "output_dir", "ckpt_dir")
PEAK = "peak_megabytes.txt"


class JobFailed(ValueError):
    """A run that ended with an error; the message is its last line."""


class Cost(NamedTuple):
    seconds: float | None
    """Wall time of the process, start-up included; None where an earlier one, which was stopped, did a part of it."""
    megabytes: float
    """Peak resident memory."""


def carry_out(record: Path, bundle: Path, runs: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> Cost:
    """Run configs of a bundle, one after the other in one new process, unless ``record`` says that this was done.

    Args:
        record: folder of spec.json (what is run), log.txt, the peak memory and cost.json (there once it is finished).
        bundle: folder of the bundle.
        runs: for each run its configs and overrides.

    Raises:
        JobFailed: if the process failed.
        ValueError: if ``record`` is of something else.
    """
    spec = {
        "bundle": str(bundle),
        "runs": [{"configs": list(configs), "overrides": dict(o)} for configs, o in runs],
        "inputs": _inputs(bundle, runs),
        "software": version("monai-sfda"),
    }
    text = json.dumps(spec, indent=2, default=str) + "\n"
    continued = (record / "log.txt").exists()
    if (record / "cost.json").exists():
        if (record / "spec.json").read_text() != text:
            raise ValueError(
                f"Expected {record} to be made with the same settings, weights, configs and images, found others in "
                "its spec.json; choose another --output, or delete that folder to compute it again."
            )
        return Cost(**read_json(record / "cost.json"))
    record.mkdir(parents=True, exist_ok=True)
    with whole_file(record / "spec.json") as draft:
        draft.write_text(text)
    cost = _spend([sys.executable, "-W", "ignore", "-m", __name__, str(record / "spec.json")], record)
    cost = cost._replace(seconds=None) if continued else cost
    write_json(record / "cost.json", cost._asdict(), indent=None)
    return cost


def _inputs(bundle: Path, runs: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> dict[str, str]:
    """Hashes of what the runs read: the bundle's configs and the files beside its weights, weights and images."""
    places = {bundle / "configs" / name for configs, _ in runs for name in configs}
    places |= {path for path in (bundle / "models").glob("*") if path.is_dir() or path.suffix == ".json"}
    places |= {Path(value) for _, o in runs for key, value in o.items() if key in READ}
    return {str(place): content_hash(place) for place in sorted(places) if place.exists()}


def content_hash(place: Path) -> str:
    """Hash a file by its whole content, and a folder by the names and `brief_hash` of its files."""
    if place.is_file():
        return sha256(place)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    listed = [[path.relative_to(place).as_posix(), brief_hash(path)] for path in files]
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _spend(command: Sequence[str], record: Path) -> Cost:
    log, start = record / "log.txt", time.perf_counter()
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
        try:
            status = process.wait()
        except BaseException:
            process.kill()
            raise
    if status:
        lines = log.read_text(errors="replace").strip().splitlines() or ["no message"]
        raise JobFailed(lines[-1].removeprefix("monai-sfda: "))
    return Cost(round(time.perf_counter() - start, 1), float((record / PEAK).read_text()))


def main(spec: str) -> None:
    """Run what a spec.json describes, and write the peak memory in MB beside it."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    job = read_json(spec)
    for run in job["runs"]:
        overrides = {k: Path(value) if k in PLACES else value for k, value in run["overrides"].items()}
        run_configs(Path(job["bundle"]), run["configs"], **overrides)
    with whole_file(Path(spec).with_name(PEAK)) as draft:
        draft.write_text(f"{_peak_megabytes():.0f}\n")


def _end_with(parent: int) -> None:
    """A benchmark that is killed takes its job along, so that its next start finds nobody in the same folder."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _peak_megabytes() -> float:
    if resource is None:
        return float("nan")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    os.environ["TQDM_MININTERVAL"] = "30"
    with one_sentence():
        main(sys.argv[1])
