"""The folder that MONAI Label starts from: a main.py and copies of the bundles that it serves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from monai_sfda.files import whole_file

__all__ = ["make_app"]

MAIN = '''"""App of MONAI Label: `monailabel start_server --app` reads the class from here."""

from monai_sfda.label.app import LabelApp

__all__ = ["LabelApp"]
'''


def make_app(app: str | os.PathLike, bundles: Sequence[str | os.PathLike]) -> Path:
    """Write ``APP/main.py`` and ``APP/model/<bundle>/`` for each bundle; what is there stays.

    MONAI Label writes into an app (logs, trained and adapted weights), so it gets copies.

    Args:
        app: folder to write.
        bundles: folders of bundles, each with ``configs/inference.json`` and ``configs/adapt.json``.

    Raises:
        FileNotFoundError: if a bundle is missing or cannot be adapted.
    """
    app, roots = Path(app).expanduser(), [Path(bundle).expanduser() for bundle in bundles]
    for root in roots:
        for config in ("inference.json", "adapt.json"):
            if not (root / "configs" / config).is_file():
                raise FileNotFoundError(
                    f"Expected a bundle with configs/{config} at {root}, found none; give the folder of a bundle such "
                    "as bundles/fundus_disc_cup."
                )
    for root in roots:
        _copy(root, app / "model" / root.resolve().name)
    if not any((app / "model").glob("*/configs/inference.json")):
        raise FileNotFoundError(f"Expected a bundle for the app {app}, found none; name the folder of one.")
    with whole_file(app / "main.py") as draft:
        draft.write_text(MAIN)
    return app


def _copy(root: Path, target: Path) -> None:
    """All or nothing: a bundle without its weights would be served as none."""
    if target.exists():
        return
    draft = target.with_name(f".{target.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(root, draft, ignore=shutil.ignore_patterns("eval", "__pycache__", "model_*.pt"))
    os.replace(draft, target)
