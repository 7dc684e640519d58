"""Describe the prediction of one image, as a step of a bundle's postprocessing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor
from torch import Tensor

from monai_sfda.findings import Findings, Prediction
from monai_sfda.functional import Cutoff, check_cutoff, decide
from monai_sfda.imageio.header import header_facts
from monai_sfda.metrics import soft_dice_confidence
from monai_sfda.pieces import bounding_box
from monai_sfda.prediction.geometry import measure_mask, structure_masks
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.quality import image_quality

__all__ = ["DescribeCased", "describe_mask"]

DIGITS = 4


class DescribeCased(MapTransform):
    """Put ``row`` into the item: numbers, flags and status of one image, of JSON's own types (docs/columns.md).

    Besides the label map it reads what is there of:

    - ``case``: relative path of the image;
    - ``image``: (3, h, w) in [-1, 1], the input of the network;
    - ``prob``: (K, h, w) in [0, 1], with a background channel (softmax) or without (one sigmoid per structure,
      from outer to inner where they are nested);
    - ``spacing``: height and width of a pixel of the label map in mm, or None; ``laterality``: R, L or None; an item
      without them is asked for the header of the file that its image was read from;
    - ``kept``: what `Findings.keep` said of the name that is hidden behind a pseudonym;
    - ``flip_agreement``: name -> how far the mask stays the same in mirror images, see `FlipAgreement`;
    - ``located``: what a search for the organ said, as `ReadPhotod` leaves it: a bool, or a mapping with ``found`` and
      perhaps ``box`` (left, top, right, bottom), which is what the network saw of the image.

    Args:
        keys: key of the label map (1, W, H), as `SaveMaskd` takes it.
        classes: id -> name, without background.
        findings: what the organ adds, such as `monai_sfda.organs.fundus.DiscAndCup`; None adds nothing.
        cutoff: how probabilities become masks, see `decide`; one number, or one for each channel of ``prob``.
        thresholds: limits of flags that differ from those of the findings, see `Judge`.
        image_key, prob_key: keys of the image and the probabilities.
        row_key: key to write.
        allow_missing_keys: as in MONAI.

    Raises:
        ValueError: if the findings are of a class that is not among ``classes``, or as `Judge`.
    """

    volumes = False

    def __init__(
        self,
        keys: KeysCollection,
        *,
        classes: Mapping[Any, str],
        findings: Findings | None = None,
        cutoff: Cutoff = 0.5,
        thresholds: Mapping[str, Any] | None = None,
        image_key: str = "image",
        prob_key: str = "prob",
        row_key: str = "row",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.classes = dict(sorted((int(number), name) for number, name in classes.items()))
        self.findings = NO_FINDINGS if findings is None else findings
        if unknown := sorted(set(self.findings.codes) - set(self.classes)):
            raise ValueError(
                f"Expected findings of classes of the label map ({self.classes}), found the id "
                f"{', '.join(map(str, unknown))}; correct findings in configs/inference.json."
            )
        self.judge = Judge(self.classes, self.findings, thresholds, volumes=self.volumes)
        self.cutoff, self.image_key, self.prob_key, self.row_key = check_cutoff(cutoff), image_key, prob_key, row_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[self.row_key] = self.describe(item, key)
        return item

    def describe(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[str, Any]:
        """The row of one item."""
        numbers: dict[str, Any] = {}
        above = None
        if item.get(self.prob_key) is not None:
            above, numbers = self.probabilities(convert_to_tensor(item[self.prob_key], track_meta=False))
        if item.get(self.image_key) is not None:
            numbers |= image_quality(convert_to_tensor(item[self.image_key], track_meta=False))
        numbers |= self.agreement(item)
        ids = convert_to_tensor(item[key], track_meta=False)[0].T.cpu().numpy()
        path = getattr(item.get(self.image_key), "meta", {}).get("filename_or_obj")
        facts = header_facts(path) if path else {}
        facts |= {name: item[name] for name in ("spacing", "laterality") if name in item}
        if "located" in item:
            located = item["located"]
            facts["located"] = located if isinstance(located, Mapping) else {"found": located}
            facts["seen"] = facts["located"].get("box")
        facts |= {"kept": item.get("kept"), "above": above}
        return describe_mask(ids, str(item.get("case", "")), self.classes, self.judge, self.findings, numbers, **facts)

    def agreement(self, item: Mapping[Hashable, Any]) -> dict[str, Any]:
        """How far the mask of each structure stays the same in mirror images, where that is known."""
        values = item.get("flip_agreement", {})
        return {f"{name.replace(' ', '_')}_flip_agreement": value for name, value in values.items()}

    def probabilities(self, prob: Tensor) -> tuple[dict[int, np.ndarray], dict[str, Any]]:
        """Class id -> where its channel is above the cut-off, and the confidence of each structure."""
        # Networks in channels-last format leave the channels interleaved.
        prob = torch.from_numpy(np.ascontiguousarray(prob.detach().float().cpu()))
        background = len(prob) == len(self.classes) + 1
        masks = decide(prob[None], "softmax" if background else "sigmoid", self.cutoff)[0, background:]
        # torch converts bytes several times faster than bool
        scores = soft_dice_confidence(prob[None, background:], masks.view(torch.uint8)[None])[0].tolist()
        above = dict(zip(self.classes, masks.numpy(), strict=True))
        confidences = {
            f"{name.replace(' ', '_')}_confidence": score if above[number].any() else None
            for (number, name), score in zip(self.classes.items(), scores, strict=True)
        }
        return above, confidences


def describe_mask(
    ids: Any,
    case: str,
    classes: Mapping[int, str],
    judge: Judge,
    findings: Findings = NO_FINDINGS,
    numbers: Mapping[str, Any] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """The row of a label map (H, W), of further ``numbers`` and ``facts`` of its image, see `Prediction`."""
    prediction = Prediction(ids, bounding_box(ids != 0), case, **facts)
    row: dict[str, Any] = {"file": case, "status": "ok", "flags": {}, "height": ids.shape[0], "width": ids.shape[1]}
    row |= findings.columns(prediction)
    row |= measure_mask(structure_masks(ids[prediction.box], classes, findings.inside), prediction.spacing)
    return finished_row(row | dict(numbers or {}), judge)


def finished_row(row: dict[str, Any], judge: Judge) -> dict[str, Any]:
    """A row with its flags and status, and its numbers rounded."""
    row["flags"] = judge(row)
    row["status"] = "review" if row["flags"] else "ok"
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in row.items()}
