"""A bundle for another task has its own task everywhere, and nothing of the one that it took the network from."""

import json
import re

import pytest
from bundle_support import BUNDLES, ROOT, VOLUME_BUNDLES, command, fails, recipe_id
from monai.bundle import ConfigParser

from monai_sfda.json_file import read_json
from monai_sfda.template import check_structures, new_task

OLD = re.compile(
    r"nucle|fluoresc|microscop|bowl|bbbc|instrument|fundus|optic|retina|camera|clinic|photographs?\b|"
    r"\b(?:eyes?|discs?|cups?|rims?)\b",
    re.IGNORECASE,
)
NUCLEI, FUNDUS = ROOT / "bundles" / "nuclei_fluorescence", ROOT / "bundles" / "fundus_disc_cup"


def make(monkeypatch, folder, source, *words):
    command(monkeypatch, "new", folder, "--from", source, *words)
    return folder


def own_texts(bundle):
    """All files of a bundle but what recipes say of their papers."""
    for path in bundle.rglob("*"):
        if path.is_file() and path.suffix != ".pt" and "methods" not in path.parts:
            text = path.read_text()
            if path.name in ("adapt.json", "adapt_with_source.json"):
                config = json.loads(text)
                del config["method"]
                text = json.dumps(config)
            yield path, text


@pytest.mark.parametrize("source", BUNDLES, ids=recipe_id)
@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_nothing_is_left_of_the_old_task(source, head, monkeypatch, tmp_path):
    bundle = make(monkeypatch, tmp_path / "vessels", source, "--structures", "vessel", "--head", head)
    left = {f"{path.relative_to(bundle)}: {word}" for path, text in own_texts(bundle) for word in OLD.findall(text)}
    assert not left
    assert not (bundle / "models").exists()
    assert read_json(bundle / "configs" / "inference.json")["finder"] is None
    files = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert {"LICENSE", "docs/README.md", "docs/data_license.txt", "configs/metadata.json"} <= files


def test_the_search_for_old_words_finds_them():
    assert any(OLD.search(text) for path, text in own_texts(NUCLEI) if path.suffix == ".md")
    assert any(OLD.search(text) for path, text in own_texts(FUNDUS) if path.name == "inference.json")


@pytest.mark.parametrize(
    ("head", "structures", "channels"),
    [
        ("softmax", {"artery": 1, "vein": 2}, 3),
        ("sigmoid", {"artery": 0, "vein": 1}, 2),
        ("softmax", {"vessel": 1}, 2),
        ("sigmoid", {"vessel": 0}, 1),
    ],
)
def test_the_network_has_a_channel_for_each_structure(head, structures, channels, monkeypatch, tmp_path):
    words = ["--structures", ",".join(structures), "--head", head, "--image_size", "[64,96]"]
    bundle = make(monkeypatch, tmp_path / "new", NUCLEI, *words)
    task = read_json(bundle / "configs" / "task.json")
    assert task["structures"] == structures
    assert task["image_size"] == [64, 96]
    assert task["default_method"] == "cbmt"
    assert ("softmax" in json.dumps(task["loss"])) == (head == "softmax")
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "inference.json"))
    network = parser.get_parsed_content("network_def")
    assert next(reversed(network.state_dict().values())).shape[0] == channels
    outputs = read_json(bundle / "configs" / "metadata.json")["network_data_format"]["outputs"]["pred"]
    assert outputs["num_channels"] == channels
    assert list(outputs["channel_def"].values()) == ["background", *structures]


def test_volumes_are_adapted_by_what_lost_least_on_real_pairs():
    source = read_json(ROOT / "bundles" / "heart_cine_mri" / "configs" / "task.json")
    assert new_task(source, ["myocardium"], head="softmax")[0]["default_method"] == "tent"
    pictures = {name: value for name, value in source.items() if name != "volumes"}
    assert new_task(pictures, ["vessel"], head="softmax")[0]["default_method"] == "cbmt"


@pytest.mark.parametrize("typed", ["artery,vein", "['artery','vein']", "[artery,vein]", "artery, vein"])
def test_structures_may_be_typed_as_people_do(typed, monkeypatch, tmp_path):
    bundle = make(monkeypatch, tmp_path / "new", NUCLEI, f"--structures={typed}")
    assert read_json(bundle / "configs" / "task.json")["structures"] == {"artery": 1, "vein": 2}


