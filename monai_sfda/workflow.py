"""Run the bundle's own configs, as ``python -m monai.bundle run`` would.

MONAI imports all that it has, which takes seconds: what needs only the files is refused before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from monai_sfda.console import quiet
from monai_sfda.overrides import as_expression, check_names, check_overrides, read_json

if TYPE_CHECKING:
    from monai.bundle import ConfigWorkflow

__all__ = ["check_configs", "run_configs"]


def check_configs(root: Path, configs: list[str], **overrides: Any) -> None:
    """Raise what `run_configs` would raise before it begins."""
    files = [str(root / "configs" / name) for name in configs]
    read_json(root / "configs" / "metadata.json")
    check_names({key.lstrip("+"): value for file in files for key, value in read_json(file).items()}, overrides)
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(files)
    check_overrides(parser.get(), overrides)


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
    files = [str(root / "configs" / name) for name in configs]
    check_configs(root, configs, **overrides)
    from monai.bundle import ConfigWorkflow

    values = {key: as_expression(value) if isinstance(value, Path) else value for key, value in overrides.items()}
    with quiet():
        workflow = ConfigWorkflow(
            config_file=files,
            meta_file=str(root / "configs" / "metadata.json"),
            logging_file=str(root / "configs" / "logging.conf"),
            bundle_root=as_expression(root),
            **values,
        )
        workflow.initialize()
        workflow.run()
        workflow.finalize()
    return workflow
