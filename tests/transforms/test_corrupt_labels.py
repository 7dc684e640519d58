import numpy as np
import pytest
import torch

from monai_sfda.transforms import RandCorruptLabelsd, corrupt_blocks


def label_map(shape=(2, 64, 64), dtype=torch.uint8):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(3, shape, generator=generator).to(dtype)


def corrupt(label, seed=0, **kwargs):
    return corrupt_blocks(label, np.random.RandomState(seed), **{"blocks": 5, "half_size": 4} | kwargs)


def test_no_block_gives_the_input():
    assert torch.equal(corrupt(label_map(), blocks=0), label_map())


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_type_and_values_are_those_of_the_input_and_the_input_is_left_alone(dtype):
    label = label_map(dtype=dtype)
    damaged = corrupt(label)
    assert damaged.dtype == dtype
    assert set(damaged.unique().tolist()) <= set(label.unique().tolist())
    assert torch.equal(label, label_map(dtype=dtype))


@pytest.mark.parametrize("shape", [(1, 64, 64), (1, 16, 16, 16)])
@pytest.mark.parametrize("blocks", [1, 7])
def test_no_more_pixels_change_than_the_blocks_hold(shape, blocks):
    label = torch.arange(np.prod(shape)).view(shape)  # no two pixels are equal, so every moved one differs
    changed = int((corrupt(label, blocks=blocks, half_size=3) != label).sum())
    assert 0 < changed <= blocks * 6 ** (len(shape) - 1)


def test_channels_move_together():
    label = torch.arange(64 * 64).view(1, 64, 64).repeat(2, 1, 1)
    first, second = corrupt(label)
    assert torch.equal(first, second)


def test_a_block_larger_than_the_map_is_cut():
    assert corrupt(label_map((1, 4, 3)), half_size=10).shape == (1, 4, 3)


def test_a_state_gives_the_same_damage_and_goes_on_while_a_seed_repeats():
    item = {"image": label_map(), "label": label_map()}
    one, two = (RandCorruptLabelsd("image").set_random_state(1) for _ in range(2))
    first = one(item)["image"]
    assert torch.equal(first, two(item)["image"])
    assert not torch.equal(first, one(item)["image"])
    fixed = RandCorruptLabelsd("image", seed=0)
    assert torch.equal(fixed(item)["image"], fixed(item)["image"])
    assert torch.equal(one(item)["label"], label_map())


def test_the_default_damages_6_percent_on_average():
    # 6.5 blocks of 154 pixels on average, of 128 * 128 pixels: 6.1 %, less where blocks overlap.
    label = torch.arange(128 * 128).view(1, 128, 128)
    damage = RandCorruptLabelsd("image").set_random_state(0)
    shares = [float((damage({"image": label})["image"] != label).float().mean()) for _ in range(200)]
    # Standard deviation of one draw is about 4 %, of the mean of 200 about 0.3 %.
    assert 0.05 < np.mean(shares) < 0.07


def test_blocks_are_taken_from_the_undamaged_map():
    class Script:
        """Half side, corner to overwrite and corner to copy from, of each of two blocks."""

        draws = iter([1, 0, 0, 2, 2, 1, 4, 4, 0, 0])

        def randint(self, *_):
            return next(self.draws)

    label = torch.arange(36).view(1, 6, 6)
    damaged = corrupt_blocks(label, Script(), blocks=2, half_size=1)
    assert damaged[0, :2, :2].tolist() == [[14, 15], [20, 21]]
    assert damaged[0, 4:, 4:].tolist() == [[0, 1], [6, 7]]
    assert int((damaged != label).sum()) == 8
