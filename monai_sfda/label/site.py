"""Adapt a served bundle to the images of a site, and put the new weights beside those that it came with."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from monai_sfda.files import whole_file
from monai_sfda.overrides import as_expression
from monai_sfda.places import lock_folder
from monai_sfda.recipe_list import same_network_recipes
from monai_sfda.workflow import run_configs

__all__ = [
    "adapt_site",
    "check_images",
    "check_site",
    "epoch_lines",
    "methods_for_site",
    "site_models",
    "site_weights",
]

DATALIST = "$monai.bundle.ConfigParser.load_config_file(@output_dir + '/datalist.json')['images']"


def site_models(bundle: Path) -> list[str]:
    """Names of the weights that fit the bundle's network: ``model.pt``, then ``model_<site>.pt``."""
    return ["model.pt", *sorted(path.name for path in (bundle / "models").glob("model_*.pt"))]


def methods_for_site(bundle: Path) -> list[str]:
    """Recipes whose weights fit the bundle's own network, the default first."""
    return same_network_recipes(bundle)


def site_weights(bundle: Path, site: str) -> Path:
    """Where the weights of a site are."""
    return bundle / "models" / f"model_{site}.pt"


def check_site(site: str) -> None:
    """Refuse a name that cannot be part of the name of a file."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", site):
        raise ValueError(f"Expected a site of letters, digits, _ and -, found {site!r}; choose such a name.")


def check_images(images: Collection[str]) -> None:
    """Refuse fewer images than an adaptation takes."""
    if len(images) < 2:
        raise ValueError(
            f"Expected at least 2 images to adapt to, found {len(images)}; add images to the studies, or take labelled "
            "ones too (images=all, their labels are not read)."
        )


def epoch_lines(runs: Path) -> dict[str, str]:
    """Config of the progress of an adaptation, which the server reads."""
    return {"_target_": "monai_sfda.label.EpochLines", "path": as_expression(runs / "progress.json")}


def adapt_site(
    bundle: Path, images: Mapping[str, str], *, site: str, runs: Path, method: str | None = None, **overrides: Any
) -> Path:
    """Adapt the network of a bundle to images, and write ``models/model_<site>.pt`` in the bundle.

    The bundle's ``adapt.json`` runs in ``runs/<site>``, which receives the report, the adapted bundle and
    ``datalist.json``, the images that were used and how. A run that was stopped is continued; ``model.pt`` is only
    read.

    Args:
        bundle: folder of the bundle.
        images: id -> path; labels have no place here.
        site: name of the new weights: letters, digits, ``_`` and ``-``.
        runs: folder for the runs of this bundle.
        method: one of `methods_for_site`; the first, which is the bundle's default, if left out.
        overrides: any value of the config.

    Returns:
        The written weights.

    Raises:
        ValueError: if there are fewer than 2 images, or the site or the method has another name than it may have.
        FileExistsError: if there are weights of this site, or a finished run that was asked for something else.
    """
    weights = site_weights(bundle, site)
    method = methods_for_site(bundle)[0] if method is None else method
    _check(bundle, images, site, method, weights)
    output = runs / site
    output.mkdir(parents=True, exist_ok=True)
    with lock_folder(output):
        items = [{"image": path, "case": case} for case, path in sorted(images.items())]
        wanted = json.dumps({"images": items, "method": method, "options": overrides}, indent=2, default=str) + "\n"
        if (output / "report.json").exists():  # it was stopped between the report and the copy below
            _refuse_other(output, wanted)
        else:
            with whole_file(output / "datalist.json") as draft:
                draft.write_text(wanted)
            run_configs(
                bundle,
                ["adapt.json", f"methods/{method}.json"],
                output_dir=output,
                listed=DATALIST,
                progress=epoch_lines(runs),
                **overrides,
            )
        with whole_file(weights) as draft:
            shutil.copyfile(output / "bundle" / "models" / "model.pt", draft)
    return weights


def _refuse_other(output: Path, wanted: str) -> None:
    asked = output / "datalist.json"
    if not asked.is_file() or asked.read_text() != wanted:
        raise FileExistsError(
            f"Expected the images, method and options of the finished adaptation in {output}, found others; choose "
            "another site, or delete that folder."
        )


def _check(bundle: Path, images: Mapping[str, str], site: str, method: str, weights: Path) -> None:
    check_site(site)
    if weights.exists():
        raise FileExistsError(f"Expected a new site, found {weights.name} already there; choose another site.")
    known = methods_for_site(bundle)
    if method not in known:
        raise ValueError(f"Expected a method that keeps the network ({', '.join(known)}), found {method!r}.")
    check_images(images)
