"""The image to outline next, for MONAI Label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore, DefaultLabelTag
from monailabel.interfaces.tasks.scoring import ScoringMethod
from monailabel.interfaces.tasks.strategy import Strategy

from monai_sfda.label.several import newest_run, next_image, update_choice

__all__ = ["OutlineNext", "UpdateChoice"]


class OutlineNext(Strategy):
    """Offer the drawn images in their order, until the choice needs no further outline.

    Args:
        runs: folder for the runs of a bundle.
    """

    def __init__(self, runs: Path) -> None:
        super().__init__("Outline next: the drawn images, in their order, until a network can be chosen")
        self.runs = runs

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any] | None:
        labelled = datastore.get_labeled_images(request.get("label_tag") or DefaultLabelTag.FINAL)
        name = next_image(self.runs, labelled)
        return None if name is None else {"id": name}


class UpdateChoice(ScoringMethod):
    """Decide among the adapted networks by the final labels of the drawn images.

    Args:
        bundle: folder of the bundle, which receives the chosen weights.
        runs: folder for its runs.
    """

    def __init__(self, bundle: Path, runs: Path) -> None:
        super().__init__("Choose among the adapted networks by the outlines so far; writes model_<site>.pt")
        self.bundle, self.runs = bundle, runs

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        tag = request.get("label_tag") or DefaultLabelTag.FINAL
        owners = {name: datastore.get_label_by_image_id(name, tag) for name in datastore.get_labeled_images(tag)}
        labels = {name: datastore.get_label_uri(label, tag) for name, label in owners.items() if label}
        found = update_choice(self.bundle, self.runs, labels)
        run = newest_run(self.runs)
        if found and run is not None:
            print(f"Report   {run / 'choice' / 'report.html'}", flush=True)
        return found
