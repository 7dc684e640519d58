"""The page for Python is so: its script and the exchanges run, and each mistake gets the sentence that is quoted."""

import ast
import csv
import inspect
import re

import numpy as np
import pytest
import torch
from bundle_support import ROOT, write_images
from monai.networks.nets import BasicUNet
from PIL import Image

PAGE, README = (ROOT / "docs" / "python.md").read_text(), (ROOT / "README.md").read_text()
SCRIPT, *EXCHANGES = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
IMPORTS, SETTING, METHOD, TRAINER, DELIVERY = re.split(
    r"^(?=structures,|teacher =|optimizer =|comparison =)", SCRIPT, flags=re.MULTILINE
)
ADAPT, RUN = TRAINER.split("trainer = ")
TABLE = PAGE.split("## What is refused")[1]
MISTAKES = re.findall(r"^\| `(.+?)` \| `(.+)` \|$", TABLE, flags=re.MULTILINE)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """What the page asks for: images, and the weights of the network."""
    write_images(tmp_path / "IMAGES", 4)
    torch.manual_seed(0)
    network = BasicUNet(spatial_dims=2, in_channels=3, out_channels=2, norm="batch")
    with torch.no_grad():
        network.final_conv.bias.copy_(torch.tensor([3.0, -3.0]))  # sure of itself, as a trained network is
    torch.save(network.state_dict(), tmp_path / "model.pt")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*blocks):
    names = {}
    text = "\n".join(blocks).replace("(256, 256)", "(32, 32)").replace("max_epochs=20", "max_epochs=1")
    exec(compile(text, "docs/python.md", "exec"), names)
    return names


def test_the_script_leaves_masks_history_and_report(folder):
    names = run(SCRIPT)
    written = folder / "runs" / "python"
    for index in range(4):
        mask = Image.open(written / "masks" / f"case_{index}.png")
        assert mask.size == Image.open(folder / "IMAGES" / f"case_{index}.png").size
        assert set(np.unique(mask)) <= {0, 1, 2}
    with open(written / "history.csv", newline="", encoding="utf-8-sig") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]
    assert names["report"]["verdict"]["sentence"] in (written / "report.json").read_text()
    assert "case_0.png" in (written / "report.html").read_text()
    adapted = torch.load(written / "model.pt", weights_only=True)
    assert not all(torch.equal(adapted[name], value) for name, value in names["source"].state_dict().items())


def test_the_lines_of_the_readme_run_with_the_imports_of_the_page():
    lines = README.split("In Python, with your own network")[1].split("\n\n")[1]
    optimizer = "optimizer = torch.optim.Adam(network.parameters(), lr=5e-4)"
    names = run(IMPORTS, SETTING, optimizer, inspect.cleandoc("\n" + lines))
    moved = zip(names["teacher"].network.parameters(), names["source"].parameters(), strict=True)
    assert any(not torch.equal(mine, its) for mine, its in moved)


def test_the_script_is_short():
    assert 15 < sum(not isinstance(line, ast.Import | ast.ImportFrom) for line in ast.parse(SCRIPT).body) <= 25


@pytest.mark.parametrize("block", EXCHANGES, ids=range(len(EXCHANGES)))
def test_what_may_be_exchanged_runs(block):
    method = METHOD + block if "def " in block else block
    names = run(IMPORTS, SETTING, method, TRAINER)
    moved = zip(names["adapted"].parameters(), names["source"].parameters(), strict=True)
    assert any(not torch.equal(mine, its) for mine, its in moved)


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_gets_the_sentence_that_the_page_quotes(line, message):
    quoted = re.escape(message).replace("…", ".*")
    with pytest.raises(ValueError, match=rf"^{quoted}[^\n]*\.$"):
        run(IMPORTS, SETTING, METHOD, ADAPT, line, "trainer = " + RUN)


def test_the_page_shows_every_kind_of_mistake():
    assert len(EXCHANGES) == 4
    assert len(MISTAKES) >= 17


def test_the_network_that_adapts_is_refused_as_source():
    quoted = re.search(r"`(Expected the network before\nadaptation[^`]*)`", TABLE)[1].replace("\n", " ")
    with pytest.raises(ValueError, match=f"^{quoted}"):
        run(
            IMPORTS,
            SETTING,
            METHOD,
            ADAPT,
            "Comparison(source=network, adapted=adapted, views=views, structures=structures)",
        )
