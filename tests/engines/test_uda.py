import pytest
import torch
from conftest import tiny_images, tiny_network
from monai.engines.utils import IterationEvents
from torch import nn
from torch.utils.data import DataLoader

from monai_sfda.data import EpochBatches, TwoStreams
from monai_sfda.engines import Adversary, UdaTrainer
from monai_sfda.handlers import EpochSeed, Resume
from monai_sfda.losses import (
    Domains,
    EntropyLoss,
    Fool,
    MaskedBCE,
    On,
    PrototypeContrast,
    SelfInformation,
    SelfPacedContrast,
    WeightedSum,
)
from monai_sfda.networks import Head, freeze_norm_affine
from monai_sfda.pseudo import PrototypeBank
from monai_sfda.transforms import WeakStrongViews


def loader(images):
    return DataLoader(images, batch_sampler=EpochBatches(images, batch_size=2))


def labelled(count=6):
    """Disc and cup: nested squares, somewhere."""
    items = []
    for item in tiny_images(count):
        label = torch.zeros(2, 16, 16)
        label[0, 2:14, 2:14] = 1
        label[1, 5:9, 5:9] = 1
        items.append({**item, "label": label})
    return items


def small_discriminator(channels=4):
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(channels, 4, 4, stride=4), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 1))


def tiny_uda(network=None, *, source=None, target=None, epochs=2, weights=None, handlers=(), **kwargs):
    """AdvEnt on random images, with a supervised loss."""
    network = network or tiny_network()
    discriminator = small_discriminator()
    adversary = Adversary(
        discriminator, torch.optim.Adam(discriminator.parameters(), lr=1e-2), Domains(SelfInformation())
    )
    criteria = {"segmentation": On("source", MaskedBCE()), "fool": On("target", Fool(adversary))}
    streams = TwoStreams(
        loader(labelled() if source is None else source), loader(tiny_images(4) if target is None else target)
    )
    settings = {
        "device": "cpu",
        "max_epochs": epochs,
        "train_data_loader": streams,
        "network": network,
        "optimizer": torch.optim.Adam([p for p in network.parameters() if p.requires_grad], lr=1e-2),
        "criterion": WeightedSum(criteria, weights=weights or {"fool": 0.1}),
        "adversaries": [adversary],
        "views": WeakStrongViews(),
    }
    return UdaTrainer(**settings | kwargs, train_handlers=[EpochSeed(0), *handlers]), adversary


