"""The MONAI Label app: every bundle of the app folder, served, trained on labels, and adapted without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.app import MONAILabelApp
from monailabel.tasks.activelearning.first import First
from monailabel.tasks.activelearning.random import Random
from monailabel.tasks.train.bundle import BundleTrainTask

from monai_sfda import __version__
from monai_sfda.label.next_outline import OutlineNext, UpdateChoice
from monai_sfda.label.several import newest_run
from monai_sfda.label.tasks import AdaptTask, SiteInferTask

__all__ = ["LabelApp"]


class LabelApp(MONAILabelApp):
    """Serve the bundles under ``model/``.

    Args:
        app_dir: folder written by `make_app`.
        studies: folder or address of the images.
        conf: what was given as ``--conf NAME VALUE``.
    """

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        found = sorted(Path(app_dir, "model").glob("[!.]*/configs/inference.json"))
        self.bundles = {path.parent.parent.name: path.parent.parent for path in found}
        super().__init__(
            app_dir=app_dir,
            studies=studies,
            conf=conf,
            name=f"monai_sfda {__version__}",
            description="Segmentation that adapts to unlabelled studies",
            version=__version__,
        )

    def init_infers(self) -> dict[str, Any]:
        return {name: SiteInferTask(str(path), self.conf) for name, path in self.bundles.items()}

    def init_trainers(self) -> dict[str, Any]:
        """Adaptation first: 3D Slicer shows the progress of the first task."""
        adapt = {f"{name}_adapt": AdaptTask(path, self.runs(name)) for name, path in self.bundles.items()}
        train = {name: BundleTrainTask(str(path), self.conf) for name, path in self.bundles.items()}
        return adapt | {name: task for name, task in train.items() if task.is_valid()}

    def init_strategies(self) -> dict[str, Any]:
        outline = {f"{name}_outline_next": OutlineNext(self.runs(name)) for name in self.bundles}
        return {"random": Random(), "first": First(), **outline}

    def init_scoring_methods(self) -> dict[str, Any]:
        return {f"{name}_choose": UpdateChoice(path, self.runs(name)) for name, path in self.bundles.items()}

    def on_save_label(self, image_id: str, label_id: str) -> None:
        """Each outline updates the choice, in a process of its own."""
        super().on_save_label(image_id, label_id)
        for name in self.bundles:
            if newest_run(self.runs(name)):
                self.async_scoring(f"{name}_choose")

    def runs(self, name: str) -> Path:
        """Folder for the adaptations of a bundle."""
        return Path(self.app_dir, "adapted", name)
