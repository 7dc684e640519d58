import csv
import json
import os

import nibabel
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from monai_sfda.findings import StudyTable
from monai_sfda.mask_file import ROW
from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.gather import gather_rows, score_table, write_results
from monai_sfda.prediction.no_findings import _NoFindings

CLASSES = {1: "optic disc", 2: "optic cup"}
FUNDUS = DiscAndCup(disc=1, cup=2)


def eye():
    ids = np.zeros((20, 30), np.uint8)
    ids[2:12, 5:25] = 1  # disc: 10 rows, 20 columns
    ids[4:9, 10:15] = 2  # cup: 5 rows, 5 columns
    return ids


def save(path, row=None, ids=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = PngInfo()
    if row is not None:
        text.add_text(ROW, json.dumps(row))
    Image.fromarray(eye() if ids is None else ids).save(path, pnginfo=text)


def row(file, **more):
    return {"file": file, "status": "ok", "flags": {}, "vertical_cup_to_disc_ratio": 0.25, "laterality": None, **more}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "failures.csv").write_text("case,reason\nc.png,truncated\n")
    flags = {"dark": "0.01, limit 0.1", "unsure_optic_cup": "0.4, limit 0.75"}
    save(tmp_path / "masks" / "left" / "a.png", row("left/a.jpg", status="review", flags=flags, disc_at_border=True))
    save(tmp_path / "masks" / "b.png", row("b.tif", vertical_cup_to_disc_ratio=None, disc_at_border=False))
    return tmp_path


