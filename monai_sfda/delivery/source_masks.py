"""Share of the image that the source network's training masks cover, if the bundle states it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from monai_sfda.json_file import read_json

__all__ = ["source_masks"]


def source_masks(
    path: str | os.PathLike, *, bundle_root: str | os.PathLike, checkpoint: str | os.PathLike
) -> dict[str, Any]:
    """Read what ``scripts/class_ratios.py`` measured.

    The file of a bundle speaks of the bundle's own weights; of other weights only a file that was named for them does.

    Args:
        path: ``models/source_ratios.json`` of the bundle, which may be absent, or another file.
        bundle_root: folder of the bundle.
        checkpoint: weights that adaptation starts from.

    Returns:
        ``shares`` (structure -> mean share of the image, in [0, 1]), ``spread`` (structure -> its standard deviation
        over images, where that was measured), ``data`` (what the images are) and ``images`` (their number); empty where
        nothing is known.

    Raises:
        FileNotFoundError: if a file that was named is not there.
        ValueError: if it holds something else.
    """
    models = Path(bundle_root, "models").resolve()
    known = Path(path).is_file() and Path(checkpoint).resolve() == models / "model.pt"
    if Path(path).resolve() == models / "source_ratios.json" and not known:
        return {}
    content = read_json(path)
    shares = content.get("ratios")
    if not isinstance(shares, dict) or not all(_is_share(share) for share in shares.values()):
        raise ValueError(
            f"Expected ratios, a share between 0 and 1 of each structure, in {path}, found {shares}; measure the "
            "source masks with scripts/class_ratios.py."
        )
    spread = {"spread": content["spread"]} if "spread" in content else {}
    return {"shares": shares, **spread, "data": content.get("data", ""), "images": content.get("images")}


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
