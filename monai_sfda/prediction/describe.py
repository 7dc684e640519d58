"""What a prediction says about one image, as a step of a bundle's postprocessing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor
from torch import Tensor

from monai_sfda.functional import Cutoff, check_cutoff, decide
from monai_sfda.imageio.header import header_facts
from monai_sfda.metrics import soft_dice_confidence
from monai_sfda.organs.fundus.laterality import eye_of
from monai_sfda.prediction.geometry import SIDES, is_disc_and_cup, isnt_order, measure_mask
from monai_sfda.prediction.judge_case import default_limits, judge_case
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
    - ``eye``: right, left or nothing, as the name says that is hidden behind a pseudonym;
    - ``flip_agreement``: name -> how far the mask stays the same in mirror images, see `FlipAgreement`;
    - ``located``: whether the disc was found in the photograph, as bool, or as a mapping with ``found`` and perhaps
      ``box`` (left, top, right, bottom), which is what the network saw of it, and more of what `DiscFinder` says.

    Args:
        keys: key of the label map (1, W, H), as `SaveMaskd` takes it.
        classes: id -> name, without background.
        cutoff: how probabilities become masks, see `decide`; one number, or one for each channel of ``prob``.
        thresholds: limits of flags that differ from `default_limits`.
        image_key, prob_key: keys of the image and the probabilities.
        row_key: key to write.
        allow_missing_keys: as in MONAI.
    """

    def __init__(
        self,
        keys: KeysCollection,
        *,
        classes: Mapping[Any, str],
        cutoff: Cutoff = 0.5,
        thresholds: Mapping[str, Any] | None = None,
        image_key: str = "image",
        prob_key: str = "prob",
        row_key: str = "row",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.classes = dict(sorted((int(number), name) for number, name in classes.items()))
        self.limits = default_limits(self.classes, thresholds)
        self.cutoff, self.image_key, self.prob_key, self.row_key = check_cutoff(cutoff), image_key, prob_key, row_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            item[self.row_key] = self.describe(item, key)
        return item

    def describe(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[str, Any]:
        """The row of one item."""
        numbers: dict[str, Any] = {}
        if item.get(self.prob_key) is not None:
            numbers |= self.probabilities(convert_to_tensor(item[self.prob_key], track_meta=False))
        if item.get(self.image_key) is not None:
            numbers |= image_quality(convert_to_tensor(item[self.image_key], track_meta=False))
        numbers |= {
            f"{name.replace(' ', '_')}_flip_agreement": value for name, value in item.get("flip_agreement", {}).items()
        }
        located = item.get("located")
        place = located if isinstance(located, Mapping) else {"found": located}
        if "located" in item:  # of a bundle that searches for the disc
            numbers |= {"located": place.get("found"), "located_confidence": place.get("confidence")}
        numbers |= _cut(place) if "cropped" in place else {}
        ids = convert_to_tensor(item[key], track_meta=False)[0].T.cpu().numpy()
        path = getattr(item.get(self.image_key), "meta", {}).get("filename_or_obj")
        facts = {"seen": place.get("box")} | (header_facts(path) if path else {})
        facts |= {name: item[name] for name in ("spacing", "laterality") if name in item}
        facts["named"] = item.get("eye")
        return describe_mask(ids, str(item.get("case", "")), self.classes, self.limits, numbers, **facts)

    def probabilities(self, prob: Tensor) -> dict[str, Any]:
        """Confidence of each structure, and the share of the cup outside the disc."""
        # Networks in channels-last format leave the channels interleaved.
        prob = torch.from_numpy(np.ascontiguousarray(prob.detach().float().cpu()))
        background = len(prob) == len(self.classes) + 1
        masks = decide(prob[None], "softmax" if background else "sigmoid", self.cutoff)[0, background:]
        prob = prob[background:]
        # torch converts bytes several times faster than bool
        scores = soft_dice_confidence(prob[None], masks.view(torch.uint8)[None])[0].tolist()
        names = [name.replace(" ", "_") for name in self.classes.values()]
        areas = {name: int(np.count_nonzero(mask)) for name, mask in zip(names, masks.numpy(), strict=True)}
        row: dict[str, Any] = {
            f"{name}_confidence": score if areas[name] else None for name, score in zip(names, scores, strict=True)
        }
        if is_disc_and_cup(self.classes):
            outside = masks[names.index("optic_cup")] & ~masks[names.index("optic_disc")]
            row["cup_outside_disc"] = int(outside.count_nonzero()) / max(areas["optic_cup"], 1)
        return row


def _cut(place: Mapping[str, Any]) -> dict[str, bool | None]:
    """Whether the picture was cut, whether it was though not a whole photograph, and whether looks disagreed."""
    cut, agreed = place["cropped"], place.get("agreed")
    return {
        "cut": cut,
        "cut_again": None if cut is None else cut and not place.get("photograph"),
        "looks_disagree": None if cut is None else agreed is False,
    }


def describe_mask(
    ids: Any,
    case: str,
    classes: Mapping[int, str],
    limits: Mapping[str, Any],
    numbers: Mapping[str, Any] | None = None,
    *,
    spacing: Any = None,
    laterality: str | None = None,
    seen: Any = None,
    named: str | None = None,
) -> dict[str, Any]:
    """The row of a label map (H, W) and of further ``numbers`` of its image.

    ``named`` is the eye that the name said before it became a pseudonym.
    """
    row: dict[str, Any] = {"file": case, "status": "ok", "flags": {}}
    shape = measure_mask(ids, classes, spacing=spacing, seen=seen)
    row |= {name: shape.pop(name) for name in ("height", "width")}
    if is_disc_and_cup(classes):
        name = case if named is None else named
        eye, source = eye_of(name, laterality)
        said = eye_of(name)[0] if source == "DICOM" else None
        means = {side: shape[f"rim_mean_{side}_px"] for side in SIDES}
        row |= {"laterality": eye, "laterality_from": source, "nasal_side": eye, "isnt": isnt_order(means, eye)}
        row["eye_conflict"] = said != eye if said else None
    row |= shape | dict(numbers or {})
    row["flags"] = judge_case(row, list(classes.values()), limits)
    row["status"] = "review" if row["flags"] else "ok"
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in row.items()}
