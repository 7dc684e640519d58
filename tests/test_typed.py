"""The words a person types, before Fire reads them."""

import json

import pytest

from monai_sfda.cli import predict
from monai_sfda.typed import as_typed, expanded, positional, switches, with_switches


@pytest.fixture
def bundle(tmp_path):
    (tmp_path / "B" / "configs" / "methods").mkdir(parents=True)
    inference = {"flips": False, "epochs": 3, "mixed": True, "finder": {"required": False}, "parts": [{"on": True}]}
    (tmp_path / "B" / "configs" / "inference.json").write_text(json.dumps(inference))
    (tmp_path / "B" / "configs" / "methods" / "x.json").write_text(json.dumps({"episodic": True, "mixed": "auto"}))
    (tmp_path / "B" / "configs" / "damaged.json").write_text("{")
    return str(tmp_path / "B")


def test_only_places_are_quoted():
    words = ["adapt", "1_0", "a b", "--output", "2024_01", "--epochs", "3", "--method=5", "--image_size", "[64,64]"]
    assert as_typed(["predict", "--pseudonym_salt", "1234e2"]) == ["predict", "--pseudonym_salt", "'1234e2'"]
    assert as_typed(words) == [
        *["adapt", "'1_0'", "'a b'", "--output", "'2024_01'", "--epochs", "3", "--method='5'", "--image_size"],
        "[64,64]",
    ]


def plain(bundle, *words):
    words = ["predict", *words]
    return with_switches(words, switches(predict, words))[1:]


def test_switches_are_those_of_the_command_and_of_the_bundle(bundle):
    assert switches(predict, []) == {"overlays"}
    found = {"overlays", "flips", "finder::required", "parts::0::on", "episodic"}
    assert switches(predict, ["predict", bundle, "x" * 5000]) == found
    assert switches(predict, ["predict", f"--bundle={bundle}"]) == found


@pytest.mark.parametrize(
    "name", ["overlays", "flips", "finder::required", "finder#required", "parts::0::on", "episodic"]
)
def test_a_switch_does_not_take_the_word_behind_it(bundle, name):
    assert plain(bundle, f"--{name}", bundle, "IMAGES") == [f"--{name}=True", bundle, "IMAGES"]
    assert plain(bundle, bundle, f"--{name}", "IMAGES") == [bundle, f"--{name}=True", "IMAGES"]
    assert plain(bundle, bundle, "IMAGES", f"--{name}") == [bundle, "IMAGES", f"--{name}=True"]
    assert plain(bundle, f"--no{name}", bundle, "IMAGES") == [f"--{name}=False", bundle, "IMAGES"]
    assert positional(plain(bundle, f"--{name}", bundle, "IMAGES")) == [bundle, "IMAGES"]


@pytest.mark.parametrize(("typed", "meant"), [("True", True), ("true", True), ("False", False), ("FALSE", False)])
def test_a_switch_takes_true_and_false(bundle, typed, meant):
    assert plain(bundle, "--flips", typed, bundle, "IMAGES") == [f"--flips={meant}", bundle, "IMAGES"]
    assert plain(bundle, f"--flips={typed}", bundle, "IMAGES") == [f"--flips={meant}", bundle, "IMAGES"]


@pytest.mark.parametrize(("typed", "meant"), [("yes", True), ("on", True), ("1", True), ("No", False), ("0", False)])
def test_a_switch_understands_the_other_words_for_true_and_false(bundle, typed, meant):
    assert plain(bundle, f"--flips={typed}", bundle, "IMAGES") == [f"--flips={meant}", bundle, "IMAGES"]


def test_a_switch_with_any_other_value_is_refused(bundle):
    with pytest.raises(ValueError, match="Expected true or false after --overlays, found maybe; give one of them"):
        plain(bundle, "--overlays=maybe", bundle, "IMAGES")


@pytest.mark.parametrize("typed", ["--no-overlays", "--no_overlays", "--nooverlays"])
def test_a_switch_is_turned_off_with_no_in_front(bundle, typed):
    assert plain(bundle, bundle, typed, "IMAGES") == [bundle, "--overlays=False", "IMAGES"]


def test_other_options_take_the_word_behind_them(bundle):
    words = [bundle, "--epochs", "3", "--mixed", "a", "--notes", "b", "--output=x", "--help", "-h", "--", "-1"]
    assert plain(bundle, *words) == words


def test_hyphens_in_options_are_underscores_but_not_in_values(bundle):
    assert plain(bundle, bundle, "--pseudonym-salt", "a-b") == [bundle, "--pseudonym_salt", "a-b"]
    assert plain(bundle, bundle, "--image-size=[6-4]") == [bundle, "--image_size=[6-4]"]


def test_the_home_folder_is_put_into_every_path_but_not_into_a_salt(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    given = {"pseudonym_table": "~/names.csv", "pseudonym_salt": "~/secret", "prior": {"path": "~/a.csv", "n": 1}}
    assert expanded(("~", ["~/x", 3], "a~", given)) == (
        str(tmp_path),
        [f"{tmp_path}/x", 3],
        "a~",
        {
            "pseudonym_table": f"{tmp_path}/names.csv",
            "pseudonym_salt": "~/secret",
            "prior": {"path": f"{tmp_path}/a.csv", "n": 1},
        },
    )
