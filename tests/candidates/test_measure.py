"""From masks and outlines to a bundle, as a person does it at the console."""

import json
import shutil
import sys

import numpy as np
import pytest
from bundle_support import command, fails
from candidate_support import FUNDUS, make_run, outline
from PIL import Image

from monai_sfda.files import sha256
from monai_sfda.passport import write_passport


def measured(run):
    return json.loads((run / "choice.json").read_text())["measured"]


def test_the_best_network_is_adopted_and_delivered(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,), "tent": (14,)})
    command(monkeypatch, "choose", run)
    printed = capsys.readouterr().out
    assert "5 images first, at most 12" in printed
    assert "0 background, 1 nucleus" in printed
    assert len(list((run / "outline" / "image").iterdir())) == 12
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "outlines"))
    printed = capsys.readouterr().out
    assert "Verdict  Adopt dpl: the nucleus gained" in printed
    assert f"{run / 'chosen'} (dpl)" in printed
    found = measured(run)
    assert (found["decision"], found["networks"], found["images"]) == ("adopt", {"nucleus": "dpl"}, 12)
    gains = found["gains"]["nucleus"]
    assert gains["dpl"]["low"] > 0.1
    assert gains["dpl"]["assd"] < 0
    assert gains["dpl"]["hd95"] < 0
    assert gains["tent"]["high"] < 0
    assert (run / "chosen" / "models" / "model.pt").read_bytes() == b"dpl"
    page = (run / "choice" / "report.html").read_text()
    assert "Verdict: adopt dpl" in page
    curve = found["curves"]["nucleus"]
    assert (curve["candidate"], [row["outlines"] for row in curve["after"]]) == ("dpl", [5])
    assert {name: curve["after"][-1][name] for name in ("dice", "low", "high")}.items() <= gains["dpl"].items()
    assert "What was known after each outline" in page
    assert str(tmp_path) not in page
    assert all(case in page for case in found["outlined"])


def test_half_of_the_epochs_may_be_best_and_counts_only_where_it_differs_from_all(monkeypatch, capsys, tmp_path):
    """dpl drifted after epoch 5; tent had stayed where it was."""
    shifts = {"source": (8,), "dpl": (5,), "tent": (12,)}
    run = make_run(tmp_path, shifts, middle={"dpl": (0,), "tent": (12,)})
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "outlines"))
    assert "Verdict  Adopt dpl epoch 5: the nucleus gained" in capsys.readouterr().out
    found = measured(run)
    assert set(found["gains"]["nucleus"]) == {"dpl", "tent", "dpl epoch 5"}
    assert found["same"]["nucleus"]["tent epoch 5"] == "tent"
    assert (run / "chosen" / "models" / "model.pt").read_bytes() == b"dpl epoch 5"
    record = json.loads((run / "chosen" / "configs" / "metadata.json").read_text())["adaptation"]
    assert record["choice"]["made_of"]["dpl epoch 5"]["epoch"] == 5


def test_the_page_is_the_same_in_any_folder(monkeypatch, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)}, count=6)
    command(monkeypatch, "choose", run)
    words = ["--outlines", outline(run, 6, tmp_path / "outlines")]
    command(monkeypatch, "choose", run, *words)
    page = (run / "choice" / "report.html").read_bytes()
    moved = run.rename(tmp_path / "renamed")
    command(monkeypatch, "choose", moved, *words)
    assert (moved / "choice" / "report.html").read_bytes() == page


def test_gains_are_those_worked_by_hand_once_all_is_outlined(monkeypatch, tmp_path):
    """All images weigh the same then: the mean of 2 |P and G| / (|P| + |G|), less that of the source."""
    run = make_run(tmp_path, {"source": (5,), "dpl": (1,)}, count=6)
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 6, tmp_path / "outlines"))
    difference = []
    for path in sorted((tmp_path / "data" / "mask").iterdir()):
        truth = np.asarray(Image.open(path)) > 0
        dice = []
        for name in ("dpl", "source"):
            mask = np.asarray(Image.open(run / "choice" / "masks" / name / "masks" / path.name)) > 0
            dice.append(2 * (mask & truth).sum() / (mask.sum() + truth.sum()))
        difference.append(dice[0] - dice[1])
    row = measured(run)["gains"]["nucleus"]["dpl"]
    assert row["dice"] == pytest.approx(np.mean(difference))
    assert row["low"] == row["high"] == pytest.approx(row["dice"])


