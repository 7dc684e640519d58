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
from typing import Any, NamedTuple

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


def expect(name: str, good: bool, detail: object = "") -> None:
    print(f"{'PASS' if good else 'FAIL'}  {name}  {detail}", flush=True)
    if not good:
        raise SystemExit(1)


class Served(NamedTuple):
    """A bundle under a server, and the commands of the page that ask it."""

    name: str
    work: Path
    documented: Documented
    server: subprocess.Popen

    def run(self, command: str) -> str:
        return run(command, self.work)

    def ask(self, command: str) -> Any:
        return json.loads(self.run(command.replace("curl", "curl --silent --fail", 1)))

    def info(self) -> dict[str, Any]:
        return self.ask(self.documented("/info/"))

    def wait(self, question: Any, seconds: float = 600) -> Any:
        """The first answer of ``question`` that is not None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.server.poll() is None:
            try:
                answer = question()
            except subprocess.CalledProcessError:  # not up yet, or nothing to tell
                answer = None
            if answer is not None:
                return answer
            time.sleep(0.5)
        raise SystemExit("FAIL  the server did not answer in time")

    def train(self, command: str, seconds: float = 600) -> dict[str, Any]:
        """Begin a training, and wait for its last status."""
        self.ask(command)
        return self.wait(lambda: finished(self.ask(self.documented(STATUS))), seconds)

    def save_label(self, image: str, label: Path) -> str:
        place = self.documented("/info/").split()[-1].replace("/info/", f"/datastore/label?image={image}&tag=final")
        return self.run(f"curl --silent --fail -X PUT '{place}' -F 'params={{}}' -F label=@{label}")


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


def check(served: Served) -> None:
    info = served.wait(served.info)
    expect("the bundle is served", served.name in info["models"])
    expect("adaptation is the first training task", next(iter(info["trainers"])) == f"{served.name}_adapt")
    images = served.work / "copies"
    shutil.copytree(served.work / "IMAGES", images, ignore=shutil.ignore_patterns("labels", "*.json", ".*"))
    first, *others = sorted(map(name_of, images.iterdir()))
    infer = served.documented("/infer/").replace("NAME", first)
    predicted = check_masks(served, images, first, infer)
    served.save_label(others[0], predicted[others[0]])
    check_adaptation(served, {first, *others[1:]})
    check_adapted_masks(served, images, first, infer)
    check_stopped(served)
    for image in others[1:]:
        served.save_label(image, predicted[image])
    check_refusals(served)


def check_masks(served: Served, images: Path, first: str, infer: str) -> dict[str, Path]:
    served.run(re.sub(r"-F '.*?'", "-F params={}", infer))
    mask = served.work / infer.split()[-1]
    predicted = predict(bundle_of(served), images, served.work / "before")
    expect("a served mask is that of monai-sfda predict", same(mask, predicted[first]), read(mask).shape)
    expect("it is not empty", read(mask).any())
    return predicted


def check_adaptation(served: Served, unlabelled: set[str]) -> None:
    name, source = served.name, bundle_of(served) / "models" / "model.pt"
    source_sum = hashlib.sha256(source.read_bytes()).hexdigest()
    status = served.train(served.documented('"clinic"'))
    log = "\n".join(status["details"])
    expect("adaptation ends well", status["status"] == "DONE", log[-2000:] if status["status"] != "DONE" else "")
    expect("its epochs are told", "epoch 1 of 1" in log and "Verdict" in log)
    used = json.loads((adapted_of(served) / "datalist.json").read_text())["images"]
    expect("a labelled image is left out", {item["case"] for item in used} == unlabelled, len(used))
    expect("source weights are the same", source_sum == hashlib.sha256(source.read_bytes()).hexdigest())
    info = served.info()
    expect("progress is in numbers", info["train_stats"][f"{name}_adapt"]["total_epochs"] == 1)
    choices = info["models"][name]["config"]["model_filename"]
    expect("the weights are a choice without a restart", choices == ["model.pt", "model_clinic.pt"], choices)


def check_adapted_masks(served: Served, images: Path, first: str, infer: str) -> None:
    mask = served.work / infer.split()[-1]
    before = read(mask)
    served.run(infer)
    after = read(mask)
    adapted = predict(adapted_of(served) / "bundle", images, served.work / "after")
    expect("the adapted mask is that of the adapted bundle", same(mask, adapted[first]))
    expect("it is not the source's", not np.array_equal(after, before), f"{(after != before).mean():.2%} changed")


def check_stopped(served: Served) -> None:
    longer = served.documented('"clinic"').replace('"clinic", "max_epochs": 1', '"stopped", "max_epochs": 6')
    served.ask(longer)
    served.wait(lambda: started(served.info()["train_stats"][f"{served.name}_adapt"]))
    served.run(served.documented("DELETE"))
    expect("a run can be stopped", served.ask(served.documented(STATUS))["status"] == "STOPPED")
    status = served.train(longer)
    once = (served.work / "server.log").read_text().count("epoch 1 of 6") == 1
    expect("the same command continues it", status["status"] == "DONE" and once, "" if once else status)


def check_refusals(served: Served) -> None:
    """One image is left without a label, and the site of the first adaptation is taken."""
    refusals = {"few": "Expected at least 2 images to adapt to, found 1", "clinic": "Expected a new site"}
    for site, sentence in refusals.items():
        status = served.train(served.documented('"clinic"').replace('"clinic"', f'"{site}"'))
        told = status["status"] == "ERROR" and sentence in status["details"][-1]
        expect(f"refused: {sentence}", told, "" if told else status)


def bundle_of(served: Served) -> Path:
    return served.work / "APP" / "model" / served.name


def adapted_of(served: Served) -> Path:
    return served.work / "APP" / "adapted" / served.name / "clinic"


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
        check: takes the `Served` bundle.
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
        check(Served(name, work, documented, server))
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
