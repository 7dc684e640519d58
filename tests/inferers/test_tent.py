"""What TENT promises of one batch, and of one after the other."""

import logging
from copy import deepcopy
from functools import partial

import pytest
import torch
from bundle_support import BUNDLES, random_weights, run, write_images
from monai.engines import SupervisedEvaluator
from torch import nn

from monai_sfda.inferers import TentInferer
from monai_sfda.networks import eval_mode, track_stats_without_dropout


def entropy(*, pred, **_):
    return nn.functional.softplus(pred).sub(pred * pred.sigmoid()).mean()


def tent(**kwargs):
    adam = partial(torch.optim.Adam, lr=kwargs.pop("lr", 0.05))
    return TentInferer(entropy, optimizer=adam, precision="float32", **kwargs)


@pytest.fixture
def image():
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def forward(network, image):
    """Logits under batch statistics, without touching the network."""
    network = deepcopy(network)
    track_stats_without_dropout(network)
    with torch.no_grad():
        return network(image.contiguous(memory_format=torch.channels_last))


def test_returned_logits_are_those_before_the_step(network, image):
    before = forward(network, image)
    logits = tent()(image, network)
    assert torch.equal(logits, before)
    assert not torch.equal(forward(network, image), before)
    assert not logits.requires_grad


def test_with_two_steps_they_are_those_before_the_second(network, image):
    other = deepcopy(network)
    once = tent()
    once(image, network)
    assert torch.equal(tent(steps=2)(image, other), forward(network, image))


def test_only_scale_and_offset_change(network, image):
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    tent()(image, network)
    changed = {name for name, p in network.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"1.weight", "1.bias"}


def test_running_statistics_play_no_part_in_the_prediction(network, image):
    other = deepcopy(network)
    other[1].running_mean.normal_()
    other[1].running_var.uniform_(1, 9)
    first, second = tent(), tent()
    for _ in range(3):
        assert torch.equal(first(image, network), second(image, other))


def test_a_rate_of_zero_is_the_baseline_with_batch_statistics(network, image):
    before, inferer = forward(network, image), tent(lr=0.0)
    assert all(torch.equal(inferer(image, network), before) for _ in range(2))


def test_episodic_forgets_the_batch_before_and_continual_does_not(network, image):
    for episodic in (True, False):
        inferer, copy = tent(episodic=episodic), deepcopy(network)
        first, second = inferer(image, copy), inferer(image, copy)
        assert torch.equal(first, second) == episodic


def test_episodic_forgets_the_memory_of_the_optimiser_too(network, image):
    inferer, other = tent(episodic=True, steps=2), deepcopy(network)
    inferer(image + 5, network)
    assert torch.equal(inferer(image, network), tent(steps=2)(image, other))


def test_reset_gives_back_the_source(network, image):
    before, inferer = deepcopy(network.state_dict()), tent()
    inferer(image, network)
    inferer.reset()
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_steps_make_predictions_more_certain(network, image):
    inferer = tent()
    values = [entropy(pred=inferer(image, network)).item() for _ in range(10)]
    assert values[-1] < values[0]


def test_certain_predictions_teach_almost_nothing(network, image):
    with torch.no_grad():
        network[4].weight.zero_()
        network[4].bias.fill_(40.0)
    tent()(image, network)
    assert network[1].weight.grad.abs().max() < 1e-12  # z s(z) (1 - s(z)) = 40 exp(-40) = 2e-16


def test_modes_are_given_back_and_evaluation_mode_works_on_target_statistics(network, image):
    eval_mode(network)
    inferer, source = tent(lr=0.0), network(image)
    for _ in range(100):  # 0.9^100 = 3e-5 of the source's statistics is left
        inferer(image, network)
    assert not any(module.training for module in network.modules())
    # Running variances have n - 1 = 255 in the denominator, batch variances n.
    torch.testing.assert_close(network(image), forward(network, image), atol=0.01, rtol=0.01)
    assert not torch.allclose(network(image), source, atol=0.01)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_learns_where_gradients_are_off(network, image, context):
    before = network[1].weight.detach().clone()
    with context():
        tent()(image + 0, network)
    assert not torch.equal(network[1].weight, before)


def test_another_network_starts_anew(network, image):
    inferer, other = tent(), deepcopy(network)
    first = inferer(image, network)
    assert torch.equal(inferer(image, other), first)


def test_a_batch_that_is_not_finite_teaches_nothing(network, image, caplog):
    before = deepcopy(network.state_dict())
    with caplog.at_level(logging.WARNING):
        tent()(image * float("nan"), network)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert "nothing is learned from this batch" in caplog.text


def test_what_it_cannot_adapt_is_refused(image):
    with pytest.raises(ValueError, match="found none"):
        tent()(image, nn.Sequential(nn.Conv2d(3, 2, 1), nn.InstanceNorm2d(2)))
    with pytest.raises(ValueError, match="which would be missed"):
        tent()(image, nn.Sequential(nn.BatchNorm2d(3), nn.GroupNorm(1, 3)))
    with pytest.raises(ValueError, match=r"Expected a torch\.nn\.Module"):
        tent()(image, lambda x: x)
    with pytest.raises(ValueError, match="at least 1 step"):
        tent(steps=0)


def test_a_monai_evaluator_runs_it(network, image):
    loader = [{"image": image}, {"image": image}]
    seen = []
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"), val_data_loader=loader, network=network, inferer=tent(), decollate=False
    )
    evaluator.add_event_handler("ITERATION_COMPLETED", lambda engine: seen.append(engine.state.output["pred"]))
    evaluator.run()
    assert not torch.equal(seen[0], seen[1])


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_a_bundle_predicts_with_it_and_writes_masks(bundle, tmp_path):
    images, weights = write_images(tmp_path / "images", 3), random_weights(bundle, tmp_path / "model.pt")
    places = {"dataset_dir": str(images), "output_dir": str(tmp_path / "masks"), "checkpoint": str(weights)}
    done = run(bundle, "inference.json", "inference_tent.json", batch_size=2, **places)  # 3 = 2 + 1, a batch of one
    assert len(list((tmp_path / "masks").glob("*.png"))) == 3
    adapted, source = done.parser.get_parsed_content("network").state_dict(), torch.load(weights, weights_only=True)
    learnt = {name.split(".")[-1] for name in source if not torch.equal(adapted[name], source[name])}
    assert {"weight", "bias", "running_mean"} <= learnt
