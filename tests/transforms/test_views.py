import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.transforms import Erase, Gamma, ImpulseNoise, StrongBatch, WeakStrongViews


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def grey(batch=64, size=64, value=0.5):
    return torch.full((batch, 3, size, size), value)


def test_impulse_noise_changes_at_most_the_released_share_and_only_to_its_two_values():
    noisy = ImpulseNoise()(grey())
    changed = (noisy != 0.5).any(1).flatten(1)
    limit_salt, limit_pepper = round(630 / 512**2 * 64**2), round(2517 / 512**2 * 64**2)
    for picture, count in zip(noisy, changed.sum(1).tolist(), strict=True):
        values = set(picture.unique().tolist()) - {0.5}
        assert values in (set(), {0.0}, {torch.tensor(1 / 255).item()})
        assert count <= (limit_pepper if 0.0 in values else limit_salt)


def test_impulse_noise_hits_half_of_the_images_on_average():
    hit = (ImpulseNoise()(grey(400, 32)) != 0.5).flatten(1).any(1).float().mean()
    # Binomial with p = 0.5, n = 400: standard deviation 0.025; four of them.
    assert abs(hit.item() - 0.5) < 0.1


def test_gamma_keeps_black_and_white_and_moves_grey_within_its_range():
    image = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3).expand(200, 3, 1, 3).clone()
    out = Gamma(prob=1.0)(image)
    assert torch.equal(out[..., 0], image[..., 0])
    assert torch.equal(out[..., 2], image[..., 2])
    low, high = 0.25 ** (1 / 0.5), 0.25 ** (1 / 3.5)
    assert low <= out[..., 1].min() < 0.25 < out[..., 1].max() <= high


def test_erase_covers_between_two_and_six_percent_with_one_grey():
    out = Erase(prob=1.0)(grey(100, 128, value=2.0))
    for picture in out:
        erased = picture != 2.0
        share = erased[0].float().mean().item()
        # Sides are rounded to whole pixels: at most half a pixel on sides of at least 9.
        assert 0.02 * 0.93 <= share <= 0.06 * 1.07
        assert picture[erased].unique().numel() == 1


@pytest.mark.parametrize("corrupt", [ImpulseNoise(prob=0.0), Gamma(prob=0.0), Erase(prob=0.0)])
def test_probability_zero_is_identity(corrupt):
    image = torch.rand(2, 3, 16, 16)
    assert torch.equal(corrupt(image), image)


@pytest.mark.parametrize("corrupt", [ImpulseNoise(prob=0.5), Gamma(prob=1.0), Erase(prob=1.0)])
def test_the_input_is_left_alone(corrupt):
    image = torch.rand(4, 3, 32, 32)
    before = image.clone()
    corrupt(image)
    assert torch.equal(image, before)


def test_views_scale_8_bit_to_the_range_of_the_network():
    image = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    weak, strong = WeakStrongViews()(image)
    torch.testing.assert_close(weak.flatten(), torch.tensor([-1.0, -0.6, 1.0]))
    assert strong is weak


def test_only_the_strong_view_is_corrupted():
    image = torch.full((8, 3, 32, 32), 128, dtype=torch.uint8)
    weak, strong = WeakStrongViews(strong=[Erase(prob=1.0)])(image)
    assert weak.unique().numel() == 1
    assert (weak != strong).flatten(1).any(1).all()


def test_a_batch_for_training_is_of_plain_tensors():
    batch = {"image": MetaTensor(255 * grey(2)), "label": MetaTensor(grey(2))}
    assert all(type(item) is torch.Tensor for item in StrongBatch(WeakStrongViews())(batch))


def test_bad_ranges_are_refused():
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        ImpulseNoise(prob=0.7)
    for view in (Gamma, Erase):
        with pytest.raises(ValueError, match="prob between 0 and 1, found 5"):
            view(prob=5)
    for make in (lambda: Gamma(gamma=(0, 2)), lambda: Erase(area=(0.2, 0.1)), lambda: Erase(ratio=(-1, 1))):
        with pytest.raises(ValueError, match="0 < low <= high"):
            make()


def test_one_corruption_needs_no_list():
    gamma = Gamma()
    assert WeakStrongViews(strong=gamma, weak=gamma).strong == WeakStrongViews(strong=[gamma]).strong == (gamma,)


@pytest.mark.parametrize("channels", [1, 3])
def test_erase_takes_a_box_out_of_a_volume(channels):
    volume = torch.full((60, channels, 32, 40, 48), 2.0)
    for picture in Erase(prob=1.0)(volume):
        erased = picture != 2.0
        # sides are rounded to whole voxels: at most half a voxel on sides of at least 5
        assert 0.02 * 0.75 <= erased[0].float().mean().item() <= 0.06 * 1.25
        assert picture[erased].unique().numel() == 1
        sides = [
            int(erased[0].any(2).any(1).sum()),
            int(erased[0].any(2).any(0).sum()),
            int(erased[0].any(1).any(0).sum()),
        ]
        assert erased[0].sum() == sides[0] * sides[1] * sides[2]
        assert max(sides) < 32


def test_what_is_neither_image_nor_volume_is_not_erased():
    with pytest.raises(
        ValueError, match=r"volumes \(B, C, D, H, W\) to erase from, found shape \(2, 1, 8\); leave Erase out"
    ):
        Erase()(torch.zeros(2, 1, 8))


@pytest.mark.parametrize("shape", [(1, 16, 16), (1, 8, 16, 16)], ids=["one channel", "volume"])
@pytest.mark.parametrize("corrupt", [ImpulseNoise(prob=0.5), Gamma(prob=1.0), Erase(prob=1.0)])
def test_images_of_one_channel_and_volumes_are_corrupted(corrupt, shape):
    image = 0.1 + 0.8 * torch.rand(16, *shape)
    out = corrupt(image)
    assert out.shape == image.shape
    assert (out != image).flatten(1).any(1).float().mean() > 0.9 or isinstance(corrupt, ImpulseNoise)
    assert (out != image).any()
