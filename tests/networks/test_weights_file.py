from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from monai_sfda.networks import load_network, read_weights

WEIGHTS = {"a": torch.ones(2)}


@pytest.mark.parametrize("name", ["params", "student", "generator", "modelStateDict"])
def test_the_only_state_dict_of_a_file_is_found_under_any_name(tmp_path, name):
    torch.save({name: WEIGHTS, "epoch": 3, "optimizer": {"state": {}}}, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["a"]


def test_of_two_state_dicts_of_unusual_names_none_is_taken(tmp_path):
    torch.save({"student": WEIGHTS, "teacher": WEIGHTS}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"found a dict with keys \['student', 'teacher'\]"):
        read_weights(tmp_path / "a.pt")


def test_settings_called_model_do_not_hide_the_weights(tmp_path):
    torch.save({"model": {"name": "unet"}, "state_dict": WEIGHTS}, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["a"]


def test_the_counter_of_averaged_weights_is_dropped(tmp_path):
    averaged = torch.optim.swa_utils.AveragedModel(nn.Linear(1, 1))
    torch.save(averaged.state_dict(), tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["weight", "bias"]


@pytest.mark.parametrize("value", [Path("runs"), datetime(2020, 1, 1), timedelta(1), SimpleNamespace(a=1)], ids=type)
def test_harmless_notes_lie_beside_the_weights(tmp_path, value):
    torch.save({"state_dict": WEIGHTS, "note": value}, tmp_path / "a.pt")
    assert list(read_weights(tmp_path / "a.pt")) == ["a"]


def test_what_would_run_code_is_named(tmp_path):
    torch.save(nn.Linear(1, 1), tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"found torch.nn.modules.linear.Linear, which cannot be read without running"):
        read_weights(tmp_path / "a.pt")


@pytest.mark.parametrize("suffix", ["pt", "safetensors", "SAFETENSORS"])
def test_the_content_says_how_a_file_is_read_and_not_its_suffix(tmp_path, suffix):
    torch.save(WEIGHTS, tmp_path / f"torch.{suffix}")
    pytest.importorskip("safetensors.torch").save_file(WEIGHTS, tmp_path / f"safe.{suffix}")
    for name in ("torch", "safe"):
        assert list(read_weights(tmp_path / f"{name}.{suffix}")) == ["a"]


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LFS, r"found a pointer of git-lfs; fetch the file with: git lfs pull"),
        (b"<!DOCTYPE html>", r"found no file of torch.save or safetensors; fetch it again"),
        (b"plain text\n" * 9, r"found no file of torch.save or safetensors; fetch it again"),
    ],
    ids=["git-lfs", "html", "text"],
)
def test_other_content_is_not_called_damaged_or_dangerous(tmp_path, content, message):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_weights(tmp_path / "a.pt")


def test_a_program_of_torchscript_is_named_without_unsafe_advice(tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), str(tmp_path / "a.pt"))
    with pytest.raises(ValueError, match=r"found a program of TorchScript; save the state_dict\(\)") as error:
        read_weights(tmp_path / "a.pt")
    assert "weights_only" not in str(error.value)


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected a file of weights, found a folder at"):
        read_weights(tmp_path)


def tiny():
    return nn.Sequential(nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3))


@pytest.mark.parametrize("prefix", ["model.", "net.", "model.module.", "segmentor.backbone."])
def test_weights_of_a_larger_module_are_found_in_it(tmp_path, prefix):
    """As Lightning saves them, with its own parts beside them."""
    source = tiny()
    weights = {prefix + key: weight for key, weight in source.state_dict().items()}
    torch.save({"state_dict": weights | {"loss.weight": torch.ones(2)}}, tmp_path / "a.ckpt")
    loaded = load_network(tiny(), tmp_path / "a.ckpt").state_dict()
    assert all(torch.equal(loaded[key], weight) for key, weight in source.state_dict().items())


def test_of_two_networks_in_one_module_none_is_taken(tmp_path):
    weights = {f"{part}.{key}": w for part in ("student", "teacher") for key, w in tiny().state_dict().items()}
    torch.save(weights, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"14 unexpected \(student.0.weight"):
        load_network(tiny(), tmp_path / "a.pt")


@pytest.mark.parametrize(
    "change", [lambda w: w.to(torch.int8), lambda w: w.to(torch.complex64), torch.Tensor.to_sparse]
)
def test_weights_of_another_kind_of_number_are_refused(tmp_path, change):
    weights = tiny().state_dict()
    torch.save(weights | {"0.bias": change(weights["0.bias"])}, tmp_path / "a.pt")
    with pytest.raises(ValueError, match=r"1 of other shape \(0.bias \(3,\) .* in the file, \(3,\) in the network\)"):
        load_network(tiny(), tmp_path / "a.pt")
