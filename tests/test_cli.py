"""What a person types, and what happens when it is wrong."""

import json
import os
import shutil
import subprocess
import sys
import time
from itertools import chain, repeat
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from bundle_support import ROOT, command, fails, random_weights, write_images
from PIL import Image

import monai_sfda
from monai_sfda import cli, schedule

BUNDLE = ROOT / "bundles" / "nuclei_fluorescence"
FUNDUS = ROOT / "bundles" / "fundus_disc_cup"


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images")


@pytest.fixture
def small(tmp_path):
    """Options that make a run quick, with weights of no merit."""
    weights = random_weights(BUNDLE, tmp_path / "model.pt")
    return ["--checkpoint", weights, "--image_size", "[64,64]", "--precision", "float32"]


def test_adapt_writes_what_it_promises_and_says_where(monkeypatch, capsys, images, small, tmp_path):
    output = tmp_path / "run"
    command(monkeypatch, "adapt", BUNDLE, images, "--output", output, "--epochs", 1, *small)
    present = {path.name for path in output.iterdir()}
    assert present == {"bundle", "checkpoints", "failures.csv", "history.csv", "report.html", "report.json"}
    printed = capsys.readouterr().out
    verdict = json.loads((output / "report.json").read_text())["verdict"]
    words = {"keep-source": "keep-source", "outline": "outline a few images"}[verdict["decision"]]
    assert f"Verdict  {words}: {verdict['sentence']}" in printed
    assert str(output / "report.html") in printed
    record = json.loads((output / "bundle" / "configs" / "metadata.json").read_text())["adaptation"]
    assert record["method"] == "cbmt"
    assert record["images"] == 3


def test_configs_are_checked_once(monkeypatch, images, small, tmp_path):
    from monai_sfda import workflow

    checked, check = [], workflow.check_overrides
    monkeypatch.setattr(workflow, "check_overrides", lambda *given: [checked.append(given), check(*given)])
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "masks", *small)
    assert len(checked) == 1
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small)
    assert len(checked) == 2


def test_a_finished_adaptation_is_not_repeated(monkeypatch, capsys, images, small, tmp_path):
    words = ["adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small]
    command(monkeypatch, *words)
    report = tmp_path / "run" / "report.json"
    content = json.loads(report.read_text())
    content["verdict"] = {"decision": "adopt", "sentence": "No sign of collapse.", "checks": []}  # of an older version
    report.write_text(json.dumps(content))
    capsys.readouterr()
    command(monkeypatch, *words)
    printed = capsys.readouterr().out
    assert "already holds a finished adaptation" in printed
    assert "Verdict  outline a few images: An older version judged this run" in printed
    assert "adopt" not in printed


def test_the_adapted_bundle_predicts_without_its_source(monkeypatch, images, small, tmp_path):
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small)
    command(monkeypatch, "predict", tmp_path / "run" / "bundle", images, "--output", tmp_path / "out", *small[2:])
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 3


def test_the_device_may_be_named(monkeypatch, images, small, tmp_path):
    words = [*small, "--device", "cpu"]
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *words)
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *words)
    assert len(list((tmp_path / "out" / "masks").glob("*.png"))) == 3


def test_the_adapted_bundle_keeps_the_image_size_it_was_adapted_at(monkeypatch, images, small, tmp_path):
    command(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "run", "--epochs", 1, *small)
    configs = tmp_path / "run" / "bundle" / "configs"
    sizes = {name: json.loads((configs / f"{name}.json").read_text())["image_size"] for name in ("adapt", "inference")}
    assert sizes == {"adapt": [64, 64], "inference": [64, 64]}


def test_the_adapted_bundle_defines_the_network_as_it_was_given(monkeypatch, images, small, tmp_path):
    words = ["--output", tmp_path / "run", "--epochs", 1, "--network_def::dropout", "0.3"]
    command(monkeypatch, "adapt", BUNDLE, images, *words, *small)
    configs = tmp_path / "run" / "bundle" / "configs"
    for name in ("adapt", "inference", "train"):
        assert json.loads((configs / f"{name}.json").read_text())["network_def"]["dropout"] == 0.3


