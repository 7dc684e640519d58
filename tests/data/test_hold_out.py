import pytest

from monai_sfda.data import hold_out


@pytest.mark.parametrize(
    ("count", "share", "held"), [(2, 0.1, 1), (5, 0.1, 1), (20, 0.1, 2), (250, 0.1, 25), (6, 0.3, 2)]
)
def test_a_share_is_held_out_and_one_item_at_least(count, share, held):
    learn, validate = hold_out(range(count), share)
    assert len(validate) == held
    assert sorted([*learn, *validate]) == list(range(count))


def test_the_split_is_random_and_the_same_each_time():
    learn, validate = hold_out(range(100), 0.1)
    assert (learn, validate) == tuple(hold_out(range(100), 0.1))
    assert validate != list(range(90, 100))


@pytest.mark.parametrize(("count", "share"), [(1, 0.1), (10, 0.0), (10, 1.0)])
def test_nothing_to_learn_from_or_to_validate_on_is_said(count, share):
    with pytest.raises(ValueError, match="Expected at least two labelled images and a share"):
        hold_out(range(count), share)
