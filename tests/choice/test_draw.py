"""The order of the images and what each counts for."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from monai_sfda.choice import Draw, draw_order, drawn_in_order, estimate_gain, weights


@pytest.mark.parametrize("chances", [(1, 1, 1), (0.2, 0.3, 0.5), (0.05, 0.05, 0.9)])
def test_the_weighted_mean_is_unbiased_over_all_ordered_draws(chances):
    """N = 3, y = (0, 1, 2), n = 2, any q: the expectation over all ordered draws is exactly 1."""
    y, expectation, certainty = (0.0, 1.0, 2.0), 0.0, 0.0
    for first, second in permutations(range(3), 2):
        q = [chances[first] / sum(chances), chances[second] / (sum(chances) - chances[first])]
        v = weights([Draw("", q[0]), Draw("", q[1])], 3)
        estimate = estimate_gain([y[first], y[second]], weights=v, total=3).mean
        expectation += q[0] * q[1] * estimate
        certainty += q[0] * q[1]
    assert certainty == pytest.approx(1)
    assert expectation == pytest.approx(1)


def test_weights_worked_by_hand():
    """N = 4, n = 2: (4-2)/(4-1) (1/(4 * 1/2) - 1) + 1 = 2/3, (4-2)/(4-2) (1/(3 * 1/6) - 1) + 1 = 2."""
    assert weights([Draw("a", 1 / 2), Draw("b", 1 / 6)], 4) == pytest.approx([2 / 3, 2])


def test_a_uniform_drawing_weighs_all_equally():
    draws = draw_order(dict.fromkeys("abcdef", 0.3) | {"g": 0.9}, seed=1, uniform=True)
    assert [draw.probability for draw in draws] == pytest.approx([1 / left for left in range(7, 0, -1)])
    assert weights(draws[:4], 7) == pytest.approx([1] * 4)


def test_half_of_the_first_probability_follows_the_disagreement():
    """Of a = 1, b = 3, c = 0: 1/6 + 1/8, 1/6 + 3/8, 1/6."""
    expected = {"a": 7 / 24, "b": 13 / 24, "c": 4 / 24}
    drawn = [draw_order({"a": 1, "b": 3, "c": 0}, seed=seed, count=1)[0] for seed in range(3000)]
    assert {draw.case: draw.probability for draw in drawn} == pytest.approx(expected)
    shares = {case: count / 3000 for case, count in Counter(draw.case for draw in drawn).items()}
    assert shares == pytest.approx(expected, abs=0.04)


def test_what_is_left_shares_the_probability_of_what_is_drawn():
    for seed in range(20):
        first, second, third = draw_order({"a": 1, "b": 3, "c": 0}, seed=seed)
        sizes = {"a": 1, "b": 3, "c": 0}
        left = sizes[second.case] + sizes[third.case]
        assert second.probability == pytest.approx(1 / 4 + sizes[second.case] / left / 2)
        assert third.probability == pytest.approx(1)
        assert {first.case, second.case, third.case} == {"a", "b", "c"}


def test_the_seed_alone_decides_the_order():
    sizes = {f"{number}": number / 10 for number in range(10)}
    order = draw_order(sizes, seed=3)
    assert draw_order(dict(reversed(sizes.items())), seed=3) == order
    assert draw_order(sizes, seed=3, count=4) == order[:4]
    assert draw_order(sizes, seed=4) != order


def test_without_any_disagreement_the_drawing_is_uniform():
    assert draw_order({"a": 0, "b": 0}, seed=0)[0].probability == 0.5


def test_all_images_count_once_in_the_end():
    assert weights(draw_order({"a": 1, "b": 3, "c": 0}, seed=0), 3) == [1, 1, 1]


@pytest.mark.parametrize("size", [-0.1, np.nan, np.inf])
def test_a_disagreement_that_is_none_is_refused(size):
    with pytest.raises(ValueError, match="for b"):
        draw_order({"a": 0.1, "b": size}, seed=0)


def test_more_draws_than_images_are_refused():
    with pytest.raises(ValueError, match="0 to 1 images, found 2"):
        draw_order({"a": 0.1}, seed=0, count=2)
    with pytest.raises(ValueError, match="at most 1"):
        weights([Draw("a", 0.5), Draw("b", 1)], 1)


def test_a_known_order_has_the_probabilities_that_it_was_drawn_with():
    sizes = {"a": 1, "b": 3, "c": 0, "d": 2}
    draws = draw_order(sizes, seed=5)
    assert drawn_in_order([draw.case for draw in draws], sizes) == draws


def test_a_case_that_cannot_be_outlined_leaves_its_chance_to_the_others():
    """Of a = 1 and b = 3: 1/4 + 1/8, then what is left."""
    assert drawn_in_order(["a", "b"], {"b": 3, "a": 1}) == [Draw("a", 3 / 8), Draw("b", 1)]
    with pytest.raises(ValueError, match="found c"):
        drawn_in_order(["a", "c"], {"b": 3, "a": 1})
