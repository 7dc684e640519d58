"""Every bundle has the configs that all share, filled with its own task."""

import json
from pathlib import Path

import pytest
from bundle_support import ALL_BUNDLES, BUNDLES, ROOT, recipe_id

from monai_sfda.json_file import read_json
from monai_sfda.template import CONFIGS, write_configs
from monai_sfda.template.write import TASK, filled, layout, whole

OWN = {"metadata.json"}
RECIPES = sorted((CONFIGS / "methods").glob("*.json"))


@pytest.mark.parametrize("bundle", ALL_BUNDLES, ids=recipe_id)
def test_the_configs_of_a_bundle_follow_from_its_task(bundle, tmp_path):
    write_configs(tmp_path, read_json(bundle / "configs" / TASK))
    written, found = (
        {path.relative_to(folder): path.read_text() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path, bundle / "configs")
    )
    differ = [
        str(name) for name in {**written, **found} if name.name not in OWN and written.get(name) != found.get(name)
    ]
    assert not differ, f"edit monai_sfda/template, then: python -m monai_sfda.template {bundle.relative_to(ROOT)}"


def test_a_value_stands_where_the_shared_config_names_it():
    text = '{\n    "a": "%task::size",\n    "b": ["%task::absent"]\n}\n'
    assert json.loads(filled(text, {"size": [2, 3]})) == {"a": [2, 3], "b": [None]}


def test_entries_are_added_to_a_value_that_the_task_has():
    text = """{
    "finder": {"_task_": "finder", "required": false},
    "list": [
        {"_task_": "finder", "keys": "x"},
        1
    ]
}"""
    with_one = json.loads(filled(text, {"finder": {"_target_": "Finder"}}))
    assert with_one["finder"] == {"_target_": "Finder", "required": False}
    assert with_one["list"] == [{"_target_": "Finder", "keys": "x"}, 1]
    assert json.loads(filled(text, {})) == {"finder": None, "list": [1]}


def test_the_default_method_is_put_in_whole():
    config = json.loads(filled('{\n    "method": "%default_method"\n}', {"default_method": "tent"}))
    assert config["method"] == read_json(CONFIGS / "methods" / "tent.json")["method"]
    with pytest.raises(ValueError, match=r"one of adaent, adami.*found cbnt; correct task.json"):
        filled('{"method": "%default_method"}', {"default_method": "cbnt"})


def test_lines_are_as_long_as_they_may_be_and_hold_the_same_values():
    value = {"short": [1, 2], "long": {"first": "x" * 70, "second": ["y" * 30, None]}, "empty": {}}
    text = layout(value)
    assert json.loads(text) == value
    assert '    "short": [1, 2],' in text.splitlines()
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_one_dictionary_that_says_where_each_of_its_numbers_is_from(path):
    recipe = read_json(path)
    assert list(recipe) == ["method"]
    method = recipe["method"]
    assert method["name"] == path.stem
    assert set(method["sources"]) == set(method["settings"])
    assert method["_desc_"]
    assert not [name for name in ("labeller", "handlers", "state", "history") if name in method and not method[name]]


def test_the_shared_adapt_config_names_no_method():
    names = [path.stem for path in RECIPES]
    words = (CONFIGS / "adapt.json").read_text().lower().replace("bn_stats", "").split('"')
    assert not set(words) & set(names)


def test_a_config_over_another_is_written_whole():
    task = read_json(BUNDLES[0] / "configs" / TASK)
    over, base = (json.loads(whole(Path(name), task)) for name in ("adapt_with_source.json", "adapt.json"))
    assert "_over_" not in over
    assert over["imports"][: len(base["imports"])] == base["imports"]
    assert over["used"].items() >= {"seed": "@seed", "source_images": "$len(@source_images.good)"}.items()
    assert over["method"]["name"] == "mpscl"
    assert over["deliver"]["comparison"] == base["deliver"]["comparison"]


def test_another_recipe_than_the_default_is_put_in_by_its_name():
    config = json.loads(filled('{\n    "method": "%recipe::advent"\n}', {"default_method": "tent"}))
    assert config["method"] == read_json(CONFIGS / "methods" / "advent.json")["method"]
