"""How fast adaptation and prediction are against the bare network, in one run: ``python3 scripts/benchmark_speed.py``.

Every figure is a ratio of two measurements of this run on this machine. Whole processes are timed from start to exit;
"bare" is the same number of forwards, backwards and optimiser steps on tensors that are already in memory.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
import json  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from copy import deepcopy  # noqa: E402
from pathlib import Path  # noqa: E402
from statistics import median  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402
from typing import Any  # noqa: E402

import psutil  # noqa: E402
import torch  # noqa: E402
from monai.bundle import ConfigParser  # noqa: E402
from monai.data import MetaTensor  # noqa: E402

from monai_sfda.handlers import HeapKeep  # noqa: E402
from monai_sfda.losses import MaskedBCE  # noqa: E402
from monai_sfda.networks import stochastic_layers  # noqa: E402
from monai_sfda.networks.fast import fuse_for_inference, lane_dropout  # noqa: E402
from monai_sfda.organs.fundus.simulated import write_clinic  # noqa: E402
from monai_sfda.precision import autocast, choose_precision  # noqa: E402
from monai_sfda.protocols import PseudoLabel  # noqa: E402

BUNDLES = environment.ROOT / "bundles"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def process(*command: object) -> tuple[float, float]:
    """Run ``monai-sfda``; returns wall seconds and peak resident memory in MB."""
    start, peak = time.perf_counter(), 0
    arguments = [sys.executable, "-m", "monai_sfda", *map(str, command)]
    child = psutil.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        try:
            peak = max(peak, child.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    if child.wait():
        sys.exit(f"Expected `{' '.join(arguments[1:])}` to succeed, it ended with status {child.returncode}.")
    return time.perf_counter() - start, peak / 2**20


def adapt(bundle: str, images: Path, work: Path, name: str, **settings: object) -> dict[str, float]:
    """One adaptation: seconds and memory of the process, seconds of the steps of its last, warm epoch."""
    output = work / name
    options = [f"--{key}={value}" for key, value in settings.items()]
    seconds, memory = process("adapt", BUNDLES / bundle, images, f"--output={output}", *options)
    return {"seconds": seconds, "memory": memory} | {
        "steps": json.loads((output / "report.json").read_text())["time"]["last_epoch_seconds"]
    }


def network(bundle: str) -> torch.nn.Module:
    parser = ConfigParser()
    parser.read_config(str(BUNDLES / bundle / "configs" / "inference.json"))
    return parser.get_parsed_content("network_def").to(DEVICE, memory_format=torch.channels_last)


def bare_step(size: int, batch: int, precision: str, repeats: int) -> float:
    """Median seconds of teacher forward, student forward, backward and Adam step on preloaded tensors."""
    student = network("fundus_disc_cup").train()
    teacher = deepcopy(student).requires_grad_(False)
    image = torch.rand(batch, 3, size, size, device=DEVICE).contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-5, fused=True)
    seconds = []
    for _ in range(repeats):
        synchronise()
        start = time.perf_counter()
        with autocast(DEVICE, precision):
            with torch.no_grad():
                label = (teacher(image).float().sigmoid() > 0.75).float()
            pred = student(image)
        loss = MaskedBCE()(pred=pred, pseudo=PseudoLabel(label, torch.ones_like(label)))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        synchronise()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[1:])[len(seconds[1:]) // 2]


@torch.no_grad()
def bare_forward(item: torch.nn.Module, size: int, batch: int, precision: str, repeats: int) -> float:
    """Median seconds of one forward of a batch on preloaded tensors."""
    image = torch.rand(batch, 3, size, size, device=DEVICE).contiguous(memory_format=torch.channels_last)
    seconds = []
    for _ in range(repeats):
        synchronise()
        start = time.perf_counter()
        with autocast(DEVICE, precision):
            item(image)
        synchronise()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds[1:])[len(seconds[1:]) // 2]


def synchronise() -> None:
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def report_adaptation(work: Path, images: Path, count: int, options: argparse.Namespace) -> None:
    shown = count * options.epochs
    steps = -(-count // options.batch)
    print(f"\nAdaptation (CBMT), {count} images of {options.size} x {options.size}, batch {options.batch}, {DEVICE}")
    print(f"{'':10}{'process img/s':>14}{'peak MB':>9}{'step s':>9}{'bare step s':>13}{'overhead':>10}")
    rates = {}
    for name in ("float32", choose_precision("auto", DEVICE)):
        if name in rates:
            continue
        size = f"[{options.size},{options.size}]"
        settings = {"precision": name, "epochs": options.epochs, "batch_size": options.batch, "image_size": size}
        run = adapt("fundus_disc_cup", images, work, f"adapt_{name}", **settings)
        bare = bare_step(options.size, options.batch, name, options.repeats)
        rates[name] = shown / run["seconds"]
        step = run["steps"] / steps
        print(f"{name:10}{rates[name]:14.2f}{run['memory']:9.0f}{step:9.3f}{bare:13.3f}{100 * (step / bare - 1):9.1f}%")
    print(
        f"default / float32: {list(rates.values())[-1] / rates['float32']:.2f} x images per second of the whole process"
    )


def report_memory(work: Path, small: Path, large: Path, counts: tuple[int, int]) -> None:
    print("\nPeak memory of a whole adaptation process, U-Net, 256 x 256, one epoch")
    for name, folder, count in (("small", small, counts[0]), ("large", large, counts[1])):
        run = adapt("nuclei_fluorescence", folder, work, f"memory_{name}", epochs=1)
        print(f"{count:6d} images: {run['memory']:7.0f} MB")


def report_prediction(work: Path, images: Path, count: int, options: argparse.Namespace) -> None:
    """Seconds per image of a long run less those of a short one, so that what a process needs to start drops out."""
    HeapKeep()()  # as the prediction has it, so that the bare network loses no time to page faults
    item = network("fundus_disc_cup").eval()
    precision = choose_precision("auto", DEVICE)
    fused = fuse_for_inference(item, image=torch.rand(1, 3, options.size, options.size), precision=precision)

    def bare(which: torch.nn.Module) -> float:
        return options.batch / bare_forward(which, options.size, options.batch, precision, options.repeats)

    def predict(folder: Path) -> tuple[float, float]:
        with TemporaryDirectory(dir=work) as output:
            size = f"--image_size=[{options.size},{options.size}]"
            return process("predict", BUNDLES / "fundus_disc_cup", folder, f"--output={output}/masks", size)

    few, many = repeated(images, work / "few", options.batch), repeated(images, work / "shown", 8 * count)
    print(f"\nPrediction, {8 * count} images of {options.size} x {options.size}, {precision}, start-up left out")
    print(f"{'img/s':>6}{'bare':>7}{'ratio':>7}{'bare, fused':>13}{'ratio':>7}{'peak MB':>9}")
    ratios = []
    for _ in range(options.rounds):
        start, before = predict(few)[0], bare(item)
        seconds, memory = predict(many)
        rate, plain, fast = (8 * count - options.batch) / (seconds - start), (before + bare(item)) / 2, bare(fused)
        ratios.append(rate / plain)
        print(f"{rate:6.1f}{plain:7.1f}{rate / plain:7.2f}{fast:13.1f}{rate / fast:7.2f}{memory:9.0f}", flush=True)
    print(f"median: {median(ratios):.2f} of the bare network as PyTorch runs it, layer by layer; predict fuses layers")


def report_prediction_memory(work: Path, images: Path, counts: tuple[int, int]) -> None:
    print("\nPeak memory of a whole prediction process, U-Net, 64 x 64")
    for count in counts:
        folder, output = repeated(images, work / f"repeated_{count}", count), work / f"repeated_{count}_masks"
        seconds, memory = process(
            "predict", BUNDLES / "nuclei_fluorescence", folder, f"--output={output}", "--image_size=[64,64]"
        )
        print(f"{count:6d} images: {memory:7.0f} MB, {seconds:.0f} s")


def report_account(work: Path, images: Path, options: argparse.Namespace) -> None:
    """What the steps of a prediction cost, each timed in its place in the chain, batch after batch."""
    HeapKeep()()
    torch.set_num_threads(1)
    bundle = BUNDLES / "fundus_disc_cup"
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    parser.update({"bundle_root": str(bundle), "dataset_dir": str(images), "output_dir": str(work / "account")})
    parser.update({"image_size": [options.size, options.size], "device": "cpu"})
    precision = choose_precision("auto", "cpu")
    sample = torch.rand(1, 3, options.size, options.size)
    fused = fuse_for_inference(parser.get_parsed_content("network").eval(), image=sample, precision=precision)
    read, after = (parser.get_parsed_content(name) for name in ("preprocessing", "postprocessing"))
    spent: dict[str, list[float]] = {}

    def timed(name: str, step: Callable, value: Any) -> Any:
        start = time.process_time()
        result = step(value)
        spent.setdefault(name, []).append(1000 * (time.process_time() - start))
        return result

    @torch.no_grad()
    def predicted(batch: torch.Tensor) -> torch.Tensor:
        with autocast("cpu", precision):
            return fused(batch).float()

    found = parser.get_parsed_content("found")
    for start in range(0, len(found), options.batch):
        items = [timed("read, resize", read, item) for item in found[start : start + options.batch]]
        batch = torch.stack([item["image"].as_tensor() for item in items])
        logits = timed("network", predicted, batch.contiguous(memory_format=torch.channels_last))
        for item, pred in zip(items, logits, strict=True):
            item["pred"] = MetaTensor(pred, meta=item["image"].meta)
            for step in after.transforms:
                item = timed(type(step).__name__, step, item)
    milliseconds = {name: median(values) for name, values in spent.items()}
    milliseconds["network"] /= options.batch
    print(f"\nCPU milliseconds of one thread per image of {options.size} x {options.size}, {precision}, fused network")
    for name, value in milliseconds.items():
        print(f"{name:16}{value:7.2f}")
    print(f"network's share {milliseconds['network'] / sum(milliseconds.values()):7.2f}")


def report_dropout(options: argparse.Namespace) -> None:
    """A training step of the heart's network: with torch's dropout, with that of the bundles, with none."""
    networks = {"torch's dropout": network("heart_cine_mri").train()}
    networks["the bundles'"] = lane_dropout(deepcopy(networks["torch's dropout"]))
    networks["none"] = deepcopy(networks["torch's dropout"])
    for layer in stochastic_layers(networks["none"]):
        layer.eval()
    image = torch.rand(options.batch, 1, options.size, options.size, device=DEVICE)
    image = image.contiguous(memory_format=torch.channels_last)
    precision = choose_precision("auto", DEVICE)
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(options.repeats):  # in turns, so that other work on the machine meets all
        for name, item in networks.items():
            synchronise()
            start = time.perf_counter()
            with autocast(DEVICE, precision):
                loss = item(image).float().square().mean()
            loss.backward()
            synchronise()
            seconds[name].append(time.perf_counter() - start)
    print(f"\nForward and backward pass, heart, {options.batch} images of {options.size} x {options.size}, {precision}")
    plain = median(seconds["torch's dropout"])
    for name, values in seconds.items():
        print(f"{name:16}{1000 * median(values):6.0f} ms {median(values) / plain:6.2f}")


def repeated(images: Path, folder: Path, count: int) -> Path:
    """A folder of ``count`` links to images, again from the first when they run out."""
    folder.mkdir()
    found = sorted(images.iterdir())
    for index in range(count):
        path = found[index % len(found)]
        (folder / f"{index:06d}{path.suffix}").symlink_to(path.resolve())
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--many", type=int, default=2000, help="images of the memory check; 0 leaves it out")
    parser.add_argument("--predictions", type=int, default=0, help="images of the memory check of prediction: 10000")
    parser.add_argument("--account", action="store_true", help="measure the steps of a prediction, and nothing else")
    parser.add_argument("--dropout", action="store_true", help="measure what dropout costs a step, and nothing else")
    parser.add_argument("--no-adaptation", action="store_true", help="measure prediction alone")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=3, help="of the measurement of prediction")
    options = parser.parse_args()
    mode = choose_precision("auto", DEVICE)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, default mode {mode}")
    if options.dropout:
        return report_dropout(options)
    with TemporaryDirectory() as folder:
        work = Path(folder)
        clinic = write_clinic(work / "clinic", camera="target", count=options.images, size=options.size) / "image"
        if options.account:
            return report_account(work, clinic, options)
        if not options.no_adaptation:
            report_adaptation(work, clinic, options.images, options)
        report_prediction(work, clinic, options.images, options)
        if options.predictions:
            tiny = write_clinic(work / "tiny", camera="target", count=40, size=64) / "image"
            report_prediction_memory(work, tiny, (200, options.predictions))
        if options.many and not options.no_adaptation:
            small = write_clinic(work / "small", camera="target", count=50) / "image"
            large = write_clinic(work / "large", camera="target", count=options.many) / "image"
            report_memory(work, small, large, (50, options.many))


if __name__ == "__main__":
    main()
