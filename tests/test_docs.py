"""What the pages say is so: their commands run as they stand, on a few small images; what they name is there."""

import ast
import csv
import inspect
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from bundle_support import ROOT, write_images

from monai_sfda import cli
from monai_sfda.choice import Rule
from monai_sfda.files import without_suffix
from monai_sfda.tables import read_csv

CLINIC, LABEL, README = ROOT / "docs" / "clinic.md", ROOT / "docs" / "monai_label.md", ROOT / "README.md"
MONAI, METHODS = ROOT / "docs" / "monai.md", ROOT / "docs" / "methods.md"
OWN, CHOOSE = ROOT / "docs" / "own_bundle.md", ROOT / "docs" / "choose.md"
VOLUMES = ROOT / "docs" / "volumes.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
CODE = re.compile(r"`([^`\n]+)`")
SMALL = {"--image_size": "[64,64]", "--precision": "float32"}
SHORT = {"adapt": {"--epochs": "1"}, "train": {"--epochs": "1", "--val_interval": "1"}}
INSTALLED = (".", "export", "monailabel")  # MONAI Label has an environment of its own; its smoke script runs the page
NOT_RUN = ("scripts/monailabel_adapt_smoke.py", "scripts/monailabel_choose_smoke.py")
OF_OTHERS = ("found other content", "Missing required flags", "UserWarning")


def commands(page):
    """The indented lines of a page, continued ones whole."""
    text = re.sub(r"\\\n\s*", "", page.read_text())
    return [line.strip() for line in text.splitlines() if re.match(r" {4,}\S", line)]


@pytest.fixture
def clinic(tmp_path, monkeypatch):
    """A folder in which every command can be given: what stands in capitals on the pages is there under that name."""
    for name in ("bundles", "scripts"):
        (tmp_path / name).symlink_to(ROOT / name)
    write_images(tmp_path / "IMAGES")
    volume = nibabel.Nifti1Image(np.full((70, 64), 90, np.uint8), np.eye(4))
    volume.header.set_xyzt_units("mm")  # else no column in mm²
    nibabel.save(volume, tmp_path / "IMAGES" / "measured.nii.gz")
    write_images(tmp_path / "LABELLED", 4, classes=2)
    released = runpy.run_path(str(ROOT / "tests" / "networks" / "released_layout.py"))["weights"](False)
    torch.save({"model_state_dict": released}, tmp_path / "RELEASED.pth.tar")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return tmp_path


def follow(line, monkeypatch):
    """Run one command, or where that would take another machine, hold it against what it calls."""
    line = re.sub(r"\$\(cat (\S+)\)", lambda found: Path(found[1]).read_text().strip(), line)
    words = shlex.split(line)
    program, arguments = words[0].rpartition("/")[2], words[1:]
    if program == "monai-sfda":
        inside(monkeypatch, cli.main, [program, *shorter(arguments, arguments[0])])
    elif program in ("python", "python3"):
        python(line, arguments, monkeypatch)
    elif program == "torchrun":
        bundle_options_exist(arguments)
        shell(shlex.join([program, *shorter(arguments, "")]))
    elif program == "cp":
        shell(line)
    elif program == "pip":
        installable(arguments)
    elif program == "curl":
        asked(arguments)
    else:
        assert program in INSTALLED, f"the test does not know {program}"


def python(line, arguments, monkeypatch):
    if arguments[0] == "-c":
        shell(line)
    elif arguments[0] == "-m":
        module, *rest = arguments[1:]
        if module == "monai.bundle":
            bundle_options_exist(arguments)
            rest = shorter(rest, "train" if "train.json" in line else "adapt" if "adapt.json" in line else "")
        if module != "venv":
            inside(monkeypatch, lambda: runpy.run_module(module, run_name="__main__", alter_sys=True), [module, *rest])
    else:
        assert Path(arguments[0]).is_file()
        if arguments[0] not in NOT_RUN:
            inside(monkeypatch, lambda: runpy.run_path(arguments[0], run_name="__main__"), arguments)


def inside(monkeypatch, main, words):
    """Run a program in this process: importing torch takes longer than all that a command has to do here."""
    monkeypatch.setattr(sys, "argv", words)
    try:
        main()
    except SystemExit as stop:
        if stop.code:
            raise


