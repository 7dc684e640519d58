"""Which recipes --methods means, and in which order."""

import pytest
from bundle_support import ROOT

from monai_sfda.json_file import read_json
from monai_sfda.recipe_list import (
    COSTS,
    cheap_first,
    default_recipe,
    recipe_names,
    same_network_recipes,
    uses_source,
)

FUNDUS = ROOT / "bundles" / "fundus_disc_cup"


def test_fast_means_two_cheap_ones_and_the_default():
    assert cheap_first(FUNDUS, "fast") == ["bn_stats", "tent", default_recipe(FUNDUS)]


def test_all_means_those_that_keep_the_network():
    found = cheap_first(FUNDUS, "all")
    assert set(found) == set(same_network_recipes(FUNDUS))
    assert found[0] == "bn_stats"
    with_source = {"advent", "beal", "minent", "mpscl"}
    assert set(recipe_names(FUNDUS)) - set(found) == {"dae", "vptta", *with_source}
    assert with_source == {name for name in recipe_names(FUNDUS) if uses_source(FUNDUS, name)}
    assert set(cheap_first(FUNDUS, "all", source=True)) == {*found, *with_source}


def test_names_are_sorted_by_what_they_cost_and_counted_once():
    found = cheap_first(FUNDUS, "cbmt, dpl,bn_stats,fast")
    assert found[:3] == ["bn_stats", "tent", "dpl"]
    assert set(found[3:]) == {"cbmt", "cbmt_fitted"}  # which cost nearly the same


@pytest.mark.parametrize(("wanted", "found"), [("dpl,magic", "magic"), ("", "an empty name"), (True, "True")])
def test_an_unknown_name_lists_the_known_ones(wanted, found):
    with pytest.raises(ValueError, match=rf"fast, all or names .*adaent, .*, found {found}\."):
        cheap_first(FUNDUS, wanted)


def test_what_each_recipe_costs_was_measured():
    costs = read_json(COSTS)
    assert set(recipe_names(FUNDUS)) <= set(costs)
    assert all(cost["once"] >= 2 and cost["epoch"] > 0 for cost in costs.values())
