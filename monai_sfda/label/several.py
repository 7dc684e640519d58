"""Several methods for a site, and the choice among them by the labels that people save.

A run is what ``monai-sfda adapt --methods`` and ``monai-sfda choose`` write, in ``runs/<site>``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from monai_sfda import cli
from monai_sfda.files import whole_file, without_suffix
from monai_sfda.json_file import read_json
from monai_sfda.label.site import check_images, check_site, epoch_lines, site_weights
from monai_sfda.places import lock_folder
from monai_sfda.tables import read_csv

__all__ = ["adapt_several", "drawn_images", "newest_run", "next_image", "update_choice"]

WAIT = 600
"""Seconds for a decision by earlier labels."""


def adapt_several(
    bundle: Path, images: Mapping[str, str], *, site: str, runs: Path, methods: str, **overrides: Any
) -> Path:
    """Adapt with several methods, and draw the images to outline; the same request continues a run that was stopped.

    Args:
        bundle: folder of the bundle.
        images: id -> path; labels have no place here.
        site: name of the run and of the weights that are chosen, ``model_<site>.pt``.
        runs: folder for the runs of this bundle.
        methods: as for ``monai-sfda adapt --methods``.
        overrides: any value of the config.

    Returns:
        The folder of the run.

    Raises:
        ValueError: if there are fewer than 2 images, or the site has another name than it may have.
        FileExistsError: if there are weights of this site that are not of this run.
    """
    run, weights = runs / site, site_weights(bundle, site)
    check_site(site)
    check_images(images)
    if not (run / "choice.json").exists() and (weights.exists() or run.exists()):
        raise FileExistsError(f"Expected a new site, found {site} already there; choose another site.")
    _link_all(images, run / "images")
    how = {"methods": methods, "progress": epoch_lines(runs), **overrides}
    cli.adapt(str(bundle), str(run / "images"), output=str(run), **how)
    cli.choose(str(run), weights_only=True)
    return run


def newest_run(runs: Path) -> Path | None:
    """The run whose images were drawn last."""
    orders = sorted(runs.glob("*/outline/order.csv"), key=lambda path: path.stat().st_mtime)
    return orders[-1].parent.parent if orders else None


def drawn_images(run: Path) -> list[str]:
    """Ids of the images to outline, in their order."""
    rows = read_csv(run / "outline" / "order.csv", ["case", "image"])
    return [without_suffix(row["case"]) for row in rows if row["image"]]


def next_image(runs: Path, labelled: Collection[str]) -> str | None:
    """Id of the image to outline next; None if nothing was drawn, or no further outline is needed.

    Args:
        runs: folder for the runs of a bundle.
        labelled: ids of the images that have an outline.
    """
    run = newest_run(runs)
    if run is None or read_json(run / "choice.json").get("measured", {}).get("decision", "outline") != "outline":
        return None
    return next((image for image in drawn_images(run) if image not in labelled), None)


def update_choice(bundle: Path, runs: Path, labels: Mapping[str, str]) -> dict[str, Any]:
    """Decide by the labels of the drawn images, and serve what was chosen.

    ``models/model_<site>.pt`` appears if a candidate is adopted, and disappears if later labels say otherwise.

    Args:
        bundle: folder of the bundle.
        runs: folder for its runs; the newest counts.
        labels: id -> path of its label.

    Returns:
        ``decision``, ``sentence`` and ``more`` (outlines that are missing); nothing if no drawn image has a label.
    """
    run = newest_run(runs)
    mine = {name: labels[name] for name in (drawn_images(run) if run else []) if name in labels}
    if run is None or not mine:
        return {}
    with lock_folder(runs, wait=WAIT):  # MONAI Label asks again while an earlier question is still being answered
        return _decide(bundle, run, mine)


def _decide(bundle: Path, run: Path, mine: Mapping[str, str]) -> dict[str, Any]:
    outlines = run / "labels"
    shutil.rmtree(outlines, ignore_errors=True)
    _link_all(mine, outlines)
    cli.choose(str(run), outlines=str(outlines), weights_only=True)
    found = read_json(run / "choice.json")["measured"]
    weights = site_weights(bundle, run.name)
    if found["decision"] == "adopt":
        with whole_file(weights) as draft:
            shutil.copyfile(run / "chosen" / "models" / "model.pt", draft)
    else:
        weights.unlink(missing_ok=True)
    return {name: found[name] for name in ("decision", "sentence", "more")}


def _link_all(files: Mapping[str, str], folder: Path) -> None:
    """Bring files into a folder under their ids."""
    for name, path in files.items():
        file = Path(path).name
        _link(Path(path), folder / f"{name}{file[len(without_suffix(file)) :]}")


def _link(path: Path, place: Path) -> None:
    """A link to a file, or a copy where there are no links."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.symlink(path.resolve(), place)
    except OSError:
        shutil.copyfile(path, place)
