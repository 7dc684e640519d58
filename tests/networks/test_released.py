"""Released checkpoints give the released logits, with disc and cup in this package's order."""

import runpy
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import torch

from monai_sfda.networks import DeepLabV3Plus, convert_released, load_network, read_weights
from monai_sfda.networks.norm import track_stats_without_dropout

torch.set_num_threads(1)
RELEASED = runpy.run_path(str(Path(__file__).with_name("released_layout.py")))
PIXELS = ((0, 0), (20, 50), (63, 95))

# Logits that the authors' own networks give at PIXELS of the last image, with weights and images made by formula:
# evaluation with one image, training without dropout with two.
EXPECTED = {
    "plain": {
        "eval": {"cup": (0.2946, -4.78467, 0.93205), "disc": (-2.89716, 0.66324, -0.74538)},
        "train": {"cup": (-0.70055, -0.42761, 0.44044), "disc": (0.32115, -0.2767, 0.9998)},
    },
    "boundary": {
        "eval": {"cup": (-2.45977, -3.72376, -2.78773), "disc": (-0.47555, -0.89183, -1.99837)},
        "train": {"cup": (1.30072, -1.94648, -2.56053), "disc": (-0.76063, 0.57705, 0.07777)},
    },
}


@pytest.fixture(params=["plain", "boundary"])
def decoder(request):
    return request.param


@pytest.mark.parametrize(("mode", "batch"), [("eval", 1), ("train", 2)])
def test_converted_weights_give_the_released_logits(decoder, mode, batch):
    weights, found = convert_released(RELEASED["weights"](decoder == "boundary"))
    network = DeepLabV3Plus(decoder=found).eval()
    network.load_state_dict(weights)
    if mode == "train":
        track_stats_without_dropout(network)
    with torch.no_grad():
        logits = network(RELEASED["wave"]((batch, 3, 64, 96)))[-1]
    expected = EXPECTED[decoder][mode]
    for channel, name in enumerate(("disc", "cup")):
        got = [logits[channel, row, column].item() for row, column in PIXELS]
        # Five decimals are written above; another processor may add up in another order.
        assert got == pytest.approx(expected[name], abs=1e-3)


def test_every_released_weight_is_used_once(decoder):
    weights = RELEASED["weights"](decoder == "boundary")
    own = {key: weight for key, weight in weights.items() if "level_features" not in key}
    converted, _ = convert_released(weights)
    assert len(converted) == len(own)
    # Sorted sums of squares do not care for names or channel order.
    sums = [sorted(w.double().square().sum().item() for w in group.values()) for group in (own, converted)]
    assert sums[0] == pytest.approx(sums[1])


def test_the_last_convolution_is_swapped(decoder):
    weights = RELEASED["weights"](decoder == "boundary")
    released = "decoder.last_conv.3" if decoder == "boundary" else "decoder.last_conv_2.1"
    ours = "decoder.head.3" if decoder == "boundary" else "decoder.head.1"
    converted, _ = convert_released(weights)
    for part in ("weight", "bias"):
        assert torch.equal(converted[f"{ours}.{part}"], weights[f"{released}.{part}"][[1, 0]])


@pytest.mark.parametrize(("layout", "decoder"), [("cbmt", "plain"), ("dpl", "boundary"), ("beal", "boundary")])
def test_a_named_layout_gives_what_the_keys_say(layout, decoder):
    assert convert_released(RELEASED["weights"](decoder == "boundary"), layout)[1] == decoder


def test_a_layout_that_the_keys_contradict_is_refused():
    with pytest.raises(ValueError, match=r"Expected layout to be one of \['cbmt'\] for the checkpoint, found 'beal'"):
        convert_released(RELEASED["weights"](False), "beal")


def test_other_networks_are_refused():
    with pytest.raises(
        ValueError, match=r"Expected the released network of CBMT, DPL or BEAL .* such as \['conv1.weight'\]"
    ):
        convert_released({"conv1.weight": torch.zeros(1)})


def test_another_number_of_channels_is_refused():
    weights = RELEASED["weights"](False)
    weights["decoder.last_conv_2.1.bias"] = torch.zeros(3)
    with pytest.raises(ValueError, match=r"decoder\.head\.1\.bias \(3,\) in the file, \(2,\) in the network"):
        convert_released(weights)


def test_numpy_scalars_beside_the_weights_are_read_and_code_is_not(tmp_path):
    best = {"best_mean_dice": np.float64(0.9), "epoch": np.int64(3), "learning_rate_gen": np.float32(1e-3)}
    torch.save(best | {"model_state_dict": {"a": torch.ones(1)}, "arch": "DeepLab"}, tmp_path / "checkpoint.pth.tar")
    assert list(read_weights(tmp_path / "checkpoint.pth.tar")) == ["a"]
    torch.save({"model_state_dict": {"a": torch.ones(1)}, "best": Decimal(1)}, tmp_path / "checkpoint.pth.tar")
    with pytest.raises(ValueError, match="without running code"):
        read_weights(tmp_path / "checkpoint.pth.tar")


def test_a_released_file_does_not_pass_for_a_converted_one(tmp_path):
    torch.save({"model_state_dict": RELEASED["weights"](False)}, tmp_path / "checkpoint.pth.tar")
    with pytest.raises(ValueError, match=r"missing \(encoder\.features\.0\.0\.weight.*unexpected \(backbone\.features"):
        load_network(DeepLabV3Plus(), tmp_path / "checkpoint.pth.tar")
