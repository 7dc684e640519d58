"""Run the commands of docs/monai_label.md: ``python scripts/monailabel_adapt_smoke.py BUNDLE IMAGES [--keep]``.

Needs monailabel and a folder with 4 images or more, or 4 volumes (``.nii.gz``) for a bundle of volumes. Works on
copies and stops the server that it started.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
STATUS = r"^curl \S+/train/$"
VOLUME = ".nii.gz"


class Documented:
    """The commands of the page, by a pattern in them, with places and port replaced."""

    def __init__(self, replace: dict[str, str]) -> None:
        page = (ROOT / "docs" / "monai_label.md").read_text()
        lines = re.findall(r"^ {4}(.+)$", page, flags=re.MULTILINE)
        places = re.compile("|".join(map(re.escape, replace)))
        self.lines = [places.sub(lambda found: replace[found[0]], line) for line in lines]

    def __call__(self, pattern: str) -> str:
        (line,) = [line for line in self.lines if re.search(pattern, line)]
        return line


def run(command: str, folder: Path) -> str:
    return subprocess.run(command, shell=True, cwd=folder, check=True, capture_output=True, text=True).stdout


def ask(command: str, folder: Path) -> Any:
    return json.loads(run(command.replace("curl", "curl --silent --fail", 1), folder))


def expect(name: str, good: bool, detail: object = "") -> None:
    print(f"{'PASS' if good else 'FAIL'}  {name}  {detail}", flush=True)
    if not good:
        raise SystemExit(1)


def wait(question: Any, seconds: float, server: subprocess.Popen) -> Any:
    """The first answer of ``question`` that is not None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            answer = question()
        except subprocess.CalledProcessError:  # not up yet, or nothing to tell
            answer = None
        if answer is not None:
            return answer
        time.sleep(0.5)
    raise SystemExit("FAIL  the server did not answer in time")


def finished(status: dict) -> dict | None:
    return status if status["status"] in ("DONE", "ERROR", "STOPPED") else None


def started(stats: dict) -> dict | None:
    return stats if stats["total_epochs"] == 6 else None


def name_of(path: Path) -> str:
    """What MONAI Label calls an image."""
    return path.name.removesuffix(VOLUME) if path.name.endswith(VOLUME) else path.stem


def predict(bundle: Path, images: Path, output: Path) -> dict[str, Path]:
    words = [sys.executable, "-m", "monai_sfda", "predict", bundle, images, "--output", output]
    subprocess.run(list(map(str, words)), check=True, capture_output=True)
    return {name_of(path): path for path in (output / "masks").iterdir() if path.suffix in (".png", ".gz")}


def read(mask: Path) -> np.ndarray:
    return np.asarray(nibabel.load(mask).dataobj if mask.name.endswith(VOLUME) else Image.open(mask))


def same(served: Path, predicted: Path) -> bool:
    """One batch of several images rounds otherwise than batches of one, so a few pixels may differ."""
    first, second = read(served), read(predicted)
    place = not served.name.endswith(VOLUME) or place_of(served) == place_of(predicted)
    return place and first.shape == second.shape and float((first == second).mean()) > 0.995


def place_of(mask: Path) -> list[Any]:
    """How the voxels of a file lie, and the codes of its header."""
    image = nibabel.load(mask)
    return [image.affine.tolist(), *(int(image.header[code]) for code in ("qform_code", "sform_code"))]