def parameters(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_run_moves_network_and_adversary_and_their_losses_are_numbers():
    network = tiny_network()
    trainer, adversary = tiny_uda(network)
    before = parameters(network).clone(), parameters(adversary.network).clone()
    trainer.run()
    assert (parameters(network) - before[0]).abs().max() > 1e-3
    assert (parameters(adversary.network) - before[1]).abs().max() > 1e-3
    assert trainer.state.iteration == 6  # the longer stream has three batches
    assert 0.3 < adversary.take_mean() < 1.2
    assert adversary.take_mean() != adversary.take_mean()  # asked once, a mean begins anew
    assert trainer.criterion.take_mean("segmentation") > 0


def test_the_order_of_a_step():
    events = []

    class Spy(Adversary):
        def loss(self, step):
            events.append("adversary")
            assert all(p.grad is None or not p.grad.any() for p in self.network.parameters())  # before its first step
            return super().loss(step)

    def criterion(**step):
        events.append("criterion")
        assert set(step) == {"source", "target"}
        assert "label" not in step["target"]
        assert not {"features"} - set(step["source"])
        return step["source"]["pred"].mean()

    discriminator = small_discriminator()
    spy = Spy(discriminator, torch.optim.SGD(discriminator.parameters(), lr=0.0), Domains(SelfInformation()))
    trainer, _ = tiny_uda(
        criterion=criterion,
        adversaries=[spy],
        remember=[lambda **step: events.append("remember")],
        layers={"features": "2"},
        epochs=1,
        source=labelled(2),
        target=tiny_images(2),
    )
    for event in (IterationEvents.FORWARD_COMPLETED, IterationEvents.LOSS_COMPLETED, IterationEvents.MODEL_COMPLETED):
        trainer.add_event_handler(event, lambda _, name: events.append(name.name), event)
    trainer.run()
    assert events == ["FORWARD_COMPLETED", "remember", "criterion", "LOSS_COMPLETED", "MODEL_COMPLETED", "adversary"]


def test_without_weight_the_target_changes_the_running_statistics_alone():
    results = []
    for shift in (0, 60):
        target = [item | {"image": item["image"] // 2 + shift} for item in tiny_images(4)]
        network = tiny_network()
        trainer, _ = tiny_uda(network, target=target, weights={"fool": 0.0}, epochs=1)
        trainer.run()
        results.append((parameters(network), network[1].running_mean.clone()))
    assert torch.equal(results[0][0], results[1][0])
    assert not torch.equal(results[0][1], results[1][1])


def test_frozen_scale_and_offset_stay_while_running_means_move():
    network = freeze_norm_affine(tiny_network())
    before = {name: value.clone() for name, value in network.state_dict().items()}
    tiny_uda(network, epochs=1)[0].run()
    after = network.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in ("1.weight", "1.bias"))
    assert all(not torch.equal(before[name], after[name]) for name in ("1.running_mean", "0.weight"))


def test_losses_that_exist_work_on_each_stream():
    criterion = WeightedSum({"labels": On("source", MaskedBCE()), "entropy": On("target", EntropyLoss())})
    trainer, _ = tiny_uda(criterion=criterion, adversaries=[], epochs=1)
    trainer.run()
    assert trainer.criterion.take_mean("entropy") > 0


def with_prototypes(**kwargs):
    network = tiny_network()
    bank = PrototypeBank(["disc", "cup"], nested=[(0, 1)])
    head = Head(network, "2", 2)
    criterion = WeightedSum(
        {
            "segmentation": On("source", MaskedBCE()),
            "auxiliary": On("source", MaskedBCE(), pred="auxiliary"),
            "source": On("source", PrototypeContrast(bank)),
            "target": On("target", SelfPacedContrast(bank, gap=0.0)),
        }
    )
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=1e-2)
    settings = {"layers": {"features": "2", "auxiliary": head}, "remember": [bank], "handlers": [bank]}
    settings |= {"criterion": criterion, "optimizer": optimizer, "adversaries": []}
    return tiny_uda(network, **settings | kwargs)[0], bank, head


def test_prototypes_see_the_source_first_and_move_with_every_step():
    seen = []
    trainer, bank, head = with_prototypes(epochs=1)
    before = parameters(head).clone()
    trainer.add_event_handler(IterationEvents.FORWARD_COMPLETED, lambda: seen.append(bank.prototypes.clone()))
    trainer.run()
    assert seen[0].shape == (3, 8)
    assert not torch.equal(seen[0], seen[1])
    assert not bank.prototypes.requires_grad
    assert not torch.equal(parameters(head), before)
    assert 0 < trainer.criterion.criteria["target"].criterion.take_mean("selected") <= 1


def test_a_run_that_was_stopped_ends_with_the_weights_of_an_undisturbed_one(tmp_path):
    def run(folder, *epochs):
        for last in epochs:
            network = tiny_network()
            discriminator, bank = small_discriminator(), PrototypeBank(["disc", "cup"], nested=[(0, 1)])
            adversary = Adversary(
                discriminator, torch.optim.Adam(discriminator.parameters()), Domains(SelfInformation())
            )
            optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
            objects = {"network": network, "optimizer": optimizer, "bank": bank, **adversary.parts("main")}
            criterion = WeightedSum(
                {
                    "segmentation": On("source", MaskedBCE()),
                    "fool": On("target", Fool(adversary)),
                    "target": On("target", SelfPacedContrast(bank, gap=0.0)),
                }
            )
            trainer, _ = tiny_uda(
                network, optimizer=optimizer, adversaries=[adversary], criterion=criterion, epochs=last,
                layers={"features": "2"}, remember=[bank],
                handlers=[bank, Resume(tmp_path / folder / "latest.pt", objects=objects, settings={})],
            )  # fmt: skip
            trainer.run()
        return parameters(network), parameters(discriminator), bank.prototypes

    for one, other in zip(run("whole", 4), run("parts", 1, 2, 4), strict=True):
        assert torch.equal(one, other)


def test_labels_of_the_target_are_refused():
    with pytest.raises(ValueError, match="target labels must not reach adaptation"):
        tiny_uda(target=labelled())[0].run()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda item: {k: v for k, v in item.items() if k != "label"}, "tensor 'label' in each batch of source images"),
        (lambda item: item | {"label": item["label"][:1]}, r"prediction, \(2, 2, 16, 16\), found \(2, 1, 16, 16\)"),
        (lambda item: item | {"label": item["label"][..., :8]}, r"size of the prediction, .* found \(2, 2, 16, 8\)"),
        (lambda item: item | {"label": 255 * item["label"]}, "labels of 0 and 1 in each channel, found 255; give the"),
        (lambda item: item | {"image": item["image"][:1]}, r"one shape \(C, \*S\), found \(1, 16, 16\) and \(3, 16"),
        (lambda item: item | {"image": item["image"][..., :8]}, "resize them to the same size"),
    ],
    ids=["none", "classes", "size", "values", "channels", "images of another size"],
)
def test_a_source_that_does_not_fit_is_told_why(change, sentence):
    network = tiny_network()
    trainer, _ = tiny_uda(network, source=[change(item) for item in labelled()])
    before = parameters(network).clone()
    with pytest.raises(ValueError, match=sentence):
        trainer.run()
    assert torch.equal(parameters(network), before)