def test_the_channels_of_a_wrapped_network_are_set_and_those_of_an_unknown_one_are_asked_for(
    monkeypatch, capsys, tmp_path
):
    inner = {"_target_": "BasicUNet", "out_channels": 2}
    source = {"network_def": {"_target_": "monai_sfda.networks.with_input", "network": inner}, "image_size": [64, 64]}
    task, left = new_task(source, ["a", "b"], head="softmax")
    assert task["network_def"]["network"]["out_channels"] == 3
    assert not left
    own = make(monkeypatch, tmp_path / "own", NUCLEI, "--structures", "a")
    task = read_json(own / "configs" / "task.json") | {"network_def": {"_target_": "mine.Network"}}
    (own / "configs" / "task.json").write_text(json.dumps(task))
    capsys.readouterr()
    make(monkeypatch, tmp_path / "other", own, "--structures", "a,b")
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("First"))
    assert "let network_def in configs/task.json give 3 channels" in line
    assert f"python -m monai_sfda.template {tmp_path / 'other'}" in line


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "at least one structure"),
        (["left atrium"], "found 'left atrium'"),
        (["2nd"], "found '2nd'"),
        (["_target_"], "found '_target_'"),
        (["a-b"], "found 'a-b'"),
        (["Background"], "without the background"),
        (["a", "A"], "found a twice"),
    ],
)
def test_names_that_head_no_column_are_refused(names, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_structures(names)


def test_a_folder_with_something_in_it_is_left_alone(monkeypatch, tmp_path):
    (tmp_path / "new").mkdir()
    make(monkeypatch, tmp_path / "new", NUCLEI, "--structures", "vessel")
    page = tmp_path / "new" / "docs" / "README.md"
    page.write_text("mine")
    sentence = fails(monkeypatch, "new", tmp_path / "new", "--from", NUCLEI, "--structures", "vessel")
    assert "Expected a new or empty folder" in sentence
    assert page.read_text() == "mine"


@pytest.mark.parametrize("source", VOLUME_BUNDLES, ids=recipe_id)
def test_a_bundle_for_volumes_keeps_how_volumes_are_read(source, monkeypatch, tmp_path, capsys):
    bundle = make(monkeypatch, tmp_path / "heart", source, "--structures", "cavity,myocardium,right_ventricle")
    task, old = (read_json(folder / "configs" / "task.json") for folder in (bundle, source))
    assert task["volumes"] == old["volumes"]
    assert task["image_size"] == old["image_size"]
    assert task["network_def"]["out_channels"] == 4
    assert read_json(bundle / "configs" / "inference.json")["reader"] == old["volumes"]
    assert "LABELLED/image/NAME.nii.gz" in capsys.readouterr().out
    image = read_json(bundle / "configs" / "metadata.json")["network_data_format"]["inputs"]["image"]
    assert (image["num_channels"], image["spatial_shape"]) == (1, old["image_size"])
    page = (bundle / "docs" / "README.md").read_text()
    assert "Grey levels of a volume are scaled to [-1, 1] by its percentiles" in page
    assert "RGB" not in page


@pytest.mark.parametrize("source", [*BUNDLES, *VOLUME_BUNDLES], ids=recipe_id)
def test_the_same_structures_are_the_same_task(source, monkeypatch, tmp_path):
    old = read_json(source / "configs" / "task.json")
    size = json.dumps([32 * (number + 1) for number in range(len(old["image_size"]))])
    names = ",".join(old["structures"])
    words = ("--structures", names, "--head", old["head"], "--image_size", size)
    bundle = make(monkeypatch, tmp_path / "own", source, *words)
    task = read_json(bundle / "configs" / "task.json")
    assert task == {name: old[name] for name in old if name not in ("finder", "cut")} | {"image_size": json.loads(size)}
    outputs = (read_json(folder / "configs" / "metadata.json")["network_data_format"] for folder in (bundle, source))
    ours, theirs = (output["outputs"]["pred"]["channel_def"] for output in outputs)
    assert ours == theirs


def test_an_image_size_has_as_many_numbers_as_that_of_the_network(monkeypatch, tmp_path):
    words = ("new", tmp_path / "a", "--from", ROOT / "bundles" / "hippocampus_mri", "--structures", "x", "--image_size")
    assert "--image_size as slices, rows and columns, such as [48,64,48], found" in fails(
        monkeypatch, *words, "[64,64]"
    )
