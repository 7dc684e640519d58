"""How the error is spent on the looks."""

import pytest

from monai_sfda.choice import Rule


def test_the_looks_share_the_error():
    """Squares of 5, 8, 12, 16 and 20 over 400: 25, 39, 80, 112 and 144 of 400."""
    rule = Rule()
    assert rule.schedule(100) == (5, 8, 12, 16, 20)
    spent = [rule.error_at(look, 100) for look in rule.schedule(100)]
    assert spent == pytest.approx([0.00625, 0.00975, 0.02, 0.028, 0.036])
    assert sum(spent) == pytest.approx(rule.error)


def test_outlines_beyond_a_look_belong_to_it():
    assert Rule().error_at(4, 100) == 0
    assert Rule().error_at(10, 100) == Rule().error_at(8, 100)
    assert Rule().error_at(25, 100) == Rule().error_at(20, 100)


def test_few_images_or_a_low_cap_end_earlier():
    assert Rule().schedule(9) == (5, 8, 9)
    assert Rule(cap=3).schedule(100) == (3,)
    assert Rule(cap=3).error_at(3, 100) == pytest.approx(0.1)


def test_how_many_are_missing():
    assert [Rule().missing(count, 100) for count in (0, 5, 6, 16, 20, 30)] == [5, 3, 2, 4, 0, 0]
