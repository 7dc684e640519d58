"""CBMT's released code and this package's CBMT on the same weights, images, epochs and machine.

git clone https://github.com/lloongx/SFDA-CBMT CLONE
python scripts/benchmark_released.py CLONE IMAGES --output DIR --checkpoint WEIGHTS --size 256 --labelled LABELLED

``ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 MKL_ENABLE_INSTRUCTIONS=AVX2`` before it imitates a processor without
AVX-512 for both.

``train_target.py`` of the clone runs as it is but for the size of its input, on labels that are blank, in a process of
its own. Stand-ins take the place of what it imports and its adaptation does not need (medpy, torchvision, pytz), of two
trifles (OpenCV's table lookup, ImageNet weights that the checkpoint overwrites) and of CUDA where there is none. Its
scoring after each epoch is left out, so that times are those of adaptation. Both adapted networks are scored by
``monai-sfda evaluate``.
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from multiprocessing import get_context, set_start_method
from pathlib import Path
from types import ModuleType, SimpleNamespace

import fire
import numpy as np
import torch
from PIL import Image

from monai_sfda.networks import DeepLabV3Plus, load_network
from monai_sfda.networks.released import LAST, convert_released, rename

BUNDLE = Path(__file__).resolve().parents[1] / "bundles" / "fundus_disc_cup"


def main(
    clone: str,
    images: str,
    *,
    output: str,
    checkpoint: str = str(BUNDLE / "models" / "model.pt"),
    size: int = 512,
    epochs: int = 20,
    labelled: str = "",
    ours: bool = True,
) -> None:
    """Print images per second and processor time of both, and Dice where ``labelled`` is given.

    Args:
        clone: checkout of the released code.
        images: folder of png files, disc crops.
        output: new folder.
        checkpoint: source weights of the fundus bundle's network.
        size: edge of the network's input; the released code has 512.
        epochs: of both.
        labelled: LABELLED/{image,mask}, for scoring alone.
        ours: False leaves this package's run out.
    """
    work = Path(output).resolve()
    if not (Path(clone) / "train_target.py").is_file():
        sys.exit(f"Expected a clone of the released code at {clone}, found no train_target.py; see --help.")
    if work.exists():
        sys.exit(f"Expected a new folder for the results, found {output}; choose another --output.")
    work.mkdir(parents=True)
    count = lay_out(Path(images), work / "data")
    seconds, start = {}, clock()
    run = get_context("spawn").Process(target=released, args=(Path(clone).resolve(), work, checkpoint, size, epochs))
    run.start()
    run.join()
    if run.exitcode:
        sys.exit(f"Expected the released code to finish, it ended with status {run.exitcode}; see above.")
    seconds["released"] = clock() - start
    found = {"released": work / "released.pt"}
    if ours:
        start = clock()
        sfda("adapt", BUNDLE, images, f"--output={work / 'run'}", f"--checkpoint={checkpoint}", f"--epochs={epochs}",
             f"--image_size=[{size},{size}]")  # fmt: skip
        seconds["monai_sfda"] = clock() - start
        found["monai_sfda"] = work / "run" / "bundle" / "models" / "model.pt"
    for name, (wall, busy) in seconds.items():
        print(f"{name:12} {wall:8.0f} s {count * epochs / wall:8.2f} images/s {busy:8.0f} s of all cores")
    if ours:
        wall, busy = seconds["released"] / seconds["monai_sfda"]
        print(f"monai_sfda is {wall:.2f} times as fast, and takes 1 / {busy:.2f} of the processor's time")
    if labelled:
        for name, weights in {"source": checkpoint, **found}.items():
            scores = work / f"scores_{name}"
            sfda("evaluate", BUNDLE, labelled, f"--output={scores}", f"--checkpoint={weights}",
                 f"--image_size=[{size},{size}]")  # fmt: skip
            structures = json.loads((scores / "summary.json").read_text())["structures"]
            print(
                f"{name:12} "
                + ", ".join(f"{key} {100 * value['dice']['mean']:.1f}" for key, value in structures.items())
            )


def clock() -> np.ndarray:
    """Seconds by the clock, and those that all cores spent on processes that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return np.array([time.perf_counter(), ended.ru_utime + ended.ru_stime])


def sfda(*command: object) -> None:
    subprocess.run([sys.executable, "-W", "ignore", "-m", "monai_sfda", *map(str, command)], check=True)