def test_the_source_is_kept_where_nobody_is_better(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (1,), "dpl": (6,), "tent": (14,)})
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "outlines"))
    assert "Verdict  Keep the source network" in capsys.readouterr().out
    assert (run / "chosen" / "models" / "model.pt").read_bytes() == b"source"


def test_too_few_outlines_ask_for_more_and_withdraw_an_earlier_choice(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)})
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "five"))
    assert (run / "chosen").exists()
    command(monkeypatch, "choose", run, "--outlines", outline(run, 2, tmp_path / "two"))
    assert "Verdict  Outline 3 more: with dpl" in capsys.readouterr().out
    assert not (run / "chosen").exists()
    found = measured(run)
    assert (found["decision"], found["networks"], found["more"]) == ("outline", {}, 3)
    assert found["gains"]["nucleus"]["dpl"]["low"] is None
    assert "outline more images, 3 of them" in (run / "choice" / "report.html").read_text()


def test_structures_that_want_different_networks_get_them(monkeypatch, capsys, tmp_path):
    """dpl has the better cup and a worse disc; cbmt has the best disc."""
    shifts = {"source": (5, 5), "dpl": (8, 0), "cbmt": (1, 4)}
    run = make_run(tmp_path, shifts, bundle=FUNDUS, count=10)
    chosen = {}
    module = sys.modules["monai_sfda.candidates.measure"]
    monkeypatch.setattr(module, "deliver", lambda run, wanted, *_: chosen.update(wanted))
    command(monkeypatch, "choose", run)
    assert "0 background, 1 disc, 2 disc + cup" in capsys.readouterr().out
    command(monkeypatch, "choose", run, "--outlines", outline(run, 10, tmp_path / "outlines"))
    printed = capsys.readouterr().out
    assert "Adopt cbmt: the disc gained" in printed
    assert "Adopt dpl: the cup gained" in printed
    assert "(disc: cbmt, cup: dpl)" in printed
    found = measured(run)
    assert (
        found["networks"]
        == {structure: one.name for structure, one in chosen.items()}
        == {"disc": "cbmt", "cup": "dpl"}
    )
    assert found["gains"]["disc"]["together"]["dice"] == pytest.approx(found["gains"]["disc"]["cbmt"]["dice"])
    assert found["same"]["disc"]["between source and dpl"] == "dpl"
    page = (run / "choice" / "report.html").read_text()
    assert "Verdict: adopt disc: cbmt, cup: dpl" in page
    assert "between source and dpl has nearly the masks of dpl" in page


def test_a_cup_that_loses_by_the_disc_of_another_network_is_not_delivered_with_it(monkeypatch, capsys, tmp_path):
    """The better disc of cbmt lies beside dpl's cup: the cup would lose what dpl gained and more."""
    run = make_run(tmp_path, {"source": (14, 8), "dpl": (15, 0), "cbmt": (13, 15)}, bundle=FUNDUS, count=10)
    folder = run / "choice" / "masks" / "cbmt"
    for path in folder.rglob("*.png"):  # the left half of the disc, which is more than the source has of it
        truth = np.asarray(Image.open(tmp_path / "data" / "mask" / path.name)) > 0
        half = truth & (np.cumsum(truth, 1) < 14)
        Image.fromarray(half.astype(np.uint8)).save(path)
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 10, tmp_path / "outlines"))
    printed = capsys.readouterr().out
    assert "The bundle takes the disc from cbmt and the cup from dpl" in printed
    assert "Together they lose what one of them gained, so one serves all" in printed
    assert len(set(measured(run)["networks"].values())) == 1


@pytest.mark.parametrize("count", [10, 20])
def test_a_structure_that_stays_with_the_source_does_not_forbid_another_disc(monkeypatch, capsys, tmp_path, count):
    """The cup of the source lies in the new disc, too: nothing that was decided is changed by the other network."""
    run = make_run(tmp_path, {"source": (8, 1), "dpl": (0, 7)}, bundle=FUNDUS, count=30)
    monkeypatch.setattr(sys.modules["monai_sfda.candidates.measure"], "deliver", lambda *_: None)
    command(monkeypatch, "choose", run)
    command(monkeypatch, "choose", run, "--outlines", outline(run, count, tmp_path / "outlines"))
    assert "Together they lose" not in capsys.readouterr().out
    assert measured(run)["networks"] == {"disc": "dpl", "cup": "source"}


