"""Bundles on a handful of images: shared by the tests that run whole workflows."""

import json
import os
import shutil
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow
from monai.bundle import run as run_bundle
from PIL import Image
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from monai_sfda import cli
from monai_sfda.files import sha256
from monai_sfda.json_file import read_json
from monai_sfda.networks import load_network
from monai_sfda.networks.layers import output_shapes
from monai_sfda.overrides import placed
from monai_sfda.template.write import write_configs

ROOT = Path(__file__).resolve().parent.parent
ALL_BUNDLES = sorted(path.parent.parent for path in (ROOT / "bundles").glob("*/configs/metadata.json"))
VOLUME_BUNDLES = [path for path in ALL_BUNDLES if "volumes" in read_json(path / "configs" / "task.json")]
BUNDLES = [path for path in ALL_BUNDLES if path not in VOLUME_BUNDLES]
RECIPES = sorted((bundle, path.stem) for bundle in BUNDLES for path in (bundle / "configs" / "methods").glob("*.json"))

VOLUME_SIZES = {"volumes": [16, 16, 16], "slices": [16, 32]}


def recipe_id(value):
    return value.name if isinstance(value, Path) else str(value)


def classes(bundle: Path) -> int:
    """Number of classes of a bundle's label maps, without background."""
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
    return len(metadata["network_data_format"]["outputs"]["pred"]["channel_def"]) - 1


def write_images(folder: Path, count: int = 3, *, classes: int = 0, size: tuple[int, int] = (70, 64)) -> Path:
    """Bright discs on a dark ground, W x H; with ``classes``, the labelled layout with ids up to that."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[: size[1], : size[0]]
    for index in range(count):
        distance = np.hypot(rows - 30 - index, columns - 34 + index)
        picture = (40 + 140 * (distance < 20) + generator.normal(0, 8, distance.shape)).clip(0, 255).astype(np.uint8)
        ids = ((distance < 20).astype(np.uint8) + (distance < 9)).clip(max=classes)
        for name, array in (("image", np.stack([picture] * 3, -1)), ("mask", ids)):
            if name == "image" or classes:
                target = folder / name if classes else folder
                target.mkdir(parents=True, exist_ok=True)
                Image.fromarray(array).save(target / f"case_{index}.png")
    return folder


def write_volumes(folder: Path, count: int = 3, *, classes: int = 0, shape: tuple[int, int, int] = (18, 20, 6)) -> Path:
    """Bright balls in the dark, X x Y x Z voxels of 1 x 1 x 3 mm; with ``classes``, the labelled layout."""
    generator = np.random.default_rng(0)
    x, y, z = np.meshgrid(*map(np.arange, shape), indexing="ij")
    for index in range(count):
        distance = np.sqrt((x - 8 - index) ** 2 + (y - 10) ** 2 + (3 * (z - 2.5)) ** 2)
        values = (40 + 140 * (distance < 7) + generator.normal(0, 8, shape)).astype(np.float32)
        ids = ((distance < 7).astype(np.uint8) + (distance < 4)).clip(max=classes)
        for name, array in (("image", values), ("mask", ids)):
            if name == "image" or classes:
                target = folder / name if classes else folder
                target.mkdir(parents=True, exist_ok=True)
                nibabel.save(nibabel.Nifti1Image(array, np.diag([1.0, 1.0, 3.0, 1.0])), target / f"case_{index}.nii.gz")
    return folder


def volume_bundle(folder: Path, kind: str) -> Path:
    """A bundle of a small network for volumes, or for their slices, with class ratios and without weights."""
    size = VOLUME_SIZES[kind]
    network = {"_target_": "BasicUNet", "spatial_dims": len(size), "in_channels": 1, "out_channels": 3}
    reader = {"_target_": "monai_sfda.volumes.VolumeReader", "spacing": [1.0] * len(size), "percentiles": [0.5, 99.5]}
    task = {
        "structures": {"outer": 1, "inner": 2},
        "head": "softmax",
        "image_size": size,
        "volumes": reader,
        "network_def": {**network, "features": [4, 4, 8, 8, 8, 4], "norm": "batch", "dropout": 0.1},
        "loss": {"_target_": "DiceCELoss", "include_background": False, "to_onehot_y": True, "softmax": True},
        "feature_layer": "upcat_1",
        "early_layer": "upcat_2",
        "classifier": "$@network.final_conv.weight",
        "default_method": "cbmt",
    }
    write_configs(folder / "configs", task)
    shutil.copy(BUNDLES[-1] / "configs" / "metadata.json", folder / "configs")
    (folder / "models").mkdir()
    ratios = {"background": 0.8, "outer": 0.15, "inner": 0.05}
    (folder / "models" / "source_ratios.json").write_text(json.dumps({"ratios": ratios}))
    return folder


def size_of(bundle: Path) -> list[int]:
    return read_json(bundle / "configs" / "task.json")["image_size"]


def random_weights(bundle: Path, path: Path) -> Path:
    """A checkpoint that fits the bundle's network."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    torch.manual_seed(0)
    torch.save(parser.get_parsed_content("network_def").state_dict(), path)
    return path


