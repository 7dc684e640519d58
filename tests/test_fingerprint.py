import os
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_sfda.fingerprint import fingerprint, setup_of
from monai_sfda.losses import EntropyLoss, MaskedBCE, WeightedSum
from monai_sfda.pseudo import Observe, PseudoLabeller, Threshold


@pytest.fixture
def parts(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")
    (tmp_path / "a.png").write_bytes(b"image")
    images = [{"case": "a", "image": str(tmp_path / "a.png")}]
    return {"weights": tmp_path / "model.pt", "images": images, "parameters": {"passes": 10}}


def test_the_same_parts_have_the_same_fingerprint(parts):
    assert fingerprint(**parts) == fingerprint(**parts)


def test_weights_count_by_content(parts):
    before = fingerprint(**parts)
    os.utime(parts["weights"], (0, 0))
    assert fingerprint(**parts) == before
    parts["weights"].write_bytes(b"other")
    assert fingerprint(**parts) != before


def test_an_image_that_changes_in_time_size_or_name_changes_it(parts):
    before = fingerprint(**parts)
    path = parts["images"][0]["image"]
    os.utime(path, (0, 0))
    touched = fingerprint(**parts)
    assert touched != before
    with open(path, "ab") as file:
        file.write(b"more")
    os.utime(path, (0, 0))
    assert fingerprint(**parts) != touched
    renamed = [{**parts["images"][0], "case": "b"}]
    assert fingerprint(**parts | {"images": renamed}) != fingerprint(**parts)
    assert fingerprint(**parts | {"images": []}) != fingerprint(**parts)


@pytest.mark.parametrize(
    "other",
    [
        PseudoLabeller(Observe(nn.Linear(2, 1)), refiners=[Threshold(cutoff=0.5)]),
        PseudoLabeller(Observe(nn.Linear(2, 1), head="softmax"), refiners=[Threshold()]),
        PseudoLabeller(Observe(nn.Linear(3, 1)), refiners=[Threshold()]),
        PseudoLabeller(Observe(nn.Linear(2, 1))),
    ],
)
def test_a_labeller_is_described_by_its_parameters(other):
    labeller = PseudoLabeller(Observe(nn.Linear(2, 1)), refiners=[Threshold()])
    again = PseudoLabeller(Observe(nn.Linear(2, 1)), refiners=[Threshold()])
    assert setup_of(labeller) == setup_of(again)
    assert setup_of(labeller) != setup_of(other)


def test_a_loss_is_described_by_its_parameters_and_those_of_its_parts():
    def weighted(weight, head):
        return setup_of(WeightedSum({"a": EntropyLoss(head=head), "b": MaskedBCE()}, weights={"a": weight}))

    assert weighted(1.0, "sigmoid") == weighted(1.0, "sigmoid")
    assert weighted(1.0, "sigmoid") != weighted(2.0, "sigmoid")
    assert weighted(1.0, "sigmoid") != weighted(1.0, "softmax")


def test_places_are_no_part_of_a_description(tmp_path):
    assert str(tmp_path) not in str(setup_of({"folder": tmp_path / "labels"}))


def test_a_description_holds_no_addresses_and_no_working_state():
    item = SimpleNamespace(mode=nn.Module.train, bound=partial(round, ndigits=2), tensor=torch.ones(2), _seen=object())
    text = str(setup_of([item, len, torch.float32, torch.device("cpu"), None]))
    assert "0x" not in text
    assert "_seen" not in text
    assert "Module.train" in text
    assert "ndigits" in text


def test_every_file_of_a_series_counts(parts, tmp_path):
    (tmp_path / "b.png").write_bytes(b"image")
    parts["images"] = [{"case": "a", "image": [str(tmp_path / "a.png"), str(tmp_path / "b.png")]}]
    before = fingerprint(**parts)
    os.utime(tmp_path / "b.png", (0, 0))
    assert fingerprint(**parts) != before