def test_candidates_that_change_nothing_need_no_outlines(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (3,), "dpl": (3,), "tent": (3,)}, count=3)
    for words in ([], ["--outlines", tmp_path / "data" / "mask"]):
        command(monkeypatch, "choose", run, *words)
        assert "outlines can tell nothing. Keep the source bundle." in capsys.readouterr().out
    assert not (run / "outline").exists()


def test_bad_outlines_and_candidates_cost_themselves_alone(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,), "tent": (14,), "cbmt": (5,), "ud4r": (4,)})
    command(monkeypatch, "choose", run)
    outlines = outline(run, 10, tmp_path / "outlines")
    first, second = sorted(outlines.iterdir())[:2]
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(first)
    Image.fromarray(np.zeros((64, 70), np.uint8)).save(second)
    (run / "candidates" / "tent" / "report.json").unlink()
    shutil.rmtree(run / "candidates" / "cbmt" / "bundle" / "models")
    for table in (run / "choice" / "masks").glob("*ud4r/results.csv"):
        table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    capsys.readouterr()
    command(monkeypatch, "choose", run, "--outlines", outlines)
    printed = capsys.readouterr().out
    assert f"Note     {first.name} is left out: Expected files of one size" in printed
    assert "Note     tent is not finished" in printed
    assert "Note     cbmt has lost files" in printed
    assert "Note     ud4r is left out: it has no mask of 1 image" in printed
    assert "1 of the outlines does not show nucleus; it counts, too." in printed
    found = measured(run)
    assert list(found["gains"]["nucleus"]) == ["dpl"]
    assert found["skipped"] == [first.name.partition("_")[2]]
    assert (len(found["outlined"]), found["images"], found["empty"]) == (8, 11, {"nucleus": 1})
    assert found["decision"] == "adopt"
    assert "1 outline more counts at the next decision." in printed


@pytest.mark.parametrize(
    ("file", "text"),
    [("models/passport.json", "{"), ("configs/inference.json", '{"cut'), ("../epochs/best.pt", "weights")],
)
def test_a_damaged_candidate_costs_itself_alone(monkeypatch, capsys, tmp_path, file, text):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,), "tent": (14,)})
    command(monkeypatch, "choose", run)
    damaged = run / "candidates" / "tent" / "bundle" / file
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text(text)
    command(monkeypatch, "choose", run, "--outlines", outline(run, 5, tmp_path / "outlines"))
    printed = capsys.readouterr().out
    assert "Note     tent is left out: " in printed
    assert "Verdict  Adopt dpl: " in printed


def test_masks_at_other_cutoffs_are_made_again(monkeypatch, tmp_path):
    """A passport that was written between two commands: the bundle that is judged is the one that is delivered."""
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,), "tent": (14,)})
    command(monkeypatch, "choose", run)
    asked = []

    def made(network, *_, **__):
        asked.append(network.name)
        raise ValueError("Expected a network, found none; this is a test.")

    monkeypatch.setattr(sys.modules["monai_sfda.candidates.ask"], "segment", made)
    write_passport(run / "candidates" / "tent" / "bundle" / "models" / "model.pt", cutoff={"nucleus": 0.9})
    command(monkeypatch, "choose", run)
    assert asked == ["tent", "between source and tent"]


def test_damaged_files_of_a_choice_are_made_again(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)})
    command(monkeypatch, "choose", run)
    first = capsys.readouterr().out
    (run / "choice" / "compared.json").write_text("{")
    (run / "choice" / "network.part").mkdir()
    (run / "chosen.part").mkdir()
    (run / "chosen.old").mkdir()
    command(monkeypatch, "choose", run)
    assert capsys.readouterr().out == first
    assert json.loads((run / "choice" / "compared.json").read_text())["of"]
    assert not [*run.rglob("*.part"), *run.rglob("*.old")]


