"""Several methods for a site, and the choice by saved labels, without MONAI Label."""

import enum
import importlib
import shutil
import sys
from types import ModuleType

import pytest
from bundle_support import command
from candidate_support import FUNDUS, make_run, outline

from monai_sfda.json_file import read_json
from monai_sfda.label import several
from monai_sfda.label.several import adapt_several, drawn_images, next_image, update_choice
from monai_sfda.tables import read_csv


def labels_of(run, count, folder):
    """Id -> label, as people save them: of the first drawn images, under the names of the studies."""
    rows = read_csv(run / "outline" / "order.csv")
    files = dict(zip([row["case"] for row in rows], sorted(outline(run, count, folder).iterdir()), strict=False))
    return {case.removesuffix(".png"): str(path) for case, path in files.items()}


@pytest.fixture
def run(monkeypatch, tmp_path):
    run = make_run(tmp_path, {"source": (8,), "dpl": (0,)})
    command(monkeypatch, "choose", run)
    return run


def test_images_are_offered_in_the_order_of_the_drawing(tmp_path, run):
    first, second, *_ = drawn_images(run)
    assert next_image(tmp_path, []) == first
    assert next_image(tmp_path, [first, "another"]) == second
    assert next_image(tmp_path / "nowhere", []) is None


def test_labels_decide_and_the_chosen_weights_are_served(tmp_path, run):
    bundle, weights = tmp_path / "bundle", tmp_path / "bundle" / "models" / "model_run.pt"
    assert update_choice(bundle, tmp_path, {"elsewhere": "x.png"}) == {}
    labels = labels_of(run, 5, tmp_path / "labels")
    few = dict(list(labels.items())[:2])
    assert update_choice(bundle, tmp_path, few)["more"] == 3
    assert not weights.exists()
    found = update_choice(bundle, tmp_path, labels)
    assert (found["decision"], found["more"]) == ("adopt", 0)
    assert weights.read_bytes() == b"dpl"
    assert next_image(tmp_path, labels) is None
    update_choice(bundle, tmp_path, few)
    assert not weights.exists()
    assert next_image(tmp_path, few) == drawn_images(run)[2]


def test_one_network_serves_all_structures_at_the_cut_offs_of_the_bundle(tmp_path, monkeypatch):
    """dpl has the best cup, cbmt the best disc and the larger gain on average."""
    run = make_run(tmp_path, {"source": (6, 6), "dpl": (7, 1), "cbmt": (0, 5)}, bundle=FUNDUS, count=10)
    command(monkeypatch, "choose", run, "--weights_only")
    labels = labels_of(run, 10, tmp_path / "labels")
    assert update_choice(tmp_path / "bundle", tmp_path, labels)["decision"] == "adopt"
    found = read_json(run / "choice.json")["measured"]
    assert len(set(found["networks"].values())) == 1
    assert not any(" at " in name for column in found["gains"].values() for name in column)


def test_several_methods_see_links_to_the_images_and_no_labels(monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(several.cli, "adapt", lambda *words, **options: calls.append((words, options)))
    monkeypatch.setattr(several.cli, "choose", lambda *words, **options: calls.append((words, options)))
    images = {}
    for name in ("a.png", "b.nii.gz"):
        (tmp_path / name).write_bytes(name.encode())
        images[name.partition(".")[0]] = str(tmp_path / name)
    runs, bundle = tmp_path / "runs", tmp_path / "bundle"
    (bundle / "models").mkdir(parents=True)
    run = adapt_several(bundle, images, site="clinic", runs=runs, methods="fast", epochs=1)
    assert {path.name: path.read_bytes() for path in (run / "images").iterdir()} == {
        "a.png": b"a.png",
        "b.nii.gz": b"b.nii.gz",
    }
    assert calls[0][0] == (str(bundle), str(run / "images"))
    assert (calls[0][1]["methods"], calls[0][1]["epochs"]) == ("fast", 1)
    assert calls[1] == ((str(run),), {"weights_only": True})
    with pytest.raises(ValueError, match="at least 2 images to adapt to, found 1"):
        adapt_several(bundle, {"a": images["a"]}, site="other", runs=runs, methods="fast")
    with pytest.raises(ValueError, match="Expected a site of letters"):
        adapt_several(bundle, images, site="a b", runs=runs, methods="fast")
    (bundle / "models" / "model_taken.pt").touch()
    with pytest.raises(FileExistsError, match="found taken already there"):
        adapt_several(bundle, images, site="taken", runs=runs, methods="fast")


class Studies:
    """What the strategy and the scoring method ask of a datastore of MONAI Label."""

    def __init__(self, labels):
        self.labels = labels

    def get_labeled_images(self, label_tag=None, labels=None):
        return list(self.labels)

    def get_label_by_image_id(self, image_id, tag):
        return image_id

    def get_label_uri(self, label_id, label_tag):
        return self.labels[label_id]


@pytest.fixture
def tasks(monkeypatch):
    """The module with MONAI Label's interfaces imitated."""

    class Described:
        def __init__(self, description):
            self.description = description

    tag = enum.Enum("DefaultLabelTag", {"FINAL": "final"}, type=str)
    for name, content in {
        "monailabel": {},
        "monailabel.interfaces": {},
        "monailabel.interfaces.datastore": {"Datastore": object, "DefaultLabelTag": tag},
        "monailabel.interfaces.tasks": {},
        "monailabel.interfaces.tasks.scoring": {"ScoringMethod": Described},
        "monailabel.interfaces.tasks.strategy": {"Strategy": Described},
    }.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "monai_sfda.label.next_outline", raising=False)
    yield importlib.import_module("monai_sfda.label.next_outline")
    sys.modules.pop("monai_sfda.label.next_outline", None)


def test_the_server_offers_images_and_chooses_by_their_labels(tmp_path, run, tasks, capsys):
    labels = labels_of(run, 5, tmp_path / "labels")
    first = drawn_images(run)[0]
    strategy = tasks.OutlineNext(tmp_path)
    assert strategy({}, Studies({})) == {"id": first}
    assert strategy({"label_tag": "final"}, Studies(labels)) == {"id": drawn_images(run)[5]}
    choose = tasks.UpdateChoice(tmp_path / "bundle", tmp_path)
    assert choose({}, Studies({})) == {}
    assert choose({}, Studies({**labels, "elsewhere": "x.png"}))["decision"] == "adopt"
    assert "Verdict  Adopt dpl" in capsys.readouterr().out
    assert strategy({}, Studies(labels)) is None
    shutil.rmtree(run)
    assert choose({}, Studies(labels)) == {}
