"""The script that measures the localisation, on a finder that knows the answers."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from monai_sfda.organs.fundus.simulated.full_photograph import simulate_full

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch):
    """The script without its virtual environment."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    monkeypatch.setitem(sys.modules, "environment", SimpleNamespace(enter=lambda extras: None, ROOT=ROOT))
    return runpy.run_path(str(ROOT / "scripts" / "benchmark_localise.py"))


def finder(photo, shift, factor=1.0, found=True):
    """Says that the disc is ``shift`` diameters to the right of where it is."""
    x, y, diameter = photo.centre[0] + shift * photo.diameter, photo.centre[1], photo.diameter * factor
    half = round(1.05 * photo.diameter)
    box = [round(x) - half, round(y) - half, round(x) + half, round(y) + half]
    place = {"found": found, "cropped": found, "centre": [x, y], "diameter": diameter, "box": box, "confidence": 1.0}
    return lambda image: place


@pytest.mark.parametrize(("shift", "hit"), [(0.0, True), (0.24, True), (0.26, False)])
def test_a_hit_lies_within_half_a_radius(script, shift, hit):
    photo = simulate_full(0, camera=script["PLAIN"], height=200)
    row = script["hits"](finder(photo, shift), [photo])
    assert row.split()[:2] == ["100.0%", "100.0%" if hit else "0.0%"]


def test_bias_and_error_of_the_diameter(script):
    photo = simulate_full(0, camera=script["PLAIN"], height=200)
    assert script["hits"](finder(photo, 0.0, factor=0.9), [photo]).split()[2:] == ["-10.0%", "10.0%", "100.0%", "1"]


def test_what_is_found_without_a_disc_and_crops_that_are_cut(script):
    photo = simulate_full(0, camera=script["PLAIN"], height=200)
    pictures = [photo.image, np.zeros((200, 200), np.uint8)]
    assert script["accepted"](finder(photo, 0.0, found=False), pictures) == "  0 of 2"
    assert script["accepted"](finder(photo, 0.0), pictures[:1]) == "  1 of 1"
    assert script["kept"](finder(photo, 0.0), pictures[:1]) == "   0 of 1 (no disc: 0)"


def test_boxes_of_real_photographs(script, tmp_path):
    for name, box in (("a", "1 0.9 0.9 0.1 0.1\n0 0.5 0.25 0.2 0.2\n"), ("b", "0 0.5 0.25 0.2 0.2"), ("c", "")):
        Image.new("RGB", (200, 100)).save(tmp_path / f"{name}.jpg")
        (tmp_path / f"{name}.txt").write_text(box)
    Image.new("RGB", (200, 100)).save(tmp_path / "d.jpg")
    photographs = list(script["boxed"](tmp_path))
    assert [list(photo.box) for photo in photographs] == [[100, 25, 40, 20]] * 2
    place = {"found": True, "cropped": True, "centre": [107, 25], "diameter": 33.0, "box": [70, 0, 139, 69]}
    assert script["real_hits"](lambda image: place, photographs) == {
        (200, 100): script["shares"]([(True, True, 0.1, True)] * 2)
    }
    place["centre"], place["box"] = [108, 25], [85, 0, 154, 69]
    assert script["real_hits"](lambda image: place, photographs[:1])[200, 100].split() == [
        "100.0%",
        "0.0%",
        "0.0%",
        "1",
    ]


def test_strong_cameras_differ_from_those_of_training(script):
    assert not set(script["STRONG"]) & {"source", "target"}
    assert len(set(script["STRONG"].values())) == len(script["STRONG"])


def test_the_control_without_a_network_finds_a_bright_disc(script):
    photo = simulate_full(1, camera=script["PLAIN"], height=320, seed=1_000)
    found, hit, *_ = script["hits"](script["classical_disc"], [photo]).split()
    assert (found, hit) == ("100.0%", "100.0%")


def test_the_control_finds_nothing_in_the_dark(script):
    place = script["classical_disc"](script["tensor"](np.zeros((50, 80), np.uint8)))
    assert not place["found"]
    assert place["box"] == [0, 0, 80, 50]