def table(folder):
    with open(folder / "results.csv", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_rows_are_those_of_the_masks_then_those_of_the_failures(folder):
    write_results(folder, classes=CLASSES)
    rows = table(folder)
    assert [(r["file"], r["mask"], r["status"]) for r in rows] == [
        ("b.tif", "b.png", "ok"),
        ("left/a.jpg", "left/a.png", "review"),
        ("c.png", "", "failed"),
    ]
    assert rows[1]["flags"] == "dark; unsure_optic_cup"
    assert [r["vertical_cup_to_disc_ratio"] for r in rows] == ["", "0.25", ""]
    assert [r["disc_at_border"] for r in rows] == ["no", "yes", ""]


def test_pixels_of_a_mask_with_a_row_are_not_decoded(folder):
    mask = folder / "masks" / "b.png"
    content = mask.read_bytes()
    mask.write_bytes(content[: content.index(b"IDAT") + 6])
    assert gather_rows(folder / "masks", CLASSES)[0][0]["file"] == "b.tif"


def test_what_a_file_server_makes_of_masks_are_no_masks(folder):
    save(folder / "masks" / "left" / "@eaDir" / "a.png" / "SYNOPHOTO_THUMB_M.png")
    rows, failures = gather_rows(folder / "masks", CLASSES)
    assert [row["file"] for row in rows] == ["b.tif", "left/a.jpg"]
    assert failures == []


def test_a_mask_of_an_earlier_version_is_measured(folder):
    save(folder / "masks" / "old.png")
    measured = gather_rows(folder / "masks", CLASSES, findings=FUNDUS)[0][-1]
    assert (measured["file"], measured["mask"]) == ("old.png", "old.png")
    assert measured["vertical_cup_to_disc_ratio"] == 0.5
    assert (measured["optic_disc_pixels"], measured["status"]) == (200, "ok")


@pytest.mark.parametrize("content", [b"junk", None], ids=["junk", "half a row"])
def test_a_damaged_mask_costs_a_row_and_the_rest_goes_on(folder, content):
    save(folder / "masks" / "bad.png", row("bad.png"))
    if content is None:
        content = (folder / "masks" / "bad.png").read_bytes().replace(b'{"file"', b'"file": ')
    (folder / "masks" / "bad.png").write_bytes(content)
    assert write_results(folder, classes=CLASSES)["images"] == 2
    assert [r["file"] for r in table(folder) if r["status"] == "failed"] == ["c.png", "bad.png"]
    assert 'bad.png,"Expected a mask, found a damaged file; delete it' in (folder / "failures.csv").read_text()


@pytest.fixture
def corrected(folder):
    """A prediction of one NIfTI image whose mask a person corrected: the cup is gone, and so is the row."""
    nibabel.save(
        nifti := nibabel.Nifti1Image(np.zeros((30, 20), np.uint8), np.diag([0.5, 0.25, 1, 1])), folder / "n.nii"
    )
    nifti.header.set_xyzt_units("mm")
    nibabel.save(nifti, folder / "n.nii")
    save(folder / "masks" / "n.png", ids=np.minimum(eye(), 1))
    return [{"case": "n.nii", "image": str(folder / "n.nii"), "output": "n.png", "kept": "left"}]


def test_a_corrected_mask_stays_that_of_its_image(folder, corrected):
    row = gather_rows(folder / "masks", CLASSES, corrected, FUNDUS)[0][-1]
    assert (row["file"], row["optic_cup_pixels"], row["laterality"]) == ("n.nii", 0, "left")
    assert row["optic_disc_mm2"] == pytest.approx(200 * 0.5 * 0.25)


def test_formats_and_overlays_follow_a_corrected_mask(folder, corrected):
    for name in ("nifti/n.nii.gz", "nifti/gone.nii.gz", "overlays/gone.jpg", "dicom_seg/n.dcm"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"old")
        os.utime(folder / name, (0, 0))
    write_results(folder, classes=CLASSES, images=corrected, formats=("nifti", "dicom_seg"))
    assert nibabel.load(folder / "nifti" / "n.nii.gz").get_fdata().max() == 1
    left = {path.name for place in ("nifti", "overlays", "dicom_seg") for path in (folder / place).iterdir()}
    assert left == {"n.nii.gz"}  # nothing of masks that are gone, and no old segmentation of an image that is no DICOM


def test_a_corrected_mask_of_other_ids_is_refused_with_a_sentence(folder):
    save(folder / "masks" / "grey.png", ids=eye() * 127)
    rgb = Image.fromarray(eye()).convert("RGB")
    rgb.save(folder / "masks" / "rgb.png")
    rows, failures = gather_rows(folder / "masks", CLASSES, findings=FUNDUS)
    assert rows[-1]["optic_disc_pixels"] == 200
    assert [row["case"] for row in failures] == ["grey.png"]
    assert "found 0, 127, 254" in failures[0]["reason"]


def test_an_image_that_is_gone_but_has_a_mask_is_no_failure(folder):
    (folder / "failures.csv").write_text("case,reason\nb.tif,No such file or directory\n")
    assert write_results(folder, classes=CLASSES)["failures"] == 0
    assert [r["status"] for r in table(folder) if r["file"] == "b.tif"] == ["ok"]


def test_the_summary_counts_and_averages(folder):
    summary = write_results(folder, classes=CLASSES)
    assert json.loads((folder / "summary.json").read_text()) == summary
    assert (summary["images"], summary["failures"]) == (2, 1)
    assert summary["status"] == {"ok": 1, "review": 1, "failed": 1}
    assert summary["flags"] == {"dark": 1, "unsure_optic_cup": 1}
    assert summary["mean"] == {"vertical_cup_to_disc_ratio": 0.25, "disc_at_border": 0.5}
    assert summary["columns"]["vertical_cup_to_disc_ratio"]["n"] == 1


def test_a_spreadsheet_runs_no_formula(folder):
    for number, name in enumerate(("=1+1.png", "+a.png", "-a.png", "@a.png", "a=b.png")):
        save(folder / "masks" / f"f{number}.png", row(name, shift=-1.5))
    write_results(folder, classes=CLASSES)
    written = [r for r in table(folder) if r["mask"].startswith("f")]
    assert [r["file"] for r in written] == ["'=1+1.png", "'+a.png", "'-a.png", "'@a.png", "a=b.png"]
    assert {r["shift"] for r in written} == {"-1.5"}


def test_names_with_commas_quotes_and_accents_come_back(folder):
    save(folder / "masks" / "odd.png", row('fundus, "left" été.jpg'))
    write_results(folder, classes=CLASSES)
    assert 'fundus, "left" été.jpg' in [r["file"] for r in table(folder)]


def test_without_any_mask_there_is_a_table_all_the_same(tmp_path):
    (tmp_path / "masks").mkdir()
    (tmp_path / "failures.csv").write_text("case,reason\n")
    assert write_results(tmp_path, classes=CLASSES)["images"] == 0
    assert (tmp_path / "results.csv").read_text(encoding="utf-8-sig") == "file\n"
    assert (tmp_path / "report.html").exists()


def test_overlays_are_drawn_if_asked_for(folder, tmp_path_factory):
    images = tmp_path_factory.mktemp("images")
    (images / "left").mkdir()
    Image.new("RGB", (30, 20), "gray").save(images / "left" / "a.jpg")
    write_results(folder, classes=CLASSES, images=images)
    assert not (folder / "overlays").exists()
    write_results(folder, classes=CLASSES, images=images, overlays=True)
    assert [path.name for path in (folder / "overlays").rglob("*.jpg")] == ["a.jpg"]


def test_images_may_be_given_as_items_with_their_pseudonyms(folder, tmp_path_factory):
    image = tmp_path_factory.mktemp("images") / "Jane Doe.png"
    Image.new("RGB", (30, 20), "gray").save(image)
    write_results(folder, classes=CLASSES, images=[{"case": "b.tif", "image": str(image)}])
    page = (folder / "report.html").read_text()
    assert page.count("data:image/jpeg") == 1
    assert "Jane" not in page


def test_scores_read_as_a_table_even_where_nothing_was_found():
    nothing = {"mean": None, "std": None, "ci95": None, "n": 0, "skipped": 2}
    some = {"mean": 0.5, "std": 0.1, "ci95": [0.4, 0.6], "n": 2, "skipped": 0}
    summary = {
        "cases": 2,
        "assd_unit": "pixels",
        "structures": {
            "cup": {"dice": some, "assd_mean_of_directed": nothing, "hd95": {**some, "mean": 3.1}, "missed": 2},
            "lens": {"dice": nothing, "assd_mean_of_directed": nothing, "missed": 2},
        },
    }
    _, cup, lens, count, *_ = score_table(summary).splitlines()
    assert count.startswith("2 images; ASSD")
    *_, none, part, _ = score_table({**summary, "unreadable": 1, "unlabelled": ["lens"]}).splitlines()
    assert none == "lens: not scored, as no mask has it"
    assert part.startswith("2 of 3 images scored; ASSD")
    assert cup.split() == ["cup", "50.0", "40.0", "-", "60.0", "-", "3.10", "2", "2"]
    assert lens.split() == ["lens", "-", "-", "-", "-", "2", "2"]


class Studies(_NoFindings):
    """Findings with a table of studies."""

    def study_table(self, rows, classes):
        about = {"study": "all", "images": len(rows), "classes": len(classes), "share": 0.25, "unknown": None}
        return StudyTable("studies.csv", [about], "All of them", {"study": "Study", "share": "Share, %"}, "Counted.")


def test_an_organ_can_add_a_table_of_studies_which_sees_failures_too(folder):
    write_results(folder, classes=CLASSES, findings=Studies())
    with open(folder / "studies.csv", encoding="utf-8-sig", newline="") as file:
        (study,) = csv.DictReader(file)
    assert study == {"study": "all", "images": "3", "classes": "2", "share": "0.25", "unknown": ""}
    page = (folder / "report.html").read_text(encoding="utf-8")
    for text in ("<h2>All of them</h2>", "Counted.", "Share, %", '<td class="n">0.25</td>'):
        assert text in page


def test_other_organs_have_no_table_of_studies(folder):
    write_results(folder, classes=CLASSES, findings=FUNDUS)
    assert sorted(path.name for path in folder.glob("*.csv")) == ["failures.csv", "results.csv"]
