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


def cases(*names):
    return [{"case": name} for name in names]


def test_what_is_of_one_patient_stays_together():
    items = cases(*(f"patient{number:03}_frame{frame:02}.nii.gz" for number in range(20) for frame in (1, 9)))
    learn, validate = hold_out(items, 0.1, patient=r"^patient\d+")
    assert len(validate) == 4
    assert len(learn) == 36
    seen = [{item["case"][:10] for item in part} for part in (learn, validate)]
    assert not seen[0] & seen[1]


def test_the_first_group_of_the_pattern_is_the_patient():
    items = cases("a/x-1.nii", "a/x-2.nii", "a/y-1.nii")
    assert sorted(map(len, hold_out(items, 0.5, patient=r"a/(\w)-"))) == [1, 2]


def test_a_pattern_that_finds_no_patient_is_said():
    with pytest.raises(ValueError, match=r"to find the patient in every case, found none in b\.nii; correct patient"):
        hold_out(cases("patient1.nii", "b.nii"), 0.5, patient=r"^patient\d+")
    with pytest.raises(ValueError, match="Expected at least two patients with labelled images"):
        hold_out(cases("p1_a.nii", "p1_b.nii"), 0.5, patient="^[^_]+")
