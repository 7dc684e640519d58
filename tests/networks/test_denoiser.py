import pytest
import torch
from torch import nn

from monai_sfda.networks import AtlasFallback, Denoiser, load_denoiser


def small_denoiser(**kwargs):
    torch.manual_seed(0)
    return Denoiser(2, **{"size": (32, 32), "features": (4, 4, 4, 4, 4, 4)} | kwargs).eval()


@pytest.mark.parametrize("shape", [(32, 32), (70, 64), (512, 300)])
def test_any_image_size_goes_in_and_comes_out(shape):
    probs = torch.rand(2, 2, *shape)
    with torch.no_grad():
        out = small_denoiser()(probs)
    assert out.shape == probs.shape
    assert out.min() >= 0
    assert out.max() <= 1


def test_softmax_channels_sum_to_1():
    with torch.no_grad():
        out = small_denoiser(head="softmax")(torch.rand(1, 2, 48, 48))
    # Resizing is linear, so sums of 1 stay sums of 1 up to float32 rounding.
    torch.testing.assert_close(out.sum(1), torch.ones(1, 48, 48))


def test_a_size_that_cannot_be_halved_five_times_is_refused():
    with pytest.raises(ValueError, match="multiples of 32"):
        small_denoiser(size=(100, 128))


def test_a_denoiser_that_was_not_trained_is_missed_with_the_command_that_trains_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"train it .*--config_file configs/train_denoiser\.json"):
        load_denoiser(small_denoiser(), tmp_path / "model.pt")


def test_a_loaded_denoiser_is_frozen_and_in_evaluation_mode(tmp_path):
    torch.save(small_denoiser().state_dict(), tmp_path / "model.pt")
    denoiser = load_denoiser(small_denoiser().train(), tmp_path / "model.pt")
    assert not denoiser.training
    assert not any(parameter.requires_grad for parameter in denoiser.parameters())


# Prediction .5: Dice with the atlas, 1 everywhere, is 2 * .5 / 1.5 = 2/3, with itself 2 * .25 / 1 = 1/2; ratio 3/4.
@pytest.mark.parametrize(
    ("min_ratio", "min_dice", "chosen"),
    [(0.0, 0.0, 0.5), (0.74, 0.66, 0.5), (0.76, 0.0, 1.0), (0.0, 0.67, 1.0)],
)
def test_the_atlas_is_chosen_only_below_a_threshold(min_ratio, min_dice, chosen):
    probs, atlas = torch.full((1, 2, 8, 8), 0.5), torch.ones(2, 4, 4)
    target = AtlasFallback(nn.Identity(), atlas, min_ratio=min_ratio, min_dice=min_dice)(probs)
    assert target.unique().tolist() == [chosen]


def test_at_thresholds_0_the_atlas_is_never_chosen_and_each_image_is_judged_alone(tmp_path):
    torch.save(torch.ones(1, 4, 4), tmp_path / "atlas.pt")
    probs = torch.stack([torch.full((1, 8, 8), value) for value in (0.0, 1e-3, 0.5, 1.0)])
    assert torch.equal(AtlasFallback(nn.Identity(), tmp_path / "atlas.pt")(probs), probs)
    target = AtlasFallback(nn.Identity(), tmp_path / "atlas.pt", min_dice=0.5)(probs)
    assert target[:, 0, 0, 0].tolist() == [1.0, 1.0, 0.5, 1.0]


@pytest.mark.parametrize("shape", [(32, 32, 32), (20, 40, 36)])
def test_label_maps_of_volumes_go_in_and_come_out(shape):
    probs = torch.rand(1, 2, *shape).softmax(1)
    denoiser = small_denoiser(size=(32, 32, 32), head="softmax")
    with torch.no_grad():
        out = AtlasFallback(denoiser, torch.ones(2, 4, 4, 4))(probs)
    assert out.shape == probs.shape
    torch.testing.assert_close(out.sum(1), torch.ones(1, *shape))


def test_a_denoiser_of_images_refuses_volumes():
    with pytest.raises(ValueError, match=r"Expected maps of 2 axes to denoise, found shape \(1, 2, 8, 8, 8\); train"):
        small_denoiser()(torch.rand(1, 2, 8, 8, 8))