def shell(line):
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def shorter(words, kind):
    """The same command for small images and one epoch; where nothing is computed, as it is."""
    if kind in ("methods", "benchmark", "choose"):
        return words
    words = list(words)
    small = {"--image_size": "[64,64]"} if kind == "new" else {**SMALL, **SHORT.get(kind, {})}
    for option, value in small.items():
        if option in words:
            words[words.index(option) + 1] = value
        else:
            words += [option, value]
    return words


def bundle_options_exist(words):
    """MONAI takes an unknown option without a word."""
    words = words[words.index("monai.bundle") :]
    files = words[words.index("--config_file") + 1]
    files = ast.literal_eval(files) if files.startswith("[") else [files]
    known = {name for file in files for name in json.loads(Path(file).read_text())}
    assert {word[2:] for word in words if word.startswith("--")} <= {"config_file", *known}


def installable(words):
    """The files and extras of a pip command are there."""
    assert words[0] == "install"
    project = (ROOT / "pyproject.toml").read_text()
    for word in words:
        assert not word.endswith(".txt") or (ROOT / word).is_file()
        for extra in re.findall(r"(?<=[\[,])\w+", word):
            assert re.search(rf"^{extra} = \[", project, flags=re.MULTILINE), f"no extra {extra}"


def asked(words):
    """What a request to MONAI Label sends is an option of the task."""
    task = (ROOT / "monai_sfda" / "label" / "tasks.py").read_text()
    for before, word in pairwise(words):
        if before == "-d":
            assert all(f'"{option}"' in task for option in json.loads(word))


def follow_all(lines, monkeypatch, capsys):
    for line in lines:
        try:
            follow(line, monkeypatch)
        except BaseException as error:
            pytest.fail(f"{line}\n{type(error).__name__}: {error}\n{capsys.readouterr().err[-2000:]}")


def rows(page, heading):
    """Words in code in the first cells of the tables under a heading."""
    section = page.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return [word for cell in cells for word in CODE.findall(cell)]


def test_the_page_for_the_clinic_can_be_followed_to_the_end(clinic, monkeypatch, capsys):
    follow_all(commands(CLINIC), monkeypatch, capsys)
    follow("monai-sfda predict bundles/fundus_disc_cup IMAGES --output RESULTS --formats nifti --overlays", monkeypatch)
    written = {name.rstrip("/") for name in rows(CLINIC, "What it writes")}
    assert written - {"dicom_seg"} <= {path.name for path in (clinic / "RESULTS").iterdir()}
    with open(clinic / "RESULTS" / "results.csv", newline="", encoding="utf-8-sig") as file:
        assert set(rows(CLINIC, "Read results.csv")) <= set(csv.DictReader(file).fieldnames)


def test_the_page_for_monai_label_names_what_is_there(clinic, monkeypatch, capsys):
    follow_all(commands(LABEL), monkeypatch, capsys)
    assert (clinic / "APP" / "main.py").exists()
    task = (ROOT / "monai_sfda" / "label" / "tasks.py").read_text()
    assert all(f'"{option}"' in task for option in rows(LABEL, "Adapt"))


def test_the_commands_of_the_readme_run(clinic, monkeypatch, capsys):
    lines = [line for line in commands(README) if line.startswith(".venv/bin/monai-sfda ")]
    assert len(lines) == 4
    follow_all(lines, monkeypatch, capsys)


def test_the_page_for_ones_own_task_can_be_followed_to_the_end(clinic, monkeypatch, capsys):
    shutil.rmtree("LABELLED")
    for name in ("LABELLED", "OTHER_LABELLED"):
        write_images(clinic / name, 4, classes=1)
    follow_all(commands(OWN), monkeypatch, capsys)
    assert len([line for line in commands(OWN) if line.startswith("monai-sfda ")]) <= 8
    assert list((clinic / "runs" / "masks" / "masks").iterdir())


def test_the_page_for_choosing_can_be_followed_to_the_end(clinic, monkeypatch, capsys):
    lines = commands(CHOOSE)
    assert len(lines) == 4
    follow_all(lines[:2], monkeypatch, capsys)
    write_outlines(clinic / "RUN", clinic / "OUTLINES")
    follow_all(lines[2:], monkeypatch, capsys)
    looks = Rule().looks
    assert f"in at most {Rule().error:.0%} of all cases".replace("%", " %") in CHOOSE.read_text()
    assert f"after {', '.join(map(str, looks[:-1]))} and {looks[-1]} outlines; at {Rule().cap}," in CHOOSE.read_text()
    assert set(rows(CHOOSE, "What it writes")) <= {*written(clinic / "RUN"), "adaptation::choice", "chosen/"}


