"""How fast volumes are segmented, and in how much memory: ``python3 scripts/benchmark_volumes.py``.

Volumes are drawn: a bright ball in noise. Every figure is measured in this run on this machine. "Bare" is the same
network, with the same weights, on slices that are already in memory as tensors.
"""

import environment

environment.enter("dev")

import argparse  # noqa: E402
import json  # noqa: E402
import shutil  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from tempfile import TemporaryDirectory  # noqa: E402

import nibabel  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from benchmark_speed import process  # noqa: E402
from monai.bundle import ConfigParser  # noqa: E402

from monai_sfda.inferers import FastInferer, VolumeInferer  # noqa: E402

BUNDLE = environment.ROOT / "bundles" / "heart_cine_mri"
ZOOMS = (1.4, 1.4, 8.0)


def write_volumes(folder: Path, count: int, size: tuple[int, int, int]) -> Path:
    """Files of one volume under several names: only the first is compressed."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in size), indexing="ij"))
    values = 300 * (np.linalg.norm(places, axis=0) < 0.3) + generator.normal(100, 20, size)
    volume = nibabel.Nifti1Image(values.astype(np.int16), np.diag([*ZOOMS, 1]))
    volume.header.set_xyzt_units("mm")
    nibabel.save(volume, folder / "volume_0.nii.gz")
    for number in range(1, count):
        shutil.copyfile(folder / "volume_0.nii.gz", folder / f"volume_{number}.nii.gz")
    return folder


def bundle_with_weights(work: Path) -> Path:
    """The heart bundle; without its weights, with random ones, which take as long."""
    bundle = Path(shutil.copytree(BUNDLE, work / "heart"))
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    weights = bundle / "models" / "model.pt"
    weights.parent.mkdir(exist_ok=True)
    if not weights.exists():
        torch.manual_seed(0)
        torch.save(parser.get_parsed_content("network_def").state_dict(), weights)
    return bundle


def bare_seconds(bundle: Path, size: tuple[int, int, int], repeats: int) -> float:
    """Seconds per volume of the network alone."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))
    mm = json.loads((bundle / "configs" / "task.json").read_text())["volumes"]["spacing"]
    rows, columns = (round(side * ZOOMS[0] / wanted) for side, wanted in zip(size, mm, strict=False))
    inferer = VolumeInferer(FastInferer(split_batch=True, fused=True), image_size=parser["image_size"])
    volume = torch.rand(1, 1, size[2], rows, columns)
    with torch.no_grad():
        inferer(volume, network)
        start = time.perf_counter()
        for _ in range(repeats):
            inferer(volume, network)
    return (time.perf_counter() - start) / repeats


def predicted(bundle: Path, work: Path, count: int, size: tuple[int, int, int]) -> tuple[float, float]:
    """Seconds and peak memory in MB of a whole process."""
    with TemporaryDirectory(dir=work) as folder:
        volumes = write_volumes(Path(folder) / "volumes", count, size)
        return process("predict", bundle, volumes, f"--output={folder}/out")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs=2, default=(10, 40), help="volumes of a short and a long run")
    parser.add_argument("--size", type=int, nargs=3, default=(216, 256, 10), help="voxels of a volume")
    parser.add_argument("--large", type=int, nargs=3, default=(432, 512, 40), help="voxels of a large volume")
    options = parser.parse_args()
    few, many = options.counts
    with TemporaryDirectory() as name:
        work = Path(name)
        bundle = bundle_with_weights(work)
        print(f"Volumes of {' x '.join(map(str, options.size))} voxels, {torch.get_num_threads()} threads")
        before = bare_seconds(bundle, options.size, few)
        runs = {count: predicted(bundle, work, count, options.size) for count in options.counts}
        bare = (before + bare_seconds(bundle, options.size, few)) / 2
        each = (runs[many][0] - runs[few][0]) / (many - few)
        print(
            f"predict {60 / each:.0f} volumes/min (start-up left out), bare network {60 / bare:.0f}: {bare / each:.2f}"
        )
        for count, (seconds, memory) in runs.items():
            print(f"{count:4d} volumes: {memory:5.0f} MB peak, {seconds:.0f} s")
        seconds, memory = predicted(bundle, work, few, options.large)
        print(f"{few:4d} of {' x '.join(map(str, options.large))}: {memory:5.0f} MB peak, {seconds:.0f} s")


if __name__ == "__main__":
    main()