def uses_source(bundle: Path, method: str) -> bool:
    """Whether a recipe needs labelled source images."""
    return bool(read_json(bundle / "configs" / "methods" / f"{method}.json")["method"].get("uses_source"))


def adaptation(bundle: Path, method: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Configs that run a recipe, and overrides for what it needs beside the images, made in ``folder``."""
    places = untrained_helpers(bundle, method, folder)
    if not uses_source(bundle, method):
        return ["adapt.json", f"methods/{method}.json"], places
    source = write_images(folder / "source", 4, classes=classes(bundle))
    return ["adapt_with_source.json", f"methods/{method}.json"], {**places, "source_dir": str(source)}


def untrained_helpers(bundle: Path, method: str, folder: Path) -> dict[str, str]:
    """Overrides that point a recipe to untrained weights of the further networks that it reads from files."""
    parser = ConfigParser()
    parser.read_config([str(bundle / "configs" / name) for name in ("adapt.json", f"methods/{method}.json")])
    if "method::parts::prototypes" in parser:
        write_prototypes(bundle, folder / "model.pt")
    if "method::parts::denoiser_def" not in parser:
        return {}
    torch.save(parser.get_parsed_content("method::parts::denoiser_def").state_dict(), folder / "denoiser.pt")
    return {"denoiser_checkpoint": str(folder / "denoiser.pt")}


def write_prototypes(bundle: Path, weights: Path) -> None:
    """Prototypes of anything, beside random weights."""
    task = read_json(bundle / "configs" / "task.json")
    parser = ConfigParser({"network_def": task["network_def"]})
    channels = output_shapes(parser.get_parsed_content("network_def"))[task["feature_layer"]][1]
    names = ["background", *task["structures"]]
    content = {"prototypes": torch.randn(len(names), channels), "names": names, "layer": task["feature_layer"]}
    torch.save({**content, "weights": sha256(weights)}, weights.with_name("prototypes.pt"))


def network_of(bundle: Path) -> torch.nn.Module:
    """The network of a bundle with its weights, as its own inference config builds it."""
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    return load_network(parser.get_parsed_content("network_def"), bundle / "models" / "model.pt")


def workflow(bundle: Path, *configs: str, **overrides) -> ConfigWorkflow:
    """The bundle run, set up but not started."""
    files = [bundle / "configs" / name for name in configs]
    values = {"image_size": [64, 64], "precision": "float32", **overrides}
    return ConfigWorkflow(
        config_file=[str(file) for file in files],
        meta_file=str(bundle / "configs" / "metadata.json"),
        logging_file=False,
        bundle_root=str(bundle),
        **placed({name: value for file in files for name, value in read_json(file).items()}, values),
    )


def run(bundle: Path, *configs: str, **overrides) -> ConfigWorkflow:
    item = workflow(bundle, *configs, **overrides)
    item.initialize()
    item.run()
    item.finalize()
    return item


def run_together(processes: int, bundle: Path, *configs: str, **settings) -> None:
    """What ``torchrun -m monai.bundle run`` does, in forks of a process that has imported all (fixture ``fork``)."""
    rendezvous = {"rdzv_backend": "c10d", "rdzv_endpoint": "localhost:0", "max_restarts": 0}
    launch = elastic_launch(LaunchConfig(1, 1, processes, start_method="forkserver", **rendezvous), _run_in)
    launch(str(bundle), [f"configs/{name}" for name in configs], settings)


def _run_in(folder: str, files: list[str], settings: dict) -> None:
    os.chdir(folder)
    run_bundle(config_file=files, **settings)


def command(monkeypatch, *words) -> None:
    """Give a command as a person types it."""
    monkeypatch.setattr(sys, "argv", ["monai-sfda", *map(str, words)])
    cli.main()


def fails(monkeypatch, *words) -> str:
    """Give a command that ends with one sentence; returns it."""
    with pytest.raises(SystemExit) as stop:
        command(monkeypatch, *words)
    sentence = str(stop.value.code)
    assert "Traceback" not in sentence
    assert len(sentence.splitlines()) == 1
    return sentence
