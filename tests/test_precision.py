import pytest
import torch

from monai_sfda import precision


def test_auto_takes_whatever_is_faster(monkeypatch):
    for fast, slow in (("bfloat16", "float32"), ("float32", "bfloat16")):
        seconds = {getattr(torch, fast): 1.0, getattr(torch, slow): 2.0}
        monkeypatch.setattr(precision, "_convolution_seconds", seconds.__getitem__)
        precision._fastest.cache_clear()
        assert precision.choose_precision("auto", "cpu") == fast
    precision._fastest.cache_clear()


def test_bfloat16_computes_in_bfloat16_and_float32_leaves_alone():
    layer, image = torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)
    with precision.autocast("cpu", "bfloat16"):
        assert layer(image).dtype == torch.bfloat16
    with precision.autocast("cpu", "float32"):
        assert layer(image).dtype == torch.float32


def test_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="auto, bfloat16, float32"):
        precision.choose_precision("fp8", "cpu")
