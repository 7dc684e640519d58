import logging
from copy import deepcopy

import pytest
import torch
from ignite.engine import Events
from torch.utils.data import DataLoader

from monai_sfda.data import EpochBatches
from monai_sfda.engines import AdaptTrainer
from monai_sfda.handlers import EpochSeed, Resume
from monai_sfda.losses import MaskedBCE
from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import (
    Cached,
    CachedEvidence,
    LabelStore,
    LowSpreadOnly,
    MonteCarlo,
    Observe,
    PrototypeAgreement,
    PseudoLabeller,
    Threshold,
)
from monai_sfda.transforms import Gamma, WeakStrongViews


class Counting:
    """A labeller that says how often it was asked."""

    def __init__(self, labeller):
        self.labeller, self._asked = labeller, []

    def __call__(self, image, case):
        self._asked.append(list(case))
        return self.labeller(image, case)


@pytest.fixture
def build(tmp_path, network, images):
    """A DPL run on random images; ``network`` is the source of every run."""

    def build(*, folder="labels", epochs=2, seed=0, refresh_every=None, student=None, checkpoint=None, ask=None):
        (tmp_path / "model.pt").write_bytes(b"weights")
        student = student or deepcopy(network)
        refiners = [Threshold(cutoff=0.5), LowSpreadOnly(), PrototypeAgreement()]
        asked = Counting(ask(student) if ask else PseudoLabeller(MonteCarlo(student, layer="2"), refiners=refiners))
        store = LabelStore(tmp_path / folder, weights=tmp_path / "model.pt", images=[], parameters=[asked])
        cached = Cached(asked, store, seed=seed, refresh_every=refresh_every)
        batches = EpochBatches(images, batch_size=2, shuffle=False)
        optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
        handlers = [EpochSeed(0), cached]
        if checkpoint:
            handlers.append(Resume(checkpoint, objects={"network": student, "optimizer": optimizer}, settings={}))
        trainer = AdaptTrainer(
            device="cpu",
            max_epochs=epochs,
            train_data_loader=DataLoader(images, batch_sampler=batches),
            network=student,
            optimizer=optimizer,
            criterion=MaskedBCE(),
            views=WeakStrongViews(strong=[Gamma(prob=1.0)]),
            labeller=cached,
            train_handlers=handlers,
        )
        return trainer, cached, asked

    return build


def answers(cached):
    case = [f"image {index}" for index in range(5)]
    return cached(torch.zeros(5), case)


def weights(network):
    return torch.cat([tensor.double().flatten() for tensor in network.state_dict().values()])


def stop(trainer, *, epoch):
    def interrupt(engine):
        if engine.state.epoch == epoch:
            raise KeyboardInterrupt

    trainer.add_event_handler(Events.ITERATION_COMPLETED, interrupt)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()


def eval_labels(student):
    return PseudoLabeller(Observe(student), refiners=[Threshold(cutoff=0.5)])


def test_every_image_is_asked_about_once_in_the_batches_of_training(build):
    trainer, _, asked = build(epochs=3)
    trained = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: trained.append(list(engine.state.output["case"]))
    )
    trainer.run()
    assert asked._asked == [["image 0", "image 1"], ["image 2", "image 3", "image 4"]]
    assert trained == 3 * asked._asked


def test_labels_are_those_of_the_source_and_stay_while_the_student_moves(build, network):
    trainer, cached, _ = build(ask=eval_labels)
    cached.fill(trainer)
    before = answers(cached)
    trainer.run()
    assert torch.equal(answers(cached).label, before.label)
    image = torch.stack([item["image"] for item in trainer.data_loader.dataset])
    expected = eval_labels(network.eval())(trainer.views(image)[0], None).label
    assert torch.equal(before.label, expected)
    assert not torch.equal(weights(trainer.network), weights(network))


def test_a_single_image_is_found_whatever_its_batch(build):
    trainer, cached, _ = build()
    cached.fill(trainer)
    pseudo = cached(torch.zeros(2), ["image 4", "image 0"])
    assert torch.equal(pseudo.label, answers(cached).label[[4, 0]])
    assert torch.equal(pseudo.weight, answers(cached).weight[[4, 0]])


def test_a_filled_store_is_not_filled_again(build):
    trainer, cached, _ = build()
    trainer.run()
    again, same, asked = build()
    again.run()
    assert asked._asked == []
    assert torch.equal(answers(same).weight, answers(cached).weight)
    assert torch.equal(weights(again.network), weights(trainer.network))


def test_a_filling_that_was_stopped_goes_on_and_gives_the_same(build):
    trainer, whole, _ = build(folder="whole")
    whole.fill(trainer)
    trainer, cached, asked = build()
    ask = asked.labeller

    def fail_on_the_second(image, case):
        if "image 2" in case:
            raise KeyboardInterrupt
        return ask(image, case)

    asked.labeller = fail_on_the_second
    with pytest.raises(KeyboardInterrupt):
        cached.fill(trainer)
    trainer, cached, asked = build()
    assert not cached.store.complete
    cached.fill(trainer)
    assert asked._asked == [["image 2", "image 3", "image 4"]]
    assert cached.store.complete
    assert torch.equal(answers(cached).weight, answers(whole).weight)