def lay_on_side(image: Path) -> None:
    """Change the size or the axes of an image: a mask on its side would be seen."""
    if image.name.endswith(VOLUME):
        volume = nibabel.load(image)
        turn = ornt_transform(io_orientation(volume.affine), axcodes2ornt(("A", "S", "R")))
        nibabel.save(volume.as_reoriented(turn), image)
    else:
        picture = Image.open(image)
        picture.crop((0, 0, picture.width, picture.height * 3 // 4)).save(image)


def check(name: str, work: Path, documented: Documented, server: subprocess.Popen) -> None:
    app, studies = work / "APP", work / "IMAGES"
    weights = app / "model" / name / "models"
    source_sum = hashlib.sha256((weights / "model.pt").read_bytes()).hexdigest()
    info = wait(lambda: ask(documented("/info/"), work), 600, server)
    expect("the bundle is served", name in info["models"])
    expect("adaptation is the first training task", next(iter(info["trainers"])) == f"{name}_adapt")

    images = work / "copies"
    shutil.copytree(studies, images, ignore=shutil.ignore_patterns("labels", "*.json", ".*"))
    first, *others = sorted(map(name_of, images.iterdir()))
    infer = documented("/infer/").replace("NAME", first)
    plain = re.sub(r"-F '.*?'", "-F params={}", infer)
    run(plain, work)
    served = work / infer.split()[-1]
    before = read(served)
    predicted = predict(app / "model" / name, images, work / "before")
    expect("a served mask is that of monai-sfda predict", same(served, predicted[first]), before.shape)
    expect("it is not empty", before.any())

    def label(image: str) -> None:
        place = documented("/info/").split()[-1].replace("/info/", f"/datastore/label?image={image}&tag=final")
        run(f"curl --silent --fail -X PUT '{place}' -F 'params={{}}' -F label=@{predicted[image]}", work)

    label(others[0])
    ask(documented('"clinic"'), work)
    status = wait(lambda: finished(ask(documented(STATUS), work)), 600, server)
    log = "\n".join(status["details"])
    expect("adaptation ends well", status["status"] == "DONE", log[-2000:] if status["status"] != "DONE" else "")
    expect("its epochs are told", "epoch 1 of 1" in log and "Verdict" in log)
    used = json.loads((app / "adapted" / name / "clinic" / "datalist.json").read_text())["images"]
    expect("a labelled image is left out", {item["case"] for item in used} == {first, *others[1:]}, len(used))
    expect("source weights are the same", source_sum == hashlib.sha256((weights / "model.pt").read_bytes()).hexdigest())
    info = ask(documented("/info/"), work)
    expect("progress is in numbers", info["train_stats"][f"{name}_adapt"]["total_epochs"] == 1)
    choices = info["models"][name]["config"]["model_filename"]
    expect("the weights are a choice without a restart", choices == ["model.pt", "model_clinic.pt"], choices)

    run(infer, work)
    after = read(served)
    adapted = predict(app / "adapted" / name / "clinic" / "bundle", images, work / "after")
    expect("the adapted mask is that of the adapted bundle", same(served, adapted[first]))
    expect("it is not the source's", not np.array_equal(after, before), f"{(after != before).mean():.2%} changed")

    longer = documented('"clinic"').replace('"clinic", "max_epochs": 1', '"stopped", "max_epochs": 6')
    ask(longer, work)
    wait(lambda: started(ask(documented("/info/"), work)["train_stats"][f"{name}_adapt"]), 600, server)
    run(documented("DELETE"), work)
    expect("a run can be stopped", ask(documented(STATUS), work)["status"] == "STOPPED")
    ask(longer, work)
    status = wait(lambda: finished(ask(documented(STATUS), work)), 600, server)
    once = (work / "server.log").read_text().count("epoch 1 of 6") == 1
    expect("the same command continues it", status["status"] == "DONE" and once, "" if once else status)

    for image in others[1:]:
        label(image)
    refusals = {"few": "Expected at least 2 images to adapt to, found 1", "clinic": "Expected a new site"}
    for site, sentence in refusals.items():
        ask(documented('"clinic"').replace('"clinic"', f'"{site}"'), work)
        status = wait(lambda: finished(ask(documented(STATUS), work)), 600, server)
        told = status["status"] == "ERROR" and sentence in status["details"][-1]
        expect(f"refused: {sentence}", told, "" if told else status)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("images", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the working folder")
    options = parser.parse_args()
    serve(options.bundle, options.images, check, keep=options.keep, prepare=lay_on_side)


def serve(bundle: Path, images: Path, check: Any, *, keep: bool, prepare: Any = None) -> None:
    """Start a server by the commands of the page, on copies, let ``check`` ask it, and stop it.

    Args:
        bundle: folder of the bundle.
        images: folder of the studies.
        check: takes the name of the bundle, the working folder, the commands and the server.
        keep: whether the working folder stays; it does after an error.
        prepare: changes the first of the copied images.
    """
    work, name = Path(tempfile.mkdtemp(prefix="monailabel_")), bundle.resolve().name
    shutil.copytree(images, work / "IMAGES")
    first = sorted(path for path in (work / "IMAGES").iterdir() if path.is_file())[0]
    if prepare:
        prepare(first)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    replace = {
        "bundles/fundus_disc_cup bundles/nuclei_fluorescence": str(bundle.resolve()),
        "bundles/fundus_disc_cup": str(bundle.resolve()),
        "fundus_disc_cup": name,
        ":8000/": f":{port}/",
        "mask.png": f"mask{VOLUME if first.name.endswith(VOLUME) else '.png'}",
        "--host 127.0.0.1": f"--host 127.0.0.1 --port {port}",
        '"site": "clinic"': '"site": "clinic", "max_epochs": 1',
        '"site": "several"': '"site": "several", "max_epochs": 1',
    }
    documented = Documented(replace)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the server is stopped then, too
    run(documented("monai_sfda.label"), work)
    with (work / "server.log").open("w") as log:
        words = f"exec {documented('start_server')}"
        settings = {"stdout": log, "stderr": subprocess.STDOUT, "start_new_session": True}
        server = subprocess.Popen(words, shell=True, cwd=work, **settings)
    try:
        check(name, work, documented, server)
        print(f"All passed for {name}.")
    except BaseException:
        keep = True
        raise
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # with a training that it may have started
        server.wait(30)
        if keep:
            print(f"Kept     {work} (server.log)")
        else:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()
