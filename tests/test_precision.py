import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from monai_sfda import precision
from monai_sfda.precision import channels_last


def test_auto_takes_whatever_is_faster(monkeypatch):
    monkeypatch.setattr(precision, "onednn_convolves", lambda dtype: True)
    for fast, slow in (("bfloat16", "float32"), ("float32", "bfloat16")):
        seconds = {getattr(torch, fast): 1.0, getattr(torch, slow): 2.0}
        monkeypatch.setattr(precision, "_convolution_seconds", seconds.__getitem__)
        precision._fastest.cache_clear()
        assert precision.choose_precision("auto", "cpu") == fast
    precision._fastest.cache_clear()


AVX2 = """
import torch
from monai_sfda import precision
precision._convolution_seconds = None  # seconds of waiting for an answer that is known
print(*(precision.onednn_convolves(dtype) for dtype in (torch.float32, torch.bfloat16)))
print(precision.choose_precision("auto", "cpu"))
"""


def test_on_a_processor_with_avx2_alone_auto_is_float32_and_nothing_is_timed():
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", AVX2], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "float32"]


def test_bfloat16_computes_in_bfloat16_and_float32_leaves_alone():
    layer, image = torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)
    with precision.autocast("cpu", "bfloat16"):
        assert layer(image).dtype == torch.bfloat16
    with precision.autocast("cpu", "float32"):
        assert layer(image).dtype == torch.float32


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="auto, bfloat16, float32"):
        precision.choose_precision("fp8", "cpu")


@pytest.mark.parametrize(
    ("shape", "layout"), [((2, 3, 4, 5), torch.channels_last), ((2, 3, 4, 5, 6), torch.channels_last_3d)]
)
def test_channels_come_last_in_images_and_in_volumes(shape, layout):
    assert channels_last(torch.rand(shape)).is_contiguous(memory_format=layout)


def test_a_network_is_laid_out_by_each_of_its_tensors():
    network = nn.ModuleList([nn.Conv2d(3, 2, 3), nn.Conv3d(3, 2, 3), nn.BatchNorm3d(2)])
    before = [tensor.clone() for tensor in network.state_dict().values()]
    assert channels_last(network) is network
    assert network[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert network[1].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert all(torch.equal(old, new) for old, new in zip(before, network.state_dict().values(), strict=True))


def test_a_table_of_numbers_stays_as_it_is():
    assert channels_last(torch.rand(3, 4)).shape == (3, 4)
