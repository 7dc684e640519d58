import json

import pytest

from monai_sfda.benchmark import Method, read_matrix
from monai_sfda.benchmark.matrix import file_name


@pytest.fixture
def files(tmp_path):
    for name in ("bundle", "target", "source"):
        (tmp_path / name).mkdir()
    recipes = tmp_path / "bundle" / "configs" / "methods"
    recipes.mkdir(parents=True)
    for name in ("a", "cbmt"):
        (recipes / f"{name}.json").write_text("{}")

    def write(name, content):
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path / name

    write.pairs = {"a": {"bundle": "bundle", "target": "target", "source": "source", "adapt": {"epochs": 2}}}
    return write


def test_a_plain_name_is_a_recipe_with_its_own_settings(files, tmp_path):
    matrix = read_matrix([files("m.json", {"pairs": files.pairs, "methods": ["cbmt"]})])
    assert matrix.methods == [Method("cbmt", ["cbmt"], {})]
    assert matrix.seeds == (0, 1, 2)
    assert (matrix.oracle, matrix.bound) == (False, False)
    pair = matrix.pairs[0]
    assert (pair.name, pair.target, pair.source, pair.checkpoint) == (
        "a",
        tmp_path / "target",
        tmp_path / "source",
        None,
    )
    assert pair.adapt == {"epochs": 2}


def test_later_files_lie_over_earlier_ones(files):
    pairs = files("pairs.json", {"pairs": files.pairs, "methods": ["cbmt"], "seeds": [0]})
    sweep = files("sweep.json", {"_desc_": "x", "methods": [{"name": "y", "configs": ["cbmt"], "settings": {"a": 1}}]})
    matrix = read_matrix([pairs, sweep])
    assert matrix.methods == [Method("y", ["cbmt"], {"a": 1})]
    assert matrix.seeds == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": []}, "found 'method'"),
        ({"methods": []}, 'Expected "methods"'),
        ({"methods": ["a", "a"]}, "different names"),
        ({"methods": [{"name": "a"}]}, '"name" and "configs"'),
        ({"methods": ["cmbt"]}, "Expected a method out of a, cbmt, found 'cmbt'"),
        ({"methods": "cbmt"}, "\"methods\" in .* to be a list, found 'cbmt'"),
        ({"pairs": ["a"]}, '"pairs" in .* to be an object'),
        ({"seeds": 0}, '"seeds" in .* to be a list, found 0'),
        ({"seeds": [0, 0]}, "different whole numbers"),
        ({"methods": [{"name": n, "configs": ["a"]} for n in ("a b", "a_b")]}, "different names, found a_b, a_b"),
        ({"methods": [1]}, "named values of a method, found 1"),
        ({"pairs": {"a": 5}}, "named values of pair a, found 5"),
        ({"pairs": {"a": {"bundle": "bundle", "target": "target", "adapt": 5}}}, "for adapt of pair a, found 5"),
        ({"pairs": {"a": {"bundle": "bundle"}}}, 'Expected "target" of pair a'),
        ({"pairs": {"a": {"bundle": "bundle", "target": "nowhere"}}}, "target of pair a at .*nowhere"),
        ({"pairs": {"a": {"bundle": "bundle", "target": "target", "seed": 1}}}, "found 'seed'"),
    ],
)
def test_mistakes_are_named(files, change, message):
    content = {"pairs": files.pairs, "methods": ["cbmt"], **change}
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        read_matrix([files("m.json", content)])


@pytest.mark.parametrize("name", ["../up", "..", ".", "a/b", "/root"])
def test_no_name_leads_out_of_the_output(name):
    assert "/" not in file_name(name)
    assert file_name(name).strip(".")