def lay_out(images: Path, data: Path) -> int:
    """Links to the images beside blank masks, in the folders that the released code reads; returns their number."""
    for folder in ("train/ROIs/image", "train/ROIs/mask", "test/ROIs/image"):
        (data / "Target" / folder).mkdir(parents=True)
    found = sorted(images.glob("*.png"))
    if not found:
        raise SystemExit(f"Expected png files in {images}, found none; the released code reads no other.")
    if len(found) % 8 == 1:
        raise SystemExit(
            f"Expected batches of 8 that leave no image alone, found {len(found)} images; the released "
            "code stops at a batch of one, leave an image out."
        )
    for path in found:
        (data / "Target/train/ROIs/image" / path.name).symlink_to(path.resolve())
        Image.new("L", Image.open(path).size).save(data / "Target/train/ROIs/mask" / path.name)
    return len(found)


def released(clone: Path, work: Path, checkpoint: str, size: int, epochs: int) -> None:
    """Run the clone's adaptation and leave its teacher, in this package's names and order, in ``released.pt``."""
    set_start_method("fork", force=True)  # so that its loader's workers keep the stand-ins
    stand_in()
    sys.path.insert(0, str(clone))
    source = work / "source.pth.tar"
    names = {"model-file": source, "data-dir": work / "data", "dataset": "Target", "epoch": epochs}
    sys.argv = ["train_target.py", *(f"--{name}={value}" for name, value in names.items())]
    import train_target

    def network() -> torch.nn.Module:
        return train_target.netd.DeepLab(num_classes=2, backbone="mobilenet", output_stride=16)

    mine = DeepLabV3Plus()
    load_network(mine, checkpoint)
    theirs = network()
    theirs.load_state_dict(to_released(mine.state_dict(), theirs))
    image = torch.rand(2, 3, size, size)
    with torch.no_grad():
        apart = (mine.eval()(image) - theirs.eval()(image)[0].flip(1)).abs().max().item()
    print(f"Largest difference of the two networks' logits on one random batch: {apart:.1e}", flush=True)
    torch.save({"model_state_dict": theirs.state_dict()}, source)

    resize = train_target.trans.Resize
    train_target.trans.Resize = lambda _: resize(size)
    train_target.eval = lambda *_: ([float("nan")] * 4,) * 4
    train_target.__file__ = str(work / "train_target.py")  # it writes beside itself
    train_target.main()
    teacher = next(work.glob("logs_target/**/after_adaptation.pth.tar"))
    weights = torch.load(teacher, weights_only=True)["model_state_dict"]
    torch.save(convert_released(weights)[0], work / "released.pt")


def stand_in() -> None:
    """Modules and methods that the released code asks for, as far as its adaptation uses them."""
    sys.modules["pytz"] = ModuleType("pytz")
    sys.modules["medpy"] = sys.modules["medpy.metric"] = ModuleType("medpy")
    sys.modules["medpy.metric.binary"] = ModuleType("binary")
    sys.modules["medpy"].metric = sys.modules["medpy.metric"]
    sys.modules["medpy.metric"].binary = sys.modules["medpy.metric.binary"]
    sys.modules["cv2"] = ModuleType("cv2")
    sys.modules["cv2"].LUT = lambda image, table: np.take(table, image)
    sys.modules["torchvision"] = ModuleType("torchvision")
    sys.modules["torchvision"].transforms = SimpleNamespace(Compose=Compose)
    torch.utils.model_zoo.load_url = lambda _: {}
    if not torch.cuda.is_available():
        torch.Tensor.cuda = lambda self: self


class Compose:
    def __init__(self, steps: list) -> None:
        self.steps = steps

    def __call__(self, sample: dict) -> dict:
        for step in self.steps:
            sample = step(sample)
        return sample


def to_released(weights: dict[str, torch.Tensor], network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """This package's weights under the names of the released ``network``, channels in its order."""
    weights = {key: weight.flip(0) if key.startswith(LAST["plain"]) else weight for key, weight in weights.items()}
    views = re.compile(r"^backbone\.(low|high)_level_features\.")  # its encoder stands three times among its keys
    return {key: weights[rename(views.sub("backbone.features.", key))] for key in network.state_dict()}


if __name__ == "__main__":
    fire.Fire(main)