def test_a_class_that_the_source_never_shows_is_named_before_the_first_step():
    source = [item | {"label": item["label"] * torch.tensor([1.0, 0.0])[:, None, None]} for item in labelled()]
    trainer, *_ = with_prototypes(source=source)
    with pytest.raises(ValueError, match="Expected every class in the labelled source images, found none of cup"):
        trainer.run()
    assert trainer.state.iteration == 0


def test_parts_that_do_not_fit_are_refused_before_the_run():
    network, discriminator = tiny_network(), small_discriminator()
    fits = Adversary(discriminator, torch.optim.SGD(discriminator.parameters(), lr=0.1), Domains(SelfInformation()))
    with pytest.raises(ValueError, match="Expected the adversary that the criterion fools among adversaries"):
        tiny_uda(adversaries=[])
    with pytest.raises(ValueError, match="Expected adversaries of the class Adversary, found a Conv2d"):
        tiny_uda(adversaries=[nn.Conv2d(1, 1, 1)], criterion=On("source", MaskedBCE()))
    other = Adversary(discriminator, torch.optim.SGD(network.parameters(), lr=0.1), fits.criterion)
    with pytest.raises(ValueError, match="an optimizer over the parameters of the discriminator, all of them"):
        tiny_uda(network, adversaries=[other], criterion=On("source", MaskedBCE()))
    part = Adversary(discriminator, torch.optim.SGD([discriminator[2].bias], lr=0.1), fits.criterion)
    with pytest.raises(ValueError, match="all of them and no others, found one of another network or of a part"):
        tiny_uda(adversaries=[part], criterion=On("source", MaskedBCE()))
    with pytest.raises(ValueError, match="Expected the parameters of the head 'auxiliary' in the optimizer"):
        tiny_uda(network, layers={"auxiliary": Head(network, "2", 2)})
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    saver = Resume("nowhere.pt", objects={"network": network, "optimizer": optimizer}, settings={})
    with pytest.raises(ValueError, match="Expected Resume to keep a discriminator, found it left out"):
        tiny_uda(network, optimizer=optimizer, handlers=[saver])
    with pytest.raises(ValueError, match=r"PrototypeBank.* among train_handlers, found it attached to nothing"):
        with_prototypes(handlers=[])
    with pytest.raises(ValueError, match="Expected a criterion that takes what it needs of source, target by keyword"):
        tiny_uda(criterion=lambda pred: pred.mean(), adversaries=[])


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr("ignite.distributed.get_world_size", lambda: 2)
    with pytest.raises(ValueError, match="Expected one process for a method that uses source images, found 2"):
        tiny_uda()


@pytest.mark.parametrize("wrong", range(6))
def test_a_source_image_that_is_not_finite_is_named_before_it_is_in_a_prototype(wrong):
    source = [item | {"image": item["image"].float()} for item in labelled()]
    source[wrong]["image"][0, 0, 0] = float("nan")
    trainer, *_ = with_prototypes(source=source, views=lambda image: (image.float(), image.float()))
    with pytest.raises(FloatingPointError, match=rf"found others in source images of image {wrong}; leave them out"):
        trainer.run()


def test_an_image_that_is_not_finite_is_named_with_its_stream():
    target = [item | {"image": item["image"].float()} for item in tiny_images(4)]
    target[1]["image"][0, 0, 0] = float("nan")
    source = [item | {"image": item["image"].float()} for item in labelled()]
    trainer, _ = tiny_uda(source=source, target=target, views=lambda image: (image, image))
    with pytest.raises(FloatingPointError, match="found nan first in the target image of image 1"):
        trainer.run()