def test_several_methods_are_adapted_one_after_the_other_and_segment_all_images(
    monkeypatch, capsys, images, small, tmp_path
):
    run, options = tmp_path / "run", ["--epochs", 1, "--running_average", "exponential", *small[2:]]  # of bn_stats
    for _ in range(2):
        command(monkeypatch, "adapt", BUNDLE, images, "--output", run, "--methods", "pseudo_label,bn_stats", *options)
        printed = capsys.readouterr().out
        assert printed.index("1 of 2: bn_stats") < printed.index("2 of 2: pseudo_label")
        assert "Failed   Expected a name that the configs have" in printed
        assert f"Adapted  1 of 2; pseudo_label failed\nNext     monai-sfda choose {run}" in printed
    assert "already holds a finished adaptation" in printed
    command(monkeypatch, "choose", run)
    printed = capsys.readouterr().out
    assert "Note     pseudo_label is not finished" in printed
    assert len(list((run / "outline" / "image").iterdir())) == 3
    folder = run / "choice" / "masks"
    assert {path.name for path in folder.iterdir()} == {"bn_stats", "source", "between source and bn_stats"}
    assert not (run / "choice" / "network.part").exists()
    masks = sorted((folder / "bn_stats").rglob("*.png"))
    assert [path.parts[-2] for path in masks] == ["at 0.75"] * 3 + ["masks"] * 3
    loose, strict = (np.asarray(Image.open(masks[place])) for place in (3, 0))
    assert not (strict > loose).any()
    masks += sorted((folder / "source").rglob("*.png"))
    written, order = [path.stat().st_mtime_ns for path in masks], (run / "outline" / "order.csv").read_bytes()
    masks[0].unlink()
    command(monkeypatch, "choose", run)
    assert "2 of 3: bn_stats" in capsys.readouterr().out
    assert [path.stat().st_mtime_ns for path in masks[6:]] == written[6:]
    assert masks[0].exists()
    assert (run / "outline" / "order.csv").read_bytes() == order


def test_masks_of_a_candidate_that_was_adapted_anew_are_made_anew(monkeypatch, images, small, tmp_path):
    run, options = tmp_path / "run", ["--methods", "bn_stats", *small]
    command(monkeypatch, "adapt", BUNDLE, images, "--output", run, *options)
    command(monkeypatch, "choose", run)
    record = run / "choice" / "masks" / "bn_stats" / "made_of.json"
    before = json.loads(record.read_text())["weights"]
    shutil.rmtree(run / "candidates")
    command(monkeypatch, "adapt", BUNDLE, images, "--output", run, "--running_average", "exponential", *options)
    command(monkeypatch, "choose", run)
    assert json.loads(record.read_text())["weights"] != before


