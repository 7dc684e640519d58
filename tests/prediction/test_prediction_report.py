import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.judge import Judge
from monai_sfda.prediction.no_findings import NO_FINDINGS
from monai_sfda.prediction.prediction_report import SHOWN, first_to_look_at, write_prediction_report

EYE = {1: "optic disc", 2: "optic cup"}
FUNDUS = DiscAndCup(disc=1, cup=2)
MODEL = ("eyes", "0.3")
FAILURES = [{"case": "broken.jpg", "reason": "Expected an image, found an empty file."}]


def row(name, *flags, confidence=0.9, **more):
    return {
        "file": name,
        "mask": "m.png",
        "status": "review" if flags else "ok",
        "flags": dict.fromkeys(flags, "0.1, limit 0.5"),
        "vertical_cup_to_disc_ratio": 0.4,
        "optic_disc_confidence": 0.97,
        "optic_cup_confidence": confidence,
        **more,
    }


@pytest.fixture
def folder(tmp_path):
    ids = np.zeros((60, 80), np.uint8)
    ids[10:50, 20:60], ids[20:40, 30:50] = 1, 2
    (tmp_path / "out" / "masks").mkdir(parents=True)
    Image.fromarray(ids).save(tmp_path / "out" / "masks" / "m.png")
    Image.new("RGB", (80, 60), (150, 80, 40)).save(tmp_path / "photo.jpg")
    return tmp_path / "out"


def page_of(folder, rows, failures=(), about=(EYE, FUNDUS), images=None):
    status = Counter(r["status"] for r in rows)
    summary = {
        "images": len(rows),
        "status": {"ok": status["ok"], "review": status["review"], "failed": len(failures)},
        "flags": dict(Counter(flag for r in rows for flag in r["flags"])),
    }
    images = {r["file"]: {"image": folder.parent / "photo.jpg"} for r in rows} if images is None else images
    about = {"classes": about[0], "findings": about[1]}
    write_prediction_report(folder, rows, failures, summary, images=images, model=MODEL, **about)
    return (folder / "report.html").read_text(encoding="utf-8")


def test_the_most_alarming_come_first():
    rows = [
        row("fine.png"),
        row("dark.png", "dark"),
        row("no cup.png", "missing_optic_cup"),
        row("unsure.png", "unsure_optic_cup", confidence=0.6),
        row("less sure.png", "unsure_optic_cup", confidence=0.2),
        row("unsure and dark.png", "unsure_optic_cup", "dark"),
        row("no disc.png", "missing_optic_disc"),
    ]
    assert [r["file"] for r in first_to_look_at(rows, EYE, Judge(EYE, FUNDUS).meanings)] == [
        "no disc.png",
        "no cup.png",
        "unsure and dark.png",
        "less sure.png",
        "unsure.png",
        "dark.png",
        "fine.png",
    ]


def test_the_page_tells_what_a_person_needs(folder):
    page = page_of(folder, [row("a.png", "dark"), row("b.png")], FAILURES)
    for heading in ("Look at these first", "Without a flag", "Distributions", "Flags", "Failed images"):
        assert f"<h2>{heading}</h2>" in page
    assert "broken.jpg" in page
    assert "dark: 0.1, limit 0.5" in page
    assert "confidence, optic cup</span> 0.90" in page
    assert "<b>eyes</b>, version 0.3" in page
    assert page.index("a.png") < page.index("b.png")
    assert "Not a medical device" in page


def test_the_page_is_one_file_that_needs_no_network_and_names_no_place(folder):
    page = page_of(folder, [row("a.png", "dark")], FAILURES)
    assert set(re.findall(r'(?:src|href)="(data:image/[a-z+]+|#[a-z]+)', page)) == set(
        re.findall(r'(?:src|href)="([^";]+)', page)
    )
    assert "http" not in re.sub(r"data:image[^\"]+", "", page).replace("http-equiv", "")
    assert str(folder.parent) not in page
    assert "<script" not in page


def test_only_so_many_pictures_are_shown(folder):
    rows = [row(f"r{n}.png", "dark") for n in range(100)] + [row(f"o{n}.png") for n in range(100)]
    page = page_of(folder, rows)
    assert page.count("data:image/jpeg") == sum(SHOWN.values())
    assert len(page) < 15e6
    assert "60 most suspicious of 100" in page


def test_a_lost_or_damaged_photograph_costs_its_picture_only(folder, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"junk")
    images = {"a.png": {"image": tmp_path / "bad.png"}, "b.png": {"image": tmp_path / "lost.png"}}
    page = page_of(folder, [row("a.png", "dark"), row("b.png"), row("c.png")], images=images)
    assert page.count("no picture") == 3
    assert "c.png" in page


def test_names_are_text_and_not_code(folder):
    page = page_of(folder, [row("<img src=x onerror=alert(1)>.png", "dark")])
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_one_class_without_disc_and_cup(folder):
    cells = [
        {
            "file": "n.png",
            "mask": "m.png",
            "status": "ok",
            "flags": {},
            "nucleus_pixels": 12345,
            "nucleus_confidence": 0.8,
        }
    ]
    page = page_of(folder, cells, about=({1: "nucleus"}, NO_FINDINGS))
    assert "12,345" in page
    assert "cup" not in re.sub(r"data:image[^\"]+", "", page)


def test_rows_of_an_earlier_version_lack_numbers(folder):
    page = page_of(folder, [{"file": "old.png", "mask": "m.png", "status": "ok", "flags": {}}])
    assert "old.png" in page
    assert "Distributions" not in page


def test_nothing_at_all_is_a_page_too(folder):
    assert "0 images" in page_of(folder, [])


def test_the_template_travels_with_the_package():
    import monai_sfda.prediction

    assert (Path(monai_sfda.prediction.__file__).parent / "prediction_report.html").exists()


def test_a_picture_that_was_cut_says_so(folder):
    page = page_of(folder, [row("loose.png", "cut_again", cut=True), row("close.png", cut=False)])
    assert page.count("the square around the disc") == 1
    assert "cut again: 0.1, limit 0.5" in page
