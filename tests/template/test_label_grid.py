"""Labels are resized on the grid of their images: neither is shifted against the other."""

import json

import pytest
import torch
from bundle_support import ROOT
from monai.bundle import ConfigParser
from monai.data import MetaTensor


def resize_of(config, key):
    content = json.loads((ROOT / "bundles" / "nuclei_fluorescence" / "configs" / config).read_text())
    found = []
    pending = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, dict) and part.get("_target_") == "Resized" and part["keys"] == key:
            found.append(part)
        pending += part.values() if isinstance(part, dict) else part if isinstance(part, list) else []
    assert len(found) == 1
    return found[0] | {"spatial_size": [64, 64]}


@pytest.mark.parametrize("config", ["train.json", "adapt_with_source.json"])
@pytest.mark.parametrize("size", [200, 256, 100])
def test_the_middle_of_a_label_is_that_of_its_image(config, size):
    place = torch.arange(size) - (size - 1) / 2
    disc = ((place[:, None] ** 2 + place**2).sqrt() < 0.3 * size).float()[None]
    middles = []
    for key in ("image", "label"):
        resize = ConfigParser({"resize": resize_of(config, key)}).get_parsed_content("resize")
        rows = resize({key: MetaTensor(disc)})[key][0].sum(1)
        middles.append(((rows * torch.arange(64)).sum() / rows.sum()).item())
    assert middles[1] == pytest.approx(middles[0], abs=0.2)  # nearest of every fourth pixel: half of one of them