def test_where_no_copy_is_left_it_is_decided_with_what_there_is(monkeypatch, capsys, tmp_path):
    """Of 20 images four cannot be outlined, so that there are 16 outlines, never 20."""
    run = make_run(tmp_path, {"source": (8,), "dpl": (9,)}, count=20)
    command(monkeypatch, "choose", run)
    outlines = outline(run, 20, tmp_path / "outlines")
    for path in sorted(outlines.iterdir())[3:7]:
        path.unlink()
    command(monkeypatch, "choose", run, "--outlines", outlines)
    assert measured(run)["decision"] == "keep-source"
    assert len(measured(run)["outlined"]) == 16


def test_spare_copies_replace_five_images_at_most(monkeypatch, capsys, tmp_path):
    """Who passes over more selects the images, and perhaps those on which a network looks good."""
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)}, count=30)
    command(monkeypatch, "choose", run)
    assert "at most 20; the last 5 are spare, for images that cannot be outlined" in capsys.readouterr().out
    outlines = outline(run, 25, tmp_path / "outlines")
    for path in sorted(outlines.iterdir())[6:12]:
        path.unlink()
    command(monkeypatch, "choose", run, "--outlines", outlines)
    found, printed = measured(run), capsys.readouterr().out
    assert (len(found["outlined"]), found["further"], found["images"]) == (5, 1, 25)
    assert "13 outlines are left out: Expected at most 5 images before them without an outline" in printed
    assert f"outline {sorted(path.name for path in (run / 'outline' / 'image').iterdir())[6]}" in printed
    for path in sorted(outlines.iterdir())[:-1]:
        path.unlink()
    assert "in the order of the numbers, found later ones" in fails(monkeypatch, "choose", run, "--outlines", outlines)


def test_where_more_than_five_cannot_be_outlined_it_is_decided_with_what_is_before(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (9,)}, count=30)
    command(monkeypatch, "choose", run)
    outlines = outline(run, 25, tmp_path / "outlines")
    unable = sorted(outlines.iterdir())[12:18]
    for path in unable:
        path.unlink()
    (outlines / "skip.txt").write_text("\n".join(path.name for path in unable))
    command(monkeypatch, "choose", run, "--outlines", outlines)
    assert (measured(run)["decision"], len(measured(run)["outlined"]), measured(run)["next"]) == ("keep-source", 12, [])
    assert "7 outlines are left out: Expected at most 5" in capsys.readouterr().out


def test_images_that_were_passed_over_leave_some_doubt(monkeypatch, tmp_path):
    """Of 7 images 5 are outlined; only all together leave none."""
    run = make_run(tmp_path, {"source": (8,), "dpl": (6,)}, count=7)
    command(monkeypatch, "choose", run)
    outlines = outline(run, 7, tmp_path / "outlines")
    command(monkeypatch, "choose", run, "--outlines", outlines)
    row = measured(run)["gains"]["nucleus"]["dpl"]
    assert row["low"] == row["high"]
    for path in sorted(outlines.iterdir())[:2]:
        path.unlink()
    command(monkeypatch, "choose", run, "--outlines", outlines)
    row = measured(run)["gains"]["nucleus"]["dpl"]
    assert (measured(run)["images"], row["low"] < row["dice"] < row["high"]) == (5, True)


def test_a_decision_stays_until_the_next_look(monkeypatch, tmp_path):
    """Six or seven outlines say what five did: whoever decides after each one looks too often."""
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,), "tent": (7,)}, count=20)
    command(monkeypatch, "choose", run)
    told = []
    for count in (5, 6, 7):
        command(monkeypatch, "choose", run, "--outlines", outline(run, count, tmp_path / f"{count}"))
        found = measured(run)
        assert found.pop("further") == count - 5
        told.append(found)
    assert told[0] == told[1] == told[2]


def test_a_structure_that_nobody_outlined_stays_with_the_source(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8, 8), "dpl": (0, 0)}, bundle=FUNDUS, count=20)
    monkeypatch.setattr(sys.modules["monai_sfda.candidates.measure"], "deliver", lambda *_: None)
    command(monkeypatch, "choose", run)
    outlines = outline(run, 5, tmp_path / "outlines")
    for path in outlines.iterdir():
        Image.fromarray(np.minimum(np.asarray(Image.open(path)), 1)).save(path)
    command(monkeypatch, "choose", run, "--outlines", outlines)
    assert measured(run)["networks"] == {"disc": "dpl", "cup": "source"}
    assert "No outline shows the cup: was it outlined? The bundle takes" in capsys.readouterr().out


