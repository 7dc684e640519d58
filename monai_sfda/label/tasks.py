"""What MONAI Label runs: inference with the weights of any site, and adaptation to unlabelled studies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monailabel.interfaces.datastore import Datastore
from monailabel.interfaces.tasks.train import TrainTask
from monailabel.tasks.infer.bundle import BundleInferTask
from monailabel.utils.others.generic import device_list, name_to_device

from monai_sfda.delivery.verdict import WORDS, read_verdict
from monai_sfda.json_file import read_json
from monai_sfda.label.on_voxels import lay_on_voxels
from monai_sfda.label.several import adapt_several
from monai_sfda.label.site import adapt_site, methods_for_site, site_models

__all__ = ["AdaptTask", "SiteInferTask"]

SEVERAL = ("fast", "all")
"""What ``method`` may be beside the name of a recipe: several, among which outlines choose."""


class SiteInferTask(BundleInferTask):
    """Offer the weights of every site, also of those adapted since the server was started."""

    def config(self) -> dict[str, Any]:
        self._config["model_filename"] = site_models(Path(self.bundle_path))
        return self._config

    def writer(self, data: dict[str, Any], extension: Any = None, dtype: Any = None) -> tuple[Any, Any]:
        """File and numbers of a mask, which lies on its volume voxel for voxel."""
        file, numbers = super().writer(data, extension, dtype)
        if isinstance(file, str):
            lay_on_voxels(file, data["image_path"])
        return file, numbers


class AdaptTask(TrainTask):
    """Adapt a bundle to the images of the datastore; labels are never read.

    Its options are ``site`` (names the weights, ``model_<site>.pt``), ``images`` ("unlabeled": those without a final
    label, or "all"), ``method`` (also `SEVERAL`), ``max_epochs`` (0: as the method says) and ``device``.

    Args:
        bundle: folder of the bundle.
        runs: folder for its adaptations.
    """

    def __init__(self, bundle: Path, runs: Path) -> None:
        super().__init__("Adapt to unlabelled images; writes model_<site>.pt beside model.pt, and a report")
        self.bundle, self.runs = bundle, runs

    def config(self) -> dict[str, Any]:
        return {
            "site": "clinic",
            "images": ["unlabeled", "all"],
            "method": [*methods_for_site(self.bundle), *SEVERAL],
            "max_epochs": 0,
            "device": device_list(),
        }

    def stats(self) -> dict[str, Any]:
        """Progress of the newest run: it goes on in a process of its own, which leaves a file."""
        path = self.runs / "progress.json"
        return read_json(path) if path.exists() else {}

    def __call__(self, request: dict[str, Any], datastore: Datastore) -> dict[str, Any]:
        given = {name: request.get(name, default) for name, default in self.config().items()}
        chosen = {name: value[0] if isinstance(value, list) else value for name, value in given.items()}
        everything = chosen["images"] == "all"
        ids = datastore.list_images() if everything else datastore.get_unlabeled_images()
        print(f"adapting {self.bundle.name} to {len(ids)} of {len(datastore.list_images())} images", flush=True)
        site, epochs = str(chosen["site"] or ""), str(chosen["max_epochs"])
        if not epochs.isdecimal():
            raise ValueError(f"Expected max_epochs as a whole number, found {epochs!r}; 0 leaves it to the method.")
        images = {name: datastore.get_image_uri(name) for name in ids}
        how = {"device": name_to_device(chosen["device"]), **({"epochs": int(epochs)} if int(epochs) else {})}
        if chosen["method"] in SEVERAL:
            run = adapt_several(self.bundle, images, site=site, runs=self.runs, methods=chosen["method"], **how)
            return {"run": str(run)}
        weights = adapt_site(self.bundle, images, site=site, runs=self.runs, method=chosen["method"], **how)
        run = self.runs / site
        verdict = read_verdict(read_json(run / "report.json"))
        print(f"Verdict  {WORDS[verdict['decision']]}: {verdict['sentence']}", flush=True)
        print(f"Report   {run / 'report.html'}", flush=True)
        return {"model_filename": weights.name, "verdict": verdict["decision"], "report": str(run / "report.html")}
