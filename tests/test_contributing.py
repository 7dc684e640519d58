"""The five steps of CONTRIBUTING.md, followed to the letter, end with a method that is itself."""

import json
import re
import shutil

import pytest
import torch
from bundle_support import BUNDLES, ROOT, network_of, random_weights, recipe_id, run, write_images

PARTS = '''
"""Push all logits down: the parts that step 2 asks for."""

from torch import Tensor, nn


class Lower(nn.Module):
    """Mean probability."""

    def forward(self, *, pred: Tensor, **_: object) -> Tensor:
        return pred.sigmoid().mean()
'''


@pytest.fixture
def recipe():
    """The one of the page."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    return json.loads(re.search(r"\n( {8}\{\n.*?\n {8}\}\n)", page, re.DOTALL)[1])


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
def test_a_method_made_by_the_five_steps_is_itself(bundle, recipe, monkeypatch, tmp_path):
    (tmp_path / "lower.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = shutil.copytree(bundle, tmp_path / "own")
    (own / "configs" / "methods" / "lower.json").write_text(json.dumps(recipe))
    weights = random_weights(bundle, own / "models" / "model.pt")
    places = {"dataset_dir": str(write_images(tmp_path / "images", 4)), "output_dir": str(tmp_path / "run")}
    item = run(own, "adapt.json", "methods/lower.json", checkpoint=str(weights), batch_size=2, epochs=1, **places)
    trainer = item.parser.get_parsed_content("train::trainer")
    assert trainer.adapted is trainer.network  # not the teacher of another recipe
    assert trainer.labeller is None
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["method"]["name"] == "lower"
    assert not {"label_cutoff", "teacher_decay", "margin"} & set(report["settings"])
    adapted = network_of(tmp_path / "run" / "bundle").state_dict()
    assert all(torch.equal(adapted[name], tensor) for name, tensor in trainer.network.state_dict().items())
    header = (tmp_path / "run" / "history.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert "balance" not in header


@pytest.mark.parametrize("part", ["criterion", "adapted", "student", "optimizer", "settings"])
def test_a_recipe_without_a_part_that_every_method_has_is_refused(part, recipe, monkeypatch, tmp_path):
    (tmp_path / "lower.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    if part == "settings":
        recipe["method"]["settings"] = {}
        recipe["method"]["optimizer"]["lr"] = 0.1
    else:
        recipe["method"].pop(part)
    own = shutil.copytree(BUNDLES[1], tmp_path / "own")
    (own / "configs" / "methods" / "lower.json").write_text(json.dumps(recipe))
    places = {"dataset_dir": str(write_images(tmp_path / "images")), "output_dir": str(tmp_path / "run")}
    with pytest.raises(RuntimeError) as error:
        run(own, "adapt.json", "methods/lower.json", epochs=1, batch_size=2, **places)
    cause = error.value
    while cause.__cause__:
        cause = cause.__cause__
    assert f"found none named {part} in lower; add it" in str(cause)
