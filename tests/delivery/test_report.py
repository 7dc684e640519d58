import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from monai_sfda.delivery.report import write_report
from monai_sfda.report.pictures import CasePicture

SECTIONS = {
    "pictures": "Before and after",
    "curves": "Course of the adaptation",
    "change": "What changed",
    "checks": "Checks behind the verdict",
    "skipped": "Skipped images",
    "provenance": "Settings and provenance",
    "next": "What to do next",
}


class Page(HTMLParser):
    """Tags with their attributes, and the text that a reader sees."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text, self._hidden = [], "", False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden = tag in ("style", "title")

    def handle_data(self, data):
        if not self._hidden:
            self.text += re.sub(r"\s+", " ", data)

    def values(self, name):
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def circle(radius, size=64):
    rows, columns = np.mgrid[:size, :size]
    return (rows - size / 2) ** 2 + (columns - size / 2) ** 2 <= radius**2


def picture(case="a.png", before=(20, 10), after=(22, 12), **more):
    image = np.full((64, 64, 3), 90, np.uint8)
    masks = [
        np.stack([circle(radius) if radius else np.zeros((64, 64), bool) for radius in r]) for r in (before, after)
    ]
    return CasePicture(case, image, *masks, **more)


@pytest.fixture
def report():
    checks = [
        {"name": "cup lost", "value": 0.01, "limit": "at most 0.05", "passed": True, "meaning": "cup vanished"},
        {
            "name": "cup growth",
            "value": 2.53,
            "limit": "at most 1.25",
            "passed": False,
            "meaning": "area after / before",
        },
        {"name": "cup in pieces", "value": 0.2, "limit": "at least 0", "passed": None, "meaning": "one piece"},
        {"name": "cup whole", "value": None, "limit": "at least 1", "passed": None, "meaning": "one piece"},
    ]
    change = {"area_before": 0.1, "area_after": 0.253, "agreement": 0.6, "empty_before": 9, "empty_after": 1}
    return {
        "title": "Fundus, clinic seven",
        "verdict": {"decision": "outline", "sentence": "The cup has grown a lot.", "checks": checks},
        "method": {"name": "CBMT", "citation": "Tang et al., 2023.", "reconstruction": True},
        "data": {"images": 40, "skipped": [{"case": "bad.png", "reason": "truncated file"}]},
        "structures": ["disc", "cup"],
        "change": {"disc": change, "cup": change},
        "settings": {"epochs": 10, "amp": False, "size": [256, 256], "dataset_dir": "/clinic/secret place/images"},
        "software": {"torch": "2.13"},
        "time": {"seconds": 372.0, "images_per_second": 3.7},
        "weights": {"source_sha256": "ab" * 32},
        "next_steps": ["monai-sfda predict bundle IMAGES --output masks"],
    }


HISTORY = [{"epoch": 1, "loss": 0.5, "foreground_cup": 0.1}, {"epoch": 2, "loss": 0.4, "foreground_cup": 0.2}]


def write(folder, report, history=HISTORY, pictures=None):
    pictures = [picture()] if pictures is None else pictures
    return Page(write_report(folder, report, history=history, pictures=pictures).read_text(encoding="utf-8"))


def test_a_full_report_has_every_section_and_its_figures(tmp_path, report):
    page = write(tmp_path, report)
    assert set(SECTIONS) <= set(page.values("id"))
    expected = [
        *SECTIONS.values(), "Fundus, clinic seven", "adapted to 40 unlabelled images", "in 6 min 12 s",
        "Verdict: outline a few images", "The cup has grown a lot.", "1 of 2 checks for collapse and change failed",
        "10.0 %", "25.3 %", "0.600", "2.53", "at most 1.25", "no value", "cannot fail", "bad.png", "truncated file",
        "cannot prove an improvement",
        "256, 256", "reconstruction", "ab" * 32, "monai-sfda predict bundle IMAGES", "research use only",
    ]  # fmt: skip
    assert [text for text in expected if text not in page.text] == []


def test_an_empty_report_is_still_a_page_with_its_caution(tmp_path):
    page = write(tmp_path, {}, history=[], pictures=[])
    assert not set(SECTIONS) & set(page.values("id"))
    for text in ("Adaptation report", "No verdict was reached", "cannot prove an improvement", "research use only"):
        assert text in page.text


def test_the_caution_of_a_bundle_stands_on_the_page_and_in_the_file(tmp_path, report):
    assert "caution" not in write(tmp_path, report).values("id")
    page = write(tmp_path, report | {"caution": "Drawn <eyes> only"})
    assert "caution" in page.values("id")
    assert "Drawn <eyes> only" in page.text
    assert json.loads((tmp_path / "report.json").read_text())["caution"] == "Drawn <eyes> only"


@pytest.mark.parametrize(("done", "said"), [(2, True), (10, False), (None, False)])
def test_a_run_that_a_recipe_ended_early_says_so(tmp_path, report, done, said):
    report |= {} if done is None else {"epochs_done": done}
    page = write(tmp_path, report)
    assert ("Stopped early, in epoch 2 of 10," in page.text) is said


@pytest.mark.parametrize("key", ["change", "next_steps"])
@pytest.mark.parametrize("absent", [None, "missing"])
def test_a_section_without_data_is_left_out(tmp_path, report, key, absent):
    report = {name: value for name, value in report.items() if name != key} | ({key: None} if absent is None else {})
    page = write(tmp_path, report)
    assert set(SECTIONS) - set(page.values("id")) == {key.removesuffix("_steps")}


def test_nested_keys_may_be_missing_too(tmp_path, report):
    thin = {
        "verdict": {"checks": [{"name": "only a name"}]},
        "change": {"cup": {}},
        "method": {},
        "data": {},
        "time": {},
    }
    page = write(tmp_path, thin, history=[], pictures=[])
    assert "only a name" in page.text


@pytest.mark.parametrize(
    ("decision", "words"),
    [
        ("outline", "Verdict: outline a few images"),
        ("keep-source", "Verdict: keep-source"),
        ("of another version", "No verdict was reached"),
    ],
)
def test_the_banner_says_the_decision_in_words(tmp_path, decision, words):
    assert words in write(tmp_path, {"verdict": {"decision": decision}}).text


def test_a_page_whose_checks_have_no_values_claims_none(tmp_path, report):
    report["verdict"]["checks"] = report["verdict"]["checks"][2:]
    assert "None of the checks for collapse and change could be made" in write(tmp_path, report).text


def test_what_the_sources_masks_cover_is_told_with_its_caution_where_it_is_known(tmp_path, report):
    caution = "an area close to theirs is no sign of better masks"
    assert caution not in write(tmp_path, report).text
    report["source_masks"] = {"shares": {"cup": 0.2}, "data": "camera A", "images": 12}
    report["change"]["cup"] = report["change"]["cup"] | {"area_masks": 0.2}
    page = write(tmp_path, report)
    for text in (caution, "trained on (camera A, 12 images)", "20.0 %", "0.50 1.26"):
        assert text in page.text


def test_the_page_speaks_of_the_structures_of_the_task_only(tmp_path, report):
    report["structures"] = ["nucleus"]
    report["change"] = {"nucleus": report["change"]["cup"] | {"area_masks": 0.2}}
    report["source_masks"] = {"shares": {"nucleus": 0.2}}
    report["verdict"] = {"decision": "outline", "sentence": "nucleus grew.", "checks": []}
    text = write(tmp_path, report).text
    assert "How large nucleus is may depend on your patients" in text
    assert not [word for word in ("disc", "cup", "photograph") if re.search(rf"\b{word}", text)]


def test_confidence_is_told_with_its_caution(tmp_path, report):
    report["change"]["cup"] = report["change"]["cup"] | {"confidence_before": 0.871, "confidence_after": 0.953}
    text = write(tmp_path, report).text
    assert "0.8710.953" in text
    assert "Confidence is no sign of quality" in text


def test_what_to_do_next_follows_the_verdict(tmp_path, report):
    assert "Outline about ten images by hand" in write(tmp_path, report).text
    report["verdict"]["decision"] = "keep-source"
    assert "Keep using the source network" in write(tmp_path, report).text


def test_other_peoples_text_is_escaped_everywhere(tmp_path, report):
    attack = "\"><script>alert('x')</script>"
    report["data"]["skipped"] = [{"case": attack, "reason": attack}]
    report["settings"] = {attack: attack}
    report["verdict"]["sentence"] = attack
    page = write(tmp_path, report | {"title": attack}, pictures=[picture(attack, note=attack)])
    assert "script" not in [tag for tag, _ in page.tags]
    assert attack in page.text


def test_the_page_needs_no_network_and_no_other_file(tmp_path, report):
    page = write(tmp_path, report)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert all(source.startswith("data:image/") for source in page.values("src"))
    assert all(target.startswith("#") for target in page.values("href"))
    text = re.sub(r"data:image/[^\"]+", "", (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not re.search(r"https?://|url\(|@import", text)


def test_the_page_names_no_absolute_path(tmp_path, report):
    folder = tmp_path / "run 7"
    report["next_steps"] = [f"monai-sfda predict {folder}/bundle /clinic/new --output C:\\Users\\me\\masks"]
    report["data"]["skipped"] = [{"case": "/clinic/images/bad.png", "reason": "cannot read '/clinic/images/bad.png'"}]
    page = write(folder, report, pictures=[picture("/clinic/images/a.png")])
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert not [path for path in (str(tmp_path), "/clinic", "C:\\Users") if path in html]
    assert "monai-sfda predict run 7/bundle …/new --output …/masks" in page.text
    assert json.loads((folder / "report.json").read_text())["settings"]["dataset_dir"] == "/clinic/secret place/images"


def test_json_gives_back_what_was_reported_in_a_stable_order(tmp_path, report):
    write(tmp_path, report)
    first = (tmp_path / "report.json").read_text()
    assert json.loads(first) == report
    write(tmp_path, dict(reversed(report.items())))
    assert (tmp_path / "report.json").read_text() == first


def test_json_holds_plain_values_only(tmp_path):
    settings = {"rate": np.float32(0.5), "epochs": np.int64(3), "loss": math.nan, "shape": (2, np.array([1, 2]))}
    write(tmp_path, {"settings": settings | {"folder": tmp_path}})
    text = (tmp_path / "report.json").read_text()
    assert json.loads(text, parse_constant=pytest.fail)["settings"] == {
        "rate": 0.5, "epochs": 3, "loss": None, "shape": [2, [1, 2]], "folder": str(tmp_path)
    }  # fmt: skip


def test_pictures_come_with_the_largest_change_first(tmp_path, report):
    cases = [
        picture("same.png", after=(20, 10)),
        picture("much.png", after=(20, 2)),
        picture("some.png", after=(20, 8)),
    ]
    text = write(tmp_path, report, pictures=cases).text
    assert text.index("much.png") < text.index("some.png") < text.index("same.png")


def test_a_structure_that_is_not_there_is_called_none_and_two_empty_masks_agree(tmp_path, report):
    text = write(tmp_path, report, pictures=[picture(before=(20, 0), after=(20, 0), note="typical")]).text
    assert "typical" in text
    assert re.search(r"cup\s+none\s+none\s+1\.00", text)


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path, report):
    write(tmp_path / "new" / "run", report)
    assert "Second" in write(tmp_path / "new" / "run", {"title": "Second"}).text
    assert sorted(path.name for path in (tmp_path / "new" / "run").iterdir()) == ["report.html", "report.json"]


def test_twelve_large_noisy_cases_stay_under_three_megabytes(tmp_path, report):
    noise = np.random.default_rng(0)
    ramp = np.linspace(40, 200, 800)[:, None, None]
    masks = np.stack([circle(300, 800), circle(150, 800)])
    cases = [
        CasePicture(f"{n}.png", (ramp + noise.normal(0, 15, (800, 800, 3))).clip(0, 255).astype(np.uint8), masks, masks)
        for n in range(12)
    ]
    write(tmp_path, report, pictures=cases)
    assert (tmp_path / "report.html").stat().st_size < 3e6


def test_the_page_shows_a_value_in_as_many_digits_as_tell_it_apart_from_its_limit(report, tmp_path):
    check = {"name": "cup shrinkage", "value": 0.799996, "text": "0.799996", "limit": "at least 0.8", "passed": False}
    report["verdict"]["checks"] = [check]
    text = Page(write_report(tmp_path, report, history=[], pictures=[]).read_text()).text
    assert "0.799996" in text
