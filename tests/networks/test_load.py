"""load_network: every layout in, one clear sentence on any mismatch, nothing half done."""

import os
from argparse import Namespace
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from torch import nn

from monai_sfda.networks import load_network


def tiny(width=3):
    return nn.Sequential(nn.Conv2d(1, width, 1), nn.BatchNorm2d(width))


@pytest.fixture
def source():
    return tiny()


def same(a, b):
    return all(torch.equal(a.state_dict()[key], b.state_dict()[key]) for key in a.state_dict())


WRAPPERS = [None, "model", "model_state_dict", "state_dict", "network", "network_weights", "ema", "state_dict_ema"]
PREFIXES = ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module.module."]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_state_dict_is_found_bare_or_wrapped(tmp_path, source, wrapper, prefix):
    weights = {prefix + key: weight for key, weight in source.state_dict().items()}
    torch.save(weights if wrapper is None else {wrapper: weights, "epoch": 3}, tmp_path / "model.pt")
    assert same(load_network(tiny(), tmp_path / "model.pt"), source)


def test_a_state_dict_is_found_inside_several_wrappers(tmp_path, source):
    torch.save({"checkpoint": {"state_dict": source.state_dict(), "epoch": 3}, "ema": {"a": 1}}, tmp_path / "model.pt")
    assert same(load_network(tiny(), tmp_path / "model.pt"), source)


def test_a_part_that_was_compiled_alone_is_found(tmp_path, source):
    weights = {key.replace("0.", "0._orig_mod."): weight for key, weight in source.state_dict().items()}
    assert "0._orig_mod.weight" in weights  # as nn.Sequential(torch.compile(source[0]), source[1]) names it
    torch.save(weights, tmp_path / "model.pt")
    assert same(load_network(tiny(), tmp_path / "model.pt"), source)


def test_a_part_called_module_keeps_its_name(tmp_path):
    def nested():
        return nn.ModuleDict({"stem": nn.ModuleDict({"module": nn.Conv2d(1, 3, 1)})})

    torch.save(nested().state_dict(), tmp_path / "model.pt")
    assert set(load_network(nested(), tmp_path / "model.pt").state_dict()) == {"stem.module.weight", "stem.module.bias"}


def test_a_weight_that_is_there_twice_is_refused(tmp_path):
    torch.save({"module.a": torch.zeros(1), "a": torch.ones(1)}, tmp_path / "model.pt")
    with pytest.raises(
        ValueError, match=r"Expected each weight once in .*, found some both with and without module or"
    ):
        load_network(tiny(), tmp_path / "model.pt")


@pytest.mark.parametrize(
    "beside",
    [
        *(np.float64(0.9), np.float32(0.9), np.float16(0.5), np.int64(3), np.int32(3), np.uint8(3), np.bool_(True)),
        *(np.str_("best"), np.bytes_(b"x"), np.complex64(1), np.longdouble(1), np.datetime64("2020-01-01")),
        *(np.array([0.8, 0.9]), np.array(["a"]), np.dtype("f4"), Namespace(lr=np.float64(0.1))),
    ],
    ids=repr,
)
def test_what_training_keeps_beside_the_weights_does_no_harm(tmp_path, source, beside):
    torch.save({"state_dict": source.state_dict(), "best": beside}, tmp_path / "model.pt")
    assert same(load_network(tiny(), tmp_path / "model.pt"), source)


def test_numbers_that_an_older_numpy_wrote_are_read(tmp_path, source):
    torch.save({"state_dict": source.state_dict(), "best": np.float64(0.9)}, tmp_path / "new.pt")
    with ZipFile(tmp_path / "new.pt") as new, ZipFile(tmp_path / "old.pt", "w") as renamed:
        for name in new.namelist():
            renamed.writestr(name, new.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert same(load_network(tiny(), tmp_path / "old.pt"), source)


def test_safetensors_are_read(tmp_path, source):
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file(source.state_dict(), tmp_path / "model.safetensors")
    assert same(load_network(tiny(), tmp_path / "model.safetensors"), source)


def test_the_network_itself_comes_back(tmp_path, source):
    torch.save(source.state_dict(), tmp_path / "model.pt")
    network = tiny()
    assert load_network(network, tmp_path / "model.pt") is network


def test_a_mismatch_names_counts_and_first_keys(tmp_path):
    weights = {key: weight for key, weight in tiny(4).state_dict().items() if key != "1.bias"}
    torch.save(weights | {"head.weight": torch.zeros(1)}, tmp_path / "model.pt")
    expected = (
        r"Expected the 7 weights of Sequential in .*model\.pt, found 7: 1 missing \(1\.bias\); "
        r"1 unexpected \(head\.weight\); 5 of other shape \(0\.weight \(4, 1, 1, 1\) in the file, \(3, 1, 1, 1\) in "
        r"the network, 0\.bias .*, 1\.weight .*, \.\.\.\); use the file"
    )
    with pytest.raises(ValueError, match=expected):
        load_network(tiny(), tmp_path / "model.pt")


def test_a_mismatch_leaves_the_network_as_it_was(tmp_path, source):
    weights = dict(source.state_dict())
    weights["1.bias"] = torch.zeros(9)
    torch.save(weights, tmp_path / "model.pt")
    network = tiny()
    before = {key: weight.clone() for key, weight in network.state_dict().items()}
    with pytest.raises(ValueError, match="1 of other shape"):
        load_network(network, tmp_path / "model.pt")
    assert all(torch.equal(before[key], weight) for key, weight in network.state_dict().items())


def test_old_files_without_batch_counters_fit(tmp_path, source):
    weights = {key: weight for key, weight in source.state_dict().items() if "num_batches_tracked" not in key}
    torch.save(weights, tmp_path / "model.pt")
    assert same(load_network(tiny(), tmp_path / "model.pt"), source)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"Expected a file of weights, found nothing at .*model\.pt; check the path"
    ):
        load_network(tiny(), tmp_path / "model.pt")


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harmed",)


@pytest.mark.parametrize("content", [Harmful(), np.array([Harmful()], dtype=object), Namespace(a=Harmful())], ids=type)
def test_a_file_that_would_run_code_is_refused(tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": content}, tmp_path / "model.pt")
    with pytest.raises(
        ValueError, match=r"Expected only weights in .*, found what cannot be read without running code"
    ):
        load_network(tiny(), tmp_path / "model.pt")
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("name", ["model.pt", "model.safetensors"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"no weights at all"])
def test_a_damaged_file_is_refused(tmp_path, name, content):
    pytest.importorskip("safetensors")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"Expected (only )?weights in .*{name}, found .*; fetch it again"):
        load_network(tiny(), tmp_path / name)


def test_a_file_without_state_dict_is_refused(tmp_path):
    torch.save({"epoch": 3, "best": 0.9}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"to hold a state dict, .* found a dict with keys \['epoch', 'best'\]"):
        load_network(tiny(), tmp_path / "model.pt")


def test_weights_that_are_not_finite_are_refused_by_name(tmp_path):
    network = nn.Linear(2, 1)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    weights["bias"][0] = float("nan")
    torch.save(weights, tmp_path / "broken.pt")
    with pytest.raises(ValueError, match="nan or infinity in bias"):
        load_network(network, tmp_path / "broken.pt")
