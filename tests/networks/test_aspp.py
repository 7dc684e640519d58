"""AtrousPyramid: size, reach, and the pooled branch."""

import pytest
import torch
from torch import nn

from monai_sfda.networks import AtrousPyramid


def test_the_size_stays_and_the_channels_become_256():
    assert AtrousPyramid(8)(torch.rand(2, 8, 5, 7)).shape == (2, 256, 5, 7)


def test_rates_are_1_6_12_18():
    branches = AtrousPyramid(8).branches
    assert [branch[0].kernel_size for branch in branches] == [(1, 1), (3, 3), (3, 3), (3, 3)]
    assert [branch[0].dilation[0] for branch in branches] == [1, 6, 12, 18]


def test_the_pooled_branch_is_the_same_everywhere():
    pool = AtrousPyramid(8).pool.eval()
    x = torch.rand(1, 8, 4, 4)
    torch.testing.assert_close(pool(x), pool(x.flip(2, 3)))
    assert pool(x).shape == (1, 256, 1, 1)


def test_channels_last_survives_the_pyramid():
    x = torch.rand(2, 8, 5, 7).contiguous(memory_format=torch.channels_last)
    y = AtrousPyramid(8).to(memory_format=torch.channels_last)(x)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_one_image_is_refused_whenever_batch_statistics_are_used():
    pyramid = AtrousPyramid(8).eval()
    pyramid.pool.norm.running_mean = pyramid.pool.norm.running_var = None  # batch norm then uses the batch in eval too
    with pytest.raises(ValueError, match="at least 2 images"):
        pyramid(torch.rand(1, 8, 4, 4))


def test_synchronised_norm_makes_its_own_check():
    pyramid = nn.SyncBatchNorm.convert_sync_batchnorm(AtrousPyramid(8)).eval()
    assert pyramid(torch.rand(1, 8, 4, 4)).shape == (1, 256, 4, 4)