def test_the_last_images_may_be_some_that_cannot_be_outlined(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (9,)}, count=5)
    command(monkeypatch, "choose", run)
    capsys.readouterr()
    outlines = outline(run, 4, tmp_path / "outlines")
    command(monkeypatch, "choose", run, "--outlines", outlines)
    (last,) = measured(run)["next"]
    assert measured(run)["decision"] == "outline"
    assert f"Next     {last}; if one cannot be outlined" in capsys.readouterr().out
    (outlines / "mask").mkdir()
    for path in list(outlines.glob("*.png")):
        path.rename(outlines / "mask" / path.name)
    (outlines / "mask" / "skip.txt").write_text(f"\n{last}\nelsewhere.png\n")
    command(monkeypatch, "choose", run, "--outlines", outlines)
    found = measured(run)
    assert (found["decision"], len(found["outlined"]), found["images"], found["next"]) == ("keep-source", 4, 4, [])
    assert found["skipped"] == [last.split("_", 1)[1]]
    assert "elsewhere.png in skip.txt is left out: Expected the name of an image" in capsys.readouterr().out


def test_a_structure_that_a_candidate_changes_nowhere_needs_no_certainty(monkeypatch, capsys, tmp_path):
    """Its masks of the cup are those of the source on all images, so no outline could tell a loss."""
    run = make_run(tmp_path, {"source": (8, 0), "dpl": (0, 0)}, bundle=FUNDUS)
    command(monkeypatch, "choose", run, "--weights_only")
    command(monkeypatch, "choose", run, "--weights_only", "--outlines", outline(run, 5, tmp_path / "outlines"))
    assert measured(run)["networks"] == {"disc": "dpl", "cup": "dpl"}
    assert measured(run)["gains"]["cup"]["dpl"]["dice"] == 0


def test_what_is_wrong_as_a_whole_is_one_sentence(monkeypatch, tmp_path):
    assert "found no choice.json" in fails(monkeypatch, "choose", tmp_path)
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)}, count=4)
    assert "found nothing there" in fails(monkeypatch, "choose", run, "--outlines", tmp_path / "nowhere")
    (tmp_path / "bundle" / "models" / "model.pt").write_bytes(b"other")
    assert "found other weights" in fails(monkeypatch, "choose", run)
    shutil.rmtree(run / "candidates")
    (tmp_path / "bundle" / "models" / "model.pt").write_bytes(b"source")
    assert "Expected a finished candidate" in fails(monkeypatch, "choose", run)


def test_the_masks_of_the_source_can_be_corrected_instead_of_drawing(monkeypatch, capsys, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)}, count=6)
    command(monkeypatch, "choose", run)
    assert not (run / "outline" / "source_mask").exists()
    command(monkeypatch, "choose", run, "--source_masks")
    assert "masks of the source network, which lead the hand" in capsys.readouterr().out
    names = [{path.name for path in (run / "outline" / folder).iterdir()} for folder in ("image", "source_mask")]
    assert names[0] == names[1]
    command(monkeypatch, "choose", run, "--outlines", run / "outline" / "source_mask")
    assert measured(run)["decision"] == "keep-source"


def test_where_every_method_changed_the_network_no_weights_can_be_chosen(monkeypatch, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "vptta": (0,)}, count=4)
    file = run / "candidates" / "vptta" / "bundle" / "configs" / "inference.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps({**config, "network_def": {"_target_": "torch.nn.Identity"}}))
    said = fails(monkeypatch, "choose", run, "--weights_only")
    assert "found none: vptta is left out: its method changed the network." in said


def test_the_evidence_names_the_files_that_it_rests_on(monkeypatch, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)}, count=6)
    command(monkeypatch, "choose", run)
    outlines = outline(run, 6, tmp_path / "outlines")
    command(monkeypatch, "choose", run, "--outlines", outlines)
    record = json.loads((run / "chosen" / "configs" / "metadata.json").read_text())["adaptation"]["choice"]
    assert set(record["outlined"].values()) == {sha256(path) for path in outlines.iterdir()}
