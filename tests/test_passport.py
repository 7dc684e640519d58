import json

import pytest

from monai_sfda.passport import channel_cutoffs, read_passport, source_cutoffs, write_passport


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


def test_what_was_fitted_travels_beside_the_weights(weights):
    path = write_passport(weights, cutoff={"disc": 0.45}, images=12)
    assert path == weights.with_name("passport.json")
    assert read_passport(weights)["images"] == 12
    assert source_cutoffs(weights, {"disc": 0, "cup": 1}) == {"disc": 0.45, "cup": 0.5}


def test_without_a_passport_a_half_is_the_cut_off(weights):
    assert source_cutoffs(weights, ["disc"]) == {"disc": 0.5}
    assert source_cutoffs(weights.with_name("missing.pt"), ["disc"]) == {"disc": 0.5}


def test_the_passport_of_other_weights_is_not_used_and_a_warning_says_so(weights, caplog):
    write_passport(weights, cutoff={"disc": 0.45})
    weights.write_bytes(b"trained on")
    assert source_cutoffs(weights, ["disc"]) == {"disc": 0.5}
    assert "passport.json belongs to other weights than model.pt" in caplog.text


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"cutoff": {}})])
def test_a_damaged_passport_is_one_sentence(weights, content):
    weights.with_name("passport.json").write_text(content)
    with pytest.raises(ValueError, match="found a damaged file"):
        read_passport(weights)


def test_structures_become_channels_and_a_background_keeps_a_half():
    assert channel_cutoffs({"nucleus": 0.4}, {"nucleus": 1}) == [0.5, 0.4]
    assert channel_cutoffs({"cup": 0.4, "disc": 0.6}, {"disc": 0, "cup": 1}) == [0.6, 0.4]
    assert channel_cutoffs(0.75, {"disc": 0, "cup": 1}) == 0.75


def test_a_name_that_is_no_structure_and_a_number_that_is_no_probability_are_one_sentence():
    with pytest.raises(ValueError, match="Expected a cutoff for disc, found one for cup; name these only"):
        channel_cutoffs({"cup": 0.4}, {"disc": 0})
    with pytest.raises(ValueError, match="Expected a cutoff between 0 and 1, found 1"):
        channel_cutoffs({"disc": 1}, {"disc": 0})
