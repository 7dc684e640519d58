"""The conversion script: files in, files out, one sentence on a mistake."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_sfda.networks import DeepLabV3Plus, load_network

TESTS = Path(__file__).parents[1]
RELEASED = runpy.run_path(str(TESTS / "networks" / "released_layout.py"))
main = runpy.run_path(str(TESTS.parent / "scripts" / "convert_checkpoint.py"))["main"]


@pytest.fixture
def checkpoint(tmp_path):
    """A file as the authors' training writes it."""
    path = tmp_path / "checkpoint_200.pth.tar"
    content = {"epoch": 199, "arch": "DeepLab", "best_mean_dice": np.float64(0.9), "optim_state_dict": {"state": {}}}
    torch.save(content | {"model_state_dict": RELEASED["weights"](False)}, path)
    return path


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
def test_the_written_file_loads(tmp_path, checkpoint, name, capsys):
    pytest.importorskip("safetensors")
    main([str(checkpoint), str(tmp_path / name)])
    network = load_network(DeepLabV3Plus(), tmp_path / name)
    expected = RELEASED["weights"](False)["decoder.last_conv_2.1.bias"].flip(0)
    assert torch.equal(network.decoder.head[1].bias, expected)
    assert "DeepLabV3Plus(decoder='plain')" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {checkpoint.name, name}  # no partial file stays


def test_a_mistake_ends_with_one_sentence_and_keeps_the_old_file(tmp_path, checkpoint):
    target = tmp_path / "model.pt"
    target.write_bytes(b"old")
    with pytest.raises(SystemExit, match=r"Expected layout to be one of \['cbmt'\]"):
        main([str(checkpoint), str(target), "--layout", "dpl"])
    assert target.read_bytes() == b"old"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SystemExit, match="Expected a file of weights, found nothing at"):
        main([str(tmp_path / "nothing.pth"), str(tmp_path / "model.pt")])


def test_another_ending_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(SystemExit, match=r"Expected a target that ends with \.pt or \.safetensors"):
        main([str(tmp_path / "nothing.pth"), str(tmp_path / "model.onnx")])