def test_a_damaged_image_is_told_once_for_all_candidates(monkeypatch, capsys, images, small, tmp_path):
    run, whole = tmp_path / "run", (images / "case_0.png").read_bytes()
    (images / "damaged.png").write_bytes(whole[: len(whole) // 2])
    command(monkeypatch, "adapt", BUNDLE, images, "--output", run, "--methods", "bn_stats", *small)
    capsys.readouterr()
    command(monkeypatch, "choose", run)
    assert len(list((run / "choice" / "masks").iterdir())) == 3
    assert "".join(capsys.readouterr()).count("failed and are left out (damaged.png") == 1


def test_a_budget_leaves_out_what_does_not_fit_and_a_larger_one_goes_on(monkeypatch, capsys, images, small, tmp_path):
    words = [BUNDLE, images, "--output", tmp_path / "run", "--methods", "bn_stats,tent", "--epochs", 2, *small]
    clock = chain([0, 0], repeat(3600))  # the budget begins, bn_stats is asked for, and an hour later tent
    monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    for budget, told in (("30min", "Adapted  1 of 2\nLeft out tent (about "), ("9h", "Adapted  2 of 2\nNext ")):
        command(monkeypatch, "adapt", *words, "--budget", budget)
        printed = capsys.readouterr().out
        assert told in printed
    assert "2 of 2: tent, about " in printed
    assert [path.name for path in (tmp_path / "run" / "candidates" / "tent").rglob("epochs/*")] == ["1.pt"]


def test_a_budget_into_which_nothing_fits_is_an_error(monkeypatch, images, small, tmp_path):
    clock = chain([0], repeat(60))  # the imports took longer than the budget
    monkeypatch.setattr(schedule, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    words = ["--output", tmp_path / "run", "--methods", "bn_stats,tent", "--budget", "2s"]
    told = fails(monkeypatch, "adapt", BUNDLE, images, *words, *small)
    assert "Expected a method to fit, found bn_stats, tent: not within --budget 2s" in told


def test_methods_that_all_fail_are_an_error(monkeypatch, images, small, tmp_path):
    words = ["--output", tmp_path / "run", "--methods", "bn_stats,dpl", "--epoch", 1]
    assert "found that all failed (Expected a name" in fails(monkeypatch, "adapt", BUNDLE, images, *words, *small)


def test_predict_again_does_only_what_is_missing(monkeypatch, images, small, tmp_path):
    output = tmp_path / "out"
    for _ in range(2):
        command(monkeypatch, "predict", BUNDLE, images, "--output", output, *small)
    kept, removed = output / "masks" / "case_0.png", output / "masks" / "case_1.png"
    written = kept.stat().st_mtime_ns
    removed.unlink()
    command(monkeypatch, "predict", BUNDLE, images, "--output", output, *small)
    assert kept.stat().st_mtime_ns == written
    assert removed.exists()
    assert len((output / "results.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("switch", ["--overlays", "--flips"])
def test_a_switch_before_the_names_does_not_swallow_one(monkeypatch, images, small, tmp_path, switch):
    command(monkeypatch, "predict", switch, BUNDLE, images, "--output", tmp_path / "out", *small)
    assert (tmp_path / "out" / "overlays").exists() == (switch == "--overlays")
    assert ("flip_agreement" in (tmp_path / "out" / "results.csv").read_text()) == (switch == "--flips")


def test_a_home_folder_is_never_written_as_a_tilde(monkeypatch, images, small, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "shared")
    secret = ["--pseudonym_salt", "a long secret", "--pseudonym_table=~/names.csv"]
    command(monkeypatch, "predict", BUNDLE, images, "--output", ".", *secret, *small)
    assert (tmp_path / "home" / "names.csv").exists()
    assert not (tmp_path / "shared" / "~").exists()
    monkeypatch.setenv("HOME", str(tmp_path / "shared"))
    (tmp_path / "shared" / "names.csv").unlink(missing_ok=True)
    sentence = fails(monkeypatch, "predict", BUNDLE, images, "--output", ".", *secret, *small)
    assert "Expected --pseudonym_table outside of OUTPUT" in sentence


def test_an_option_that_needs_text_and_has_none_is_named(monkeypatch, images, small, tmp_path):
    words = ["predict", BUNDLE, images, "--output", tmp_path / "out", *small, "--pseudonym_table"]
    assert "Expected text after --pseudonym_table, found none" in fails(monkeypatch, *words)


def test_one_damaged_image_costs_one_row(monkeypatch, capsys, images, small, tmp_path):
    (images / "damaged.png").write_bytes(b"not a picture")
    command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "out", *small)
    assert "Failed   1 image(s), see" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["images"] == 3


def test_the_version_is_said(monkeypatch, capsys):
    command(monkeypatch, "--version")
    assert capsys.readouterr().out == f"{monai_sfda.__version__}\n"


def test_methods_lists_the_recipes_with_their_papers(monkeypatch, capsys):
    command(monkeypatch, "methods", ROOT / "bundles" / "fundus_disc_cup")
    printed = capsys.readouterr().out
    assert "cbmt_paper" in printed
    assert "MICCAI 2023" in printed
    assert len({len(line) - len(line.lstrip()) for line in printed.splitlines()[1::2]}) == 1  # aligned


def test_methods_lists_what_a_benchmark_measured(monkeypatch, capsys, tmp_path):
    row = {"pair": "a to b", "method": "dpl", "structure": "cup", "dice": [71.0, 72.0], "change": {"difference": 0.058}}
    unknown = {**row, "method": "tent", "change": {"difference": None}}
    (tmp_path / "results.json").write_text(json.dumps([row, unknown]))
    command(monkeypatch, "methods", ROOT / "bundles" / "fundus_disc_cup", "--results", tmp_path)
    assert "a to b, cup: Dice 71.5 %, +5.8 against the source" in capsys.readouterr().out


def test_an_option_that_the_network_does_not_take_is_one_sentence(monkeypatch, images, small, tmp_path):
    with pytest.raises(SystemExit, match=r"options that .* takes, found: .*keyword argument 'colour'; correct"):
        command(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path, *small, "--network_def::colour", 1)


def test_a_cutoff_that_no_probability_passes_is_one_sentence(monkeypatch, images, small, tmp_path):
    with pytest.raises(SystemExit, match="Expected a cutoff between 0 and 1, found 2"):
        command(monkeypatch, "predict", FUNDUS, images, "--output", tmp_path / "out", "--cutoff", 2)


def test_a_benchmark_in_which_every_method_fails_ends_with_an_error(monkeypatch, images, small, tmp_path):
    data = write_images(tmp_path / "data", classes=1)
    settings = {"image_size": [64, 64], "precision": "float32"}
    pair = {"bundle": str(BUNDLE), "target": str(data), "evaluate": settings, "adapt": {"batch_size": "many"}}
    (tmp_path / "m.json").write_text(json.dumps({"pairs": {"a": pair}, "methods": ["cbmt"], "seeds": [0]}))
    with pytest.raises(SystemExit, match=r"a method to succeed, found that all failed .*whole number"):
        command(monkeypatch, "benchmark", tmp_path / "m.json", "--output", tmp_path / "out")
    assert (tmp_path / "out" / "table.md").exists()


def test_a_replay_of_a_benchmark_computes_no_cell(monkeypatch, tmp_path):
    pair = {"bundle": str(BUNDLE), "target": str(BUNDLE)}
    (tmp_path / "m.json").write_text(json.dumps({"pairs": {"a": pair}, "methods": ["cbmt"], "seeds": [0]}))
    with pytest.raises(SystemExit, match="run the benchmark first"):
        command(monkeypatch, "benchmark", tmp_path / "m.json", "--output", tmp_path / "out", "--replay")
    assert not (tmp_path / "out" / "a").exists()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "I;16"])
def test_pictures_of_any_kind_are_segmented(monkeypatch, small, tmp_path, mode):
    grey = (np.linspace(0, 255, 64 * 64).reshape(64, 64)).astype(np.uint8)
    picture = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    (tmp_path / "kinds").mkdir()
    picture.save(tmp_path / "kinds" / ("picture.tif" if mode == "CMYK" else "picture.png"))
    command(monkeypatch, "predict", BUNDLE, tmp_path / "kinds", "--output", tmp_path / "out", *small)
    assert Image.open(tmp_path / "out" / "masks" / "picture.png").size == (64, 64)


def test_a_missing_folder_is_named(monkeypatch, small, tmp_path):
    sentence = fails(monkeypatch, "adapt", BUNDLE, tmp_path / "nowhere", "--output", tmp_path / "run", *small)
    assert "Expected a folder of images" in sentence
    assert "nowhere" in sentence


def test_a_folder_without_images_says_what_is_accepted(monkeypatch, small, tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "note.txt").write_text("hello")
    sentence = fails(monkeypatch, "predict", BUNDLE, tmp_path / "texts", "--output", tmp_path / "run", *small)
    assert "png" in sentence


def test_a_single_image_cannot_be_adapted_to(monkeypatch, small, tmp_path):
    one = write_images(tmp_path / "one", 1)
    sentence = fails(monkeypatch, "adapt", BUNDLE, one, "--output", tmp_path / "run", *small)
    assert "at least 2" in sentence


def test_a_folder_that_is_no_bundle_is_named(monkeypatch, images, tmp_path):
    assert "Expected a MONAI bundle" in fails(monkeypatch, "predict", tmp_path, images, "--output", tmp_path / "run")


def test_an_unknown_method_lists_the_known_ones(monkeypatch, images, small, tmp_path):
    sentence = fails(monkeypatch, "adapt", BUNDLE, images, "--output", tmp_path / "r", "--method", "magic", *small)
    assert "cbmt" in sentence
    assert "magic" in sentence


def test_an_output_that_is_a_file_is_refused(monkeypatch, images, small, tmp_path):
    (tmp_path / "file").write_text("")
    sentence = fails(monkeypatch, "predict", BUNDLE, images, "--output", tmp_path / "file", *small)
    assert "Expected an output folder" in sentence


def test_a_mask_of_another_size_costs_its_case(monkeypatch, capsys, small, tmp_path):
    dataset = write_images(tmp_path / "data", 10, classes=1)
    Image.fromarray(np.zeros((5, 5), np.uint8)).save(dataset / "mask" / "case_0.png")
    command(monkeypatch, "evaluate", BUNDLE, dataset, "--output", tmp_path / "scores", *small)
    assert json.loads((tmp_path / "scores" / "summary.json").read_text())["cases"] == 9
    printed = capsys.readouterr().out
    assert "9 of 10 images scored;" in printed
    assert "Failed   1 image(s)" in printed


def test_masks_that_are_all_empty_are_no_evaluation(monkeypatch, small, tmp_path):
    dataset = write_images(tmp_path / "data", classes=1)
    for path in (dataset / "mask").iterdir():
        Image.fromarray(np.zeros((64, 70), np.uint8)).save(path)
    sentence = fails(monkeypatch, "evaluate", BUNDLE, dataset, "--output", tmp_path / "scores", *small)
    assert "Expected outlines of" in sentence
    assert "found all of 3 empty" in sentence
    assert not (tmp_path / "scores" / "cases.csv").exists()


def test_unknown_ids_in_a_mask_are_named(monkeypatch, small, tmp_path):
    dataset = write_images(tmp_path / "data", classes=1)
    for path in (dataset / "mask").iterdir():
        Image.fromarray(np.full((64, 70), 7, np.uint8)).save(path)
    sentence = fails(monkeypatch, "evaluate", BUNDLE, dataset, "--output", tmp_path / "scores", *small)
    assert "7" in sentence


def test_a_run_with_other_settings_is_not_continued(monkeypatch, images, small, tmp_path):
    output = tmp_path / "run"
    command(monkeypatch, "adapt", BUNDLE, images, "--output", output, "--epochs", 1, *small)
    (output / "report.json").unlink()
    sentence = fails(monkeypatch, "adapt", BUNDLE, images, "--output", output, "--epochs", 2, *small)
    assert "epochs=1 (now 2)" in sentence


def test_a_run_from_other_images_is_not_continued(monkeypatch, images, small, tmp_path):
    output = tmp_path / "run"
    command(monkeypatch, "adapt", BUNDLE, images, "--output", output, "--epochs", 1, *small)
    (output / "report.json").unlink()
    (images / "case_0.png").write_bytes((images / "case_1.png").read_bytes())
    sentence = fails(monkeypatch, "adapt", BUNDLE, images, "--output", output, "--epochs", 1, *small)
    assert "inputs=" in sentence


def test_a_killed_run_continues_to_the_same_bytes(fork, images, small, tmp_path):
    def start(output):
        # Processes of their own: another test may have changed the number of threads in this one, and with it sums.
        settings = {"epochs": 6, "batch_size": 2, "checkpoint": small[1], "image_size": [64, 64]}
        places = {"output": str(tmp_path / output), "precision": "float32"}
        process = fork(target=cli.adapt, args=(str(BUNDLE), str(images)), kwargs={**settings, **places})
        process.start()
        return process

    def finish(process):
        process.join()
        return process.exitcode

    assert finish(start("undisturbed")) == 0
    victim = start("killed")
    checkpoint = tmp_path / "killed" / "checkpoints" / "latest.pt"
    while victim.is_alive() and not checkpoint.exists():
        time.sleep(0.005)
    victim.kill()
    victim.join()
    assert not (tmp_path / "killed" / "report.json").exists()  # else it was not killed in the middle
    assert finish(start("killed")) == 0
    weights = [tmp_path / name / "bundle" / "models" / "model.pt" for name in ("undisturbed", "killed")]
    first, second = (torch.load(path, weights_only=True) for path in weights)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (tmp_path / "killed" / "history.csv").read_text() == (tmp_path / "undisturbed" / "history.csv").read_text()


QUICK = """
import sys
from monai_sfda.cli import main
sys.argv[0] = "monai-sfda"
try:
    main()
except SystemExit as stop:
    print(stop, file=sys.stderr)
print("slow:", *{"monai", "torch", "numpy", "PIL"} & set(sys.modules))
"""
ADAPT = ("adapt", FUNDUS, "images", "--output", "out")
NEW = ("new", "vessels", "--from", FUNDUS)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--version"], monai_sfda.__version__),
        ([], "COMMANDS"),
        (["--help"], "COMMANDS"),
        (["adapt", "--help"], "folder of a MONAI bundle with configs/adapt.json"),
        (["predict", "--help"], "first"),
        (["predict", FUNDUS, "images", "--output", "out", "-h"], "folder of a MONAI bundle"),
        (["predct"], "predct"),
        (["predict", "nowhere", "images", "--output", "out"], "Expected a MONAI bundle"),
        (["predict", FUNDUS, "nowhere", "--output", "out"], "Expected a folder of images at nowhere, found nothing"),
        (["evaluate", FUNDUS, "nowhere", "--output", "out"], "Expected a folder of images at nowhere, found nothing"),
        (["adapt", FUNDUS, "nowhere", "--output", "out"], "Expected a folder of images at nowhere, found nothing"),
        (["evaluate", FUNDUS, "images/mask", "--output", "out"], "found no image and no mask; lay the data out as"),
        (["train", FUNDUS, "images/mask"], "found no image and no mask; lay the data out as"),
        (["predict", FUNDUS, "images", "--output", "images/out"], "Expected an output folder outside the images"),
        ([*ADAPT, "--method", "cbt"], "Expected --method to be one of"),
        ([*ADAPT, "--methods", "dpl,cbt"], "Expected --methods to be fast, all or names"),
        ([*ADAPT, "--methods", "fast", "--method", "dpl"], "Expected --method or --methods, found both"),
        ([*ADAPT, "--methods", "fast", "--budget", "30"], "Expected --budget as a duration such as 30min"),
        ([*ADAPT, "--budget", "30min"], "Expected --budget with --methods"),
        (["choose", "nowhere"], "Expected the output of monai-sfda adapt --methods at nowhere"),
        ([*ADAPT, "--epoch", "3"], "did you mean --epochs?"),
        (["predict", *ADAPT[1:], "--image_sise", "[64,64]"], "did you mean --image_size?"),
        (["evaluate", *ADAPT[1:], "--bach_size", "1"], "did you mean --batch_size?"),
        ([*ADAPT, "more"], "found also 'more'"),
        (["new", "--help"], "--from BUNDLE"),
        (["train", "--help"], "--overwrite"),
        ([*NEW, "--structures", "vessel"], "monai-sfda train    vessels LABELLED"),
        ([*NEW, "--structures"], "Expected a name of at least one structure, found none"),
        ([*NEW, "--structures", "left atrium"], "found 'left atrium'"),
        (
            [*NEW, "--structures", "vessel", "--head", "relu"],
            "Expected --head to be one of softmax, sigmoid, found relu",
        ),
        ([*NEW, "--structures", "vessel", "--image_size", "256"], "Expected --image_size as height and width"),
        ([*NEW, "--structures", "vessel", "--epochs", "3"], "Expected the options --bundle"),
        (["new", "images", "--from", "nowhere", "--structures", "vessel"], "Expected a MONAI bundle"),
        (["new", ".", "--from", FUNDUS, "--structures", "vessel"], "Expected a new or empty folder"),
        (["train", FUNDUS, "images"], "Expected no weights at"),
        (["train", FUNDUS, "nowhere"], "Expected a folder of images at nowhere, found nothing"),
        (["train", FUNDUS, "images", "--ckpt_dir", "out", "--epoch", "3"], "did you mean --epochs?"),
    ],
    ids=str,
)
def test_what_needs_no_network_is_said_before_pytorch_is_imported(tmp_path, words, sentence):
    for name in ("image", "mask"):
        (tmp_path / "images" / name).mkdir(parents=True)
    command = [sys.executable, "-c", QUICK, *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        list(map(str, command)), cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert sentence in done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "slow:"
