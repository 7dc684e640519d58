"""The script that trains the locator: pictures with truth in, weights out."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

script = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "train_locator.py"))


@pytest.mark.parametrize("kind", sorted(set(script["KINDS"])))
def test_pictures_of_every_kind_have_their_truth(kind):
    index = script["KINDS"].index(kind)
    picture, parts, level = script["sample"](index, seed=0)
    assert (picture.shape, picture.dtype) == ((3, 128, 128), torch.uint8)
    assert (parts.shape, parts.dtype) == ((2, 128, 128), torch.bool)
    assert parts.flatten(1).any(1).tolist() == [kind in ("full", "part", "crop")] * 2
    assert not (parts[1] & ~parts[0]).any()
    assert (picture.amax(0) > level).float().mean() > 0.5


def test_a_part_holds_the_whole_disc():
    mask = np.zeros((200, 300), np.uint8)
    mask[90:130, 10:60] = 1
    image = np.repeat(mask[..., None], 3, 2)
    for seed in range(20):
        cut, truth = script["part"](image, mask, np.random.default_rng(seed))
        assert truth.sum() == mask.sum()
        assert cut.shape == (*truth.shape, 3)
        assert truth.shape[0] == truth.shape[1] >= 60


def test_views_are_standardised_and_mirror_picture_and_truth_alike(monkeypatch):
    monkeypatch.setitem(script["view"].__globals__, "light", lambda x: x)  # may fall off by more than a disc stands out
    torch.manual_seed(0)
    picture = torch.full((3, 128, 128), 60, dtype=torch.uint8)
    picture[:, 30:60, 10:40] = 220
    parts = torch.stack([picture[0] > 100, torch.zeros(128, 128, dtype=torch.bool)])
    for _ in range(20):
        image, truth = script["view"](picture, parts, 20.0)
        assert image.mean((1, 2)) == pytest.approx([0, 0, 0], abs=1e-3)
        assert image[:, truth].mean() > image[:, ~truth].mean() + 0.5
        assert truth.sum() == parts[0].sum()


def test_training_writes_weights_that_the_bundles_network_takes(tmp_path):
    script["main"](str(tmp_path / "locator.pt"), count=20, epochs=1)
    weights = torch.load(tmp_path / "locator.pt", weights_only=True)
    assert 4 * sum(weight.numel() for weight in weights.values()) < 1e6
    assert all(weight.isfinite().all() for weight in weights.values())