def written(run):
    """Names in a run and in its folder ``choice``, as the page writes them."""
    paths = [*run.iterdir(), *(run / "choice").iterdir()]
    return {f"{path.relative_to(run).as_posix()}{'/' * path.is_dir()}" for path in paths}


def write_outlines(run, folder):
    """Of every image that is to be outlined, the mask of the source network."""
    folder.mkdir()
    for row in read_csv(run / "outline" / "order.csv"):
        mask = run / "choice" / "masks" / "source" / "masks" / f"{without_suffix(row['case'])}.png"
        shutil.copy(mask, folder / f"{without_suffix(row['image'])}.png")


def test_the_page_lists_all_that_a_task_may_say():
    shared = "".join(path.read_text() for path in (ROOT / "monai_sfda" / "template").rglob("*.json"))
    said = set(re.findall(r'"%task::(\w+)"|"_task_": "(\w+)"', shared))
    assert set(rows(OWN, "What task.json says")) == {name for names in said for name in names if name} | {
        "default_method"
    }


def test_the_page_for_users_of_monai_names_what_is_there(clinic, monkeypatch):
    monkeypatch.chdir("bundles/fundus_disc_cup")
    lines = [line for line in commands(MONAI) if "-m monai.bundle run" in line]
    assert len(lines) == 7
    for line in lines:
        bundle_options_exist(shlex.split(line))


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(README.read_text().splitlines()) <= 90
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_recipe_has_a_row_and_is_named_in_the_readme():
    recipes = {path.stem for path in (ROOT / "bundles").glob("*/configs/methods/*.json")}
    table = {name for line in METHODS.read_text().splitlines() if line.startswith("| ") for name in CODE.findall(line)}
    assert recipes <= table
    assert recipes <= set(CODE.findall(README.read_text()))


def test_a_wrong_option_is_seen(clinic, monkeypatch, capsys):
    with pytest.raises(pytest.fail.Exception, match="did you mean --epochs"):
        follow_all(["monai-sfda adapt bundles/fundus_disc_cup IMAGES --output X --epoch 3"], monkeypatch, capsys)
    with pytest.raises(pytest.fail.Exception, match="no extra"):
        follow_all(['pip install ".[dicoms]"'], monkeypatch, capsys)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_a_page_names_are_there(page):
    named = re.findall(r"(?<![\w/.-])((?:docs|scripts|tests|bundles|configs)/[\w./{},-]*[\w}])", page.read_text())
    homes = (ROOT, ROOT / "bundles" / "fundus_disc_cup")
    whole = [name for name in named if "NAME" not in name and "{" not in name]
    assert not [name for name in whole if not any((home / name).exists() for home in homes)]


def test_options_in_the_text_for_the_clinic_are_known():
    verbs = (cli.adapt, cli.predict, cli.evaluate)
    known = {name for verb in verbs for name in inspect.signature(verb).parameters}
    for name in ("adapt", "inference", "evaluate", "train"):
        known |= set(json.loads((ROOT / "bundles" / "fundus_disc_cup" / "configs" / f"{name}.json").read_text()))
    text = [word for word in CODE.findall(CLINIC.read_text()) if not word.startswith("pip ")]
    unknown = {option for word in text for option in re.findall(r"--([a-z]\w*)", word)} - known
    assert not unknown


def test_messages_that_the_page_explains_are_still_said():
    modules = [ast.parse(path.read_text()) for path in (ROOT / "monai_sfda").rglob("*.py")]
    said = "\n".join(text for module in modules for text in sentences(module))
    explained = rows(CLINIC, "When something goes wrong") + rows(CLINIC, "What to do with failures.csv")
    explained += rows(CHOOSE, "When something does not fit") + rows(VOLUMES, "What is refused")
    assert len(explained) > 20
    assert not [text for text in explained if text not in said and not text.startswith(OF_OTHERS)]


def sentences(tree):
    """Texts of a module, with … for what is filled in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_pip_lines_in_the_text_name_extras_that_exist():
    for page in PAGES:
        for word in CODE.findall(page.read_text()):
            if word.startswith("pip install"):
                installable(shlex.split(word)[1:])
