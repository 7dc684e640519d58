"""The script that measures what the finder does to crops, on finders that know the answers."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """The script without its virtual environment."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.setitem(sys.modules, "environment", SimpleNamespace(enter=lambda extras: None, ROOT=ROOT))
    monkeypatch.delitem(sys.modules, "benchmark_localise", raising=False)
    yield runpy.run_path(str(ROOT / "scripts" / "benchmark_crops.py"))
    sys.modules.pop("benchmark_localise", None)


def place(box, **facts):
    return lambda image: {"box": box, "cropped": True, "agreed": True, "found": True} | facts


def crop(script):
    ids = np.zeros((100, 100), np.uint8)
    ids[40:80, 40:80], ids[50:60, 50:60] = 1, 2
    return script["Labelled"](np.full((100, 100, 3), 90, np.uint8), ids)


def test_the_share_of_the_disc_in_what_is_seen_and_its_size_there(script):
    seen = script["looked_at"](place([40, 40, 70, 100]), crop(script))
    assert seen["inside"] == pytest.approx(30 / 40)
    assert seen["width"] == pytest.approx(39 / 30)


def test_a_disc_is_lost_where_less_than_98_per_cent_of_it_is_seen(script):
    seen = [
        script["looked_at"](place(box, agreed=agreed), crop(script))
        for box, agreed in (([30, 30, 90, 90], True), ([30, 30, 79, 90], False))
    ]
    assert script["tally"](seen).split()[:6] == ["2", "2", "1", "0", "1", "97.5%"]


def test_crops_of_photographs_hold_the_disc_at_every_framing(script, tmp_path):
    Image.new("RGB", (600, 400), (90, 60, 30)).save(tmp_path / "a.jpg")
    (tmp_path / "a.txt").write_text("0 0.3 0.5 0.1 0.15\n")  # 60 pixels wide and high, 150 from the left
    crops = dict(script["framed"](tmp_path))
    assert len(crops) == 6
    for name, (image, ids) in crops.items():
        low, high = (float(number) for number in name.split(", ")[1].split(" to "))
        assert image.shape == (*ids.shape, 3)
        assert 60 * low - 1 <= min(ids.shape) <= 60 * high
        assert ids.sum() == pytest.approx(np.pi * 30**2, rel=0.02)


def test_dice_of_a_network_that_marks_what_is_bright_is_the_same_in_a_cut_around_it(script):
    one = crop(script)
    one.image[one.ids > 0] = 200

    def network(x):
        return torch.cat([x[:, :1] > 0, x[:, :1] > 2], 1) * 20.0 - 10.0

    for box in ([0, 0, 100, 100], [20, 20, 100, 100]):
        assert script["dice"](network, one, box, (100, 100))[::2] == pytest.approx([1, 1], abs=0.02)
        assert script["dice"](network, one, box, (100, 100))[1::2] == [0, 0]
