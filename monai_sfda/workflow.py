"""Run the bundle's own configs, as ``python -m monai.bundle run`` would.

MONAI imports all that it has, which takes seconds: what needs only the files is refused before.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_sfda.console import quiet
from monai_sfda.json_file import read_json
from monai_sfda.older import is_older
from monai_sfda.overrides import as_expression, check_names, check_overrides, placed

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow

__all__ = ["check_configs", "run_checked", "run_configs"]


def check_configs(root: Path, configs: list[str], **overrides: Any) -> dict[str, Any]:
    """Raise what `run_configs` would raise before it begins; returns the overrides by their place in the configs."""
    files = [str(root / "configs" / name) for name in configs]
    read_json(root / "configs" / "metadata.json")
    if older := [file for file in files if Path(file).is_file() and is_older(Path(file).read_text(encoding="utf-8"))]:
        raise ValueError(
            f"Expected a bundle of this version, found names of version 0.1 in {older[0]}; rewrite them with "
            f"python -m monai_sfda.older {root}."
        )
    content = {key.lstrip("+"): value for file in files for key, value in read_json(file).items()}
    _check_task(root, content)
    overrides = placed(content, overrides)
    check_names(content, overrides)
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(files)
    check_overrides(parser.get(), overrides)
    return overrides


def run_configs(root: Path, configs: list[str], **overrides: Any) -> ConfigWorkflow:
    """Run configs of a bundle to the end.

    Args:
        root: folder of the bundle.
        configs: names under ``configs/`` or absolute paths; later ones lie over earlier ones.
        overrides: any value of the configs; a ``Path`` is taken literally.

    Raises:
        FileNotFoundError: if a config is missing.
        ValueError: if a config is damaged or an override does not fit.
    """
    return run_checked(root, configs, check_configs(root, configs, **overrides))


def run_checked(root: Path, configs: list[str], overrides: Mapping[str, Any]) -> ConfigWorkflow:
    """The same with what `check_configs` has returned."""
    from monai.bundle import ConfigWorkflow

    values = {key: as_expression(value) if isinstance(value, Path) else value for key, value in overrides.items()}
    with quiet():
        workflow = ConfigWorkflow(
            config_file=[str(root / "configs" / name) for name in configs],
            meta_file=str(root / "configs" / "metadata.json"),
            logging_file=str(root / "configs" / "logging.conf"),
            bundle_root=as_expression(root),
            **values,
        )
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    return workflow


def _check_task(root: Path, content: Mapping[str, Any]) -> None:
    """Check that every config of a bundle agrees with its task."""
    path = root / "configs" / "task.json"
    for name, value in read_json(path).items() if path.is_file() else ():
        found = content.get(name, value)
        if isinstance(value, dict) and isinstance(found, dict):
            value = {key: item for key, item in value.items() if key != "_desc_"}  # a config may have its own words
            found = {key: item for key, item in found.items() if key in value}  # and add to it
        if found != value:
            raise ValueError(
                f"Expected the configs of {root} to follow its configs/task.json, found another {name}; change it in "
                f"task.json, then: python -m monai_sfda.template {root}."
            )