def test_the_seed_decides_the_random_passes(build):
    found = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        trainer, cached, _ = build(folder=folder, seed=seed)
        torch.manual_seed(len(found))
        cached.fill(trainer)
        found.append(answers(cached).weight)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_filling_leaves_the_random_numbers_of_training_alone(build):
    trainer, cached, _ = build()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    cached.fill(trainer)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("refresh_every", [None, 1, 2])
def test_a_stopped_and_continued_run_gives_the_same_bytes(build, tmp_path, refresh_every):
    settings = {"epochs": 4, "refresh_every": refresh_every, "ask": eval_labels}
    undisturbed, cached, _ = build(folder="whole", checkpoint=tmp_path / "whole.pt", **settings)
    undisturbed.run()
    stopped, *_ = build(checkpoint=tmp_path / "stopped.pt", **settings)
    stop(stopped, epoch=3)
    continued, same, _ = build(checkpoint=tmp_path / "stopped.pt", **settings)
    assert continued.state.epoch == 2
    continued.run()
    assert torch.equal(weights(continued.network), weights(undisturbed.network))
    assert torch.equal(answers(same).label, answers(cached).label)
    assert same.store.round == cached.store.round


def test_rounds_ask_again_every_few_epochs(build):
    trainer, cached, asked = build(epochs=5, refresh_every=2, ask=eval_labels)
    rounds = []
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: rounds.append(cached.store.round))
    trainer.run()
    assert rounds == [1, 1, 3, 3, 5]
    assert len(asked._asked) == 3 * 2


def test_rounds_are_answers_of_the_student_of_that_epoch(build):
    trainer, cached, _ = build(epochs=3, refresh_every=1, ask=lambda student: PseudoLabeller(Observe(student)))
    labels = []
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: labels.append(answers(cached).label))
    trainer.run()
    assert not torch.equal(labels[0], labels[1])


def test_labels_of_a_later_epoch_are_not_for_a_new_run(build):
    trainer, *_ = build(epochs=3, refresh_every=1, ask=eval_labels)
    trainer.run()
    trainer, cached, asked = build(epochs=3, refresh_every=1, ask=eval_labels)
    cached.fill(trainer)
    assert cached.store.round == 1
    assert len(asked._asked) == 2


def test_a_handler_may_refresh_by_a_rule_of_its_own(build):
    trainer, cached, asked = build(epochs=3, ask=eval_labels)
    trainer.add_event_handler(Events.EPOCH_STARTED(once=3), cached.refresh)
    trainer.run()
    assert cached.store.round == 3
    assert len(asked._asked) == 2 * 2


def test_labels_lost_in_the_middle_of_a_run_are_asked_anew_with_a_warning(build, caplog):
    trainer, cached, asked = build(refresh_every=5, ask=eval_labels)
    trainer.state.epoch = 1
    with caplog.at_level(logging.WARNING):
        cached.fill(trainer)
    assert "Expected the answers of an earlier epoch" in caplog.text
    assert len(asked._asked) == 2


def test_labels_to_be_asked_for_once_are_not_asked_of_a_network_that_has_learnt_since(build):
    trainer, cached, asked = build()
    trainer.state.epoch = 1
    with pytest.raises(ValueError, match="adapt anew, into another --output"):
        cached.fill(trainer)
    assert asked._asked == []


@pytest.mark.parametrize(
    ("label", "weight", "warning"),
    [
        (1.0, 0.0, "No pixel counts in channel 1: nothing will be learned about it."),
        (0.0, 1.0, "All pixels that count in channel 1 are background."),
        (1.0, 1.0, "All pixels that count in channel 1 are foreground."),
    ],
)
def test_useless_labels_are_warned_about_and_the_run_ends_with_a_finite_loss(build, caplog, label, weight, warning):
    def labeller(image, case):
        maps = torch.full((len(image), 2, *image.shape[2:]), label), torch.full((len(image), 2, 16, 16), weight)
        maps[0][:, 0, :8] = 1 - label
        return PseudoLabel(*maps)

    trainer, *_ = build(ask=lambda student: labeller)
    with caplog.at_level(logging.WARNING):
        trainer.run()
    assert warning in caplog.text
    assert trainer.state.output["loss"] == trainer.state.output["loss"]


def test_evidence_is_kept_in_eight_bits_without_features(build, network):
    trainer, cached, _ = build()
    seen = {}

    def observer(image, case):
        evidence = MonteCarlo(network, layer="2")(image, case)
        seen.update(dict.fromkeys(case, evidence))
        return evidence

    remembered = CachedEvidence(observer, cached.store)
    remembered.fill(trainer)
    found = remembered.recall(["image 1"], torch.device("cpu"))
    original = seen["image 1"]
    # Half a step of 255.
    torch.testing.assert_close(found.probs[0], original.probs[1], atol=0.5 / 255 + 1e-6, rtol=0)
    torch.testing.assert_close(found.spread[0], original.spread[1], atol=0.5 / 255 * 0.6, rtol=0)
    assert found.features is None
    assert isinstance(remembered(torch.zeros(1), ["image 1"]), Evidence)


def test_a_refresh_of_no_epochs_is_refused(build):
    with pytest.raises(ValueError, match="at least 1 epoch, found 0; None asks once"):
        build(refresh_every=0)
