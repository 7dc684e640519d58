import json
import shutil
from copy import deepcopy

import pytest
import torch
from bundle_support import ROOT, command, write_images
from monai.transforms import NormalizeIntensity

from monai_sfda.networks import with_input


class Same(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, image):
        return image * self.scale


@pytest.fixture
def picture():
    return torch.rand(2, 3, 5, 4) * 2 - 1


def test_a_grey_picture_is_seen_as_it_is():
    channel = torch.tensor([-1.0, -0.5, 0.25, 1.0]).view(1, 1, 2, 2)
    assert torch.equal(with_input(Same(), grey=True)(channel.expand(1, 3, 2, 2)), channel)


def test_values_are_moved_to_the_range(picture):
    seen = with_input(Same(), value_range=(0, 1))(picture)
    torch.testing.assert_close(seen, (picture + 1) / 2)


def test_standardised_as_monai_does_it_each_image_by_itself(picture):
    seen = with_input(Same(), standardise=True)(picture)
    expected = torch.stack([torch.as_tensor(NormalizeIntensity()(image)) for image in picture])
    torch.testing.assert_close(seen, expected)
    assert not with_input(Same(), standardise=True)(torch.full((1, 3, 2, 2), 0.5)).any()


def test_nothing_is_added_to_the_weights_and_copies_keep_it(picture):
    network = with_input(Same(), grey=True)
    assert list(network.state_dict()) == ["scale"]
    assert deepcopy(network)(picture).shape == (2, 1, 5, 4)


def test_gradients_reach_the_picture(picture):
    picture.requires_grad_()
    with_input(Same(), grey=True, standardise=True)(picture)[0, 0, 0, 0].backward()
    assert picture.grad[0].abs().sum() > 0
    assert not picture.grad[1].any()


def test_a_range_that_does_not_rise_is_refused():
    with pytest.raises(ValueError, match="Expected a value_range that rises"):
        with_input(Same(), value_range=(1, 0))


@pytest.mark.parametrize("method", ["cbmt", "dae", "grad_cl", "ud4r"])
def test_a_bundle_with_a_grey_network_adapts_and_predicts(method, monkeypatch, tmp_path):
    mine = shutil.copytree(ROOT / "bundles" / "nuclei_fluorescence", tmp_path / "mine")
    for path in (mine / "configs").glob("*.json"):
        config = json.loads(path.read_text())
        if "network_def" in config:
            own = config["network_def"] | {"in_channels": 1}
            config["network_def"] = {"_target_": "monai_sfda.networks.with_input", "network": own, "grey": True}
            path.write_text(json.dumps(config))
    weights = torch.load(mine / "models" / "model.pt", weights_only=True)
    first = next(name for name, tensor in weights.items() if tensor.ndim == 4)
    weights[first] = weights[first].sum(1, keepdim=True)
    torch.save(weights, mine / "models" / "model.pt")
    images, small = write_images(tmp_path / "images"), ("--image_size", "[64,64]", "--precision", "float32")
    words = ("--output", tmp_path / "run", "--method", method, "--epochs", "1", *small)
    command(monkeypatch, "adapt", mine, images, *words)
    command(monkeypatch, "predict", tmp_path / "run" / "bundle", images, "--output", tmp_path / "out", *small[2:])
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 3
