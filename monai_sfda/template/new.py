"""Make a bundle for another task from an existing one, without its weights and its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from string import Template
from typing import Any

from monai_sfda.files import whole_file
from monai_sfda.json_file import write_json
from monai_sfda.template.write import write_configs

__all__ = ["LOSSES", "check_structures", "new_task", "write_bundle"]

PAGES = Path(__file__).with_name("pages")
OF_THE_NETWORK = ("volumes", "network_def", "feature_layer", "early_layer", "classifier")
WITH_WEIGHTS = ("finder", "cut")  # a search needs a network of its own, which lies among the weights
LOSSES = {
    "softmax": {"_target_": "DiceCELoss", "include_background": False, "to_onehot_y": True, "softmax": True},
    "sigmoid": {"_target_": "torch.nn.BCEWithLogitsLoss"},
}
"""Head -> the loss that training minimises."""

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
PACKAGES = ("monai-sfda", "pytorch-ignite", "nibabel", "pillow", "tqdm")
TO_DO = "To be filled in"


def check_structures(names: Sequence[str]) -> None:
    """Refuse names that cannot head a column, such as ``vessel_pixels``, or be a word of a config.

    Raises:
        ValueError: if there is none, or one is no such name, or stands twice.
    """
    if not names:
        raise ValueError("Expected a name of at least one structure, found none; give --structures vessel.")
    lower = [name.lower() for name in names]
    for name in names:
        if not name.isidentifier() or name.startswith("_"):
            raise ValueError(
                f"Expected structures named by letters, digits and _, beginning with a letter, found {name!r}: a name "
                "heads columns of tables; give another one."
            )
        if name.lower() == "background":
            raise ValueError("Expected structures without the background, found it among them; leave it out.")
        if lower.count(name.lower()) > 1:
            raise ValueError(f"Expected structures of different names, found {name} twice; rename one.")


def new_task(
    source: Mapping[str, Any], structures: Sequence[str], *, head: str, image_size: Sequence[int] | None = None
) -> tuple[dict[str, Any], str]:
    """What ``task.json`` of the new bundle says.

    The same structures under the same head are the same task: then its limits, findings and names are taken over, too.

    Args:
        source: the task of the bundle whose network is taken.
        structures: names; the first is 1 in masks, and so on.
        head: one of `LOSSES`.
        image_size: height and width in pixels, of windows of a 3-D network their slices, rows and columns; those of
            ``source`` if left out.

    Returns:
        The task, and what is left to edit in it, which is empty if the number of channels could be set.
    """
    first = 1 if head == "softmax" else 0
    numbered = {name: number for number, name in enumerate(structures, first)}
    size = list(image_size or source["image_size"])
    if (numbered, head) == (source.get("structures"), source.get("head")):
        return {**{name: source[name] for name in source if name not in WITH_WEIGHTS}, "image_size": size}, ""
    channels = first + len(structures)
    kept = {name: source[name] for name in OF_THE_NETWORK if source.get(name) is not None}
    definition = _with_channels(kept["network_def"], channels)
    task = {
        "structures": numbered,
        "head": head,
        "image_size": size,
        **kept,
        "network_def": definition or kept["network_def"],
        "loss": LOSSES[head],
        "default_method": _default_method(kept),
    }
    return task, "" if definition else (
        f"let network_def in configs/task.json give {channels} channels, for it has no out_channels that could be set"
    )


def write_bundle(folder: Path, task: Mapping[str, Any]) -> None:
    """Write configs, metadata, page and placeholders of the licences; weights come with the first training."""
    write_configs(folder / "configs", task)
    write_json(folder / "configs" / "metadata.json", _metadata(folder, task), indent=4, ensure_ascii=False)
    words = _words(folder, task)
    for page, target in (("README.md", "docs"), ("data_license.txt", "docs"), ("LICENSE", ".")):
        text = Template((PAGES / page).read_text(encoding="utf-8")).substitute(words)
        with whole_file(folder / target / page) as draft:
            draft.write_text(text, encoding="utf-8")


def _default_method(kept: Mapping[str, Any]) -> str:
    """Volumes: the method whose worst loss on four real pairs is the smallest (docs/results.md, the heart)."""
    return "tent" if "volumes" in kept else "cbmt"


def _with_channels(definition: Mapping[str, Any], channels: int) -> dict[str, Any] | None:
    """A network with that many output channels, also if it stands inside `monai_sfda.networks.with_input`."""
    if "out_channels" in definition:
        return {**definition, "out_channels": channels}
    inner = definition.get("network")
    changed = _with_channels(inner, channels) if isinstance(inner, Mapping) else None
    return {**definition, "network": changed} if changed else None


def _words(folder: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    names = list(task["structures"])
    background = ["background"] if task["head"] == "softmax" else []
    return {
        **(_of_volumes(task) if "volumes" in task else _of_pictures(task)),
        "name": folder.resolve().name,
        "structures": ", ".join(names),
        "ids": ", ".join(f"{number} {name}" for number, name in enumerate(["background", *names])),
        "channels": ", ".join(f"{number} {name}" for number, name in enumerate([*background, *names])),
        "count": len(background) + len(names),
        "head": task["head"],
        "loss": task["loss"]["_target_"].rpartition(".")[2],
        "network": task["network_def"]["_target_"].rpartition(".")[2],
        "todo": TO_DO,
    }


def _of_pictures(task: Mapping[str, Any]) -> dict[str, str]:
    size = " x ".join(map(str, task["image_size"]))
    return {
        "items": "images",
        "file": "NAME.png",
        "size": size,
        "input": "RGB",
        "reading": f"Images are read as 8-bit RGB, resized to {size} pixels (bilinear) and scaled to [-1, 1].",
        "classes": "RGB or grey, read as 8 bit",
        "where": "in the size of the image",
    }


def _of_volumes(task: Mapping[str, Any]) -> dict[str, str]:
    volumes, size = task["volumes"], " x ".join(map(str, task["image_size"]))
    spacing = " x ".join(f"{mm:g}" for mm in volumes["spacing"])
    what = "slices" if len(volumes["spacing"]) == 2 else "volumes"
    black, white = volumes.get("percentiles") or (None, None)
    rule = (
        f"mean and {volumes['z_score']:g} standard deviations"
        if black is None
        else f"percentiles {black:g} and {white:g}"
    )
    return {
        "items": "volumes",
        "file": "NAME.nii.gz",
        "size": size,
        "input": "One channel",
        "reading": f"The network sees {what} at {spacing} mm. Grey levels of a volume are scaled to [-1, 1] by its "
        f"{rule}.",
        "classes": f"one channel, {what} at {spacing} mm",
        "where": "on the voxels of the volume",
    }


def _metadata(folder: Path, task: Mapping[str, Any]) -> dict[str, Any]:
    words = _words(folder, task)
    size = list(task["image_size"])
    classes = ["background", *(task.get("class_names", {}).values() or task["structures"])]
    usual = {"dtype": "float32", "is_patch_data": False, "spatial_shape": size}
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": "first version"},
        "monai_version": _version("monai"),
        "pytorch_version": _version("torch"),
        "numpy_version": _version("numpy"),
        "required_packages_version": {name: _version(name) for name in PACKAGES},
        "name": words["name"],
        "task": f"Segmentation of {words['structures']}",
        "description": f"{words['network']} with a {task['head']} head that segments {words['structures']}",
        "authors": TO_DO,
        "copyright": TO_DO,
        "data_source": TO_DO,
        "data_type": TO_DO,
        "image_classes": words["classes"],
        "label_classes": f"single channel, {words['ids']}",
        "pred_classes": f"{words['count']} channels of logits, {task['head']}: {words['channels']}",
        "eval_metrics": {},
        "intended_use": "Research only.",
        "references": [],
        "supported_apps": {"monai-label": ""},
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude" if "volumes" in task else "RGB",
                    "num_channels": 1 if "volumes" in task else 3,
                    **usual,
                    "value_range": [-1, 1],
                    "channel_def": {"0": "image"} if "volumes" in task else {"0": "R", "1": "G", "2": "B"},
                }
            },
            "outputs": {
                "pred": {
                    "type": "logits",
                    "format": "segmentation",
                    "num_channels": words["count"],
                    **usual,
                    "value_range": [],
                    "channel_def": {str(number): name for number, name in enumerate(classes)},
                }
            },
        },
    }


def _version(package: str) -> str:
    """Of the package here; a checkout that is only on the path has none."""
    try:
        return version(package).partition("+")[0]
    except PackageNotFoundError:
        return "unknown"
