from copy import deepcopy

import pytest
import torch
from conftest import tiny_network
from ignite.engine import Events

from monai_sfda.handlers import Resume


def state_of(*networks):
    return torch.cat([tensor.double().flatten() for network in networks for tensor in network.state_dict().values()])


def build(cbmt, network, path, *, epochs, settings=None):
    trainer, teacher, balance = cbmt(network, epochs=epochs)
    objects = {"network": network, "teacher": teacher.network, "optimizer": trainer.optimizer, "balance": balance}
    Resume(path, objects=objects, settings=settings or {"lr": 0.01}).attach(trainer)
    return trainer, teacher


def stop_in_epoch(trainer, epoch):
    def stop(engine):
        if engine.state.epoch == epoch:
            raise KeyboardInterrupt

    trainer.add_event_handler(Events.ITERATION_COMPLETED, stop)


def test_a_stopped_and_continued_run_gives_the_same_bytes(cbmt, network, tmp_path):
    undisturbed = deepcopy(network)
    trainer, teacher = build(cbmt, undisturbed, tmp_path / "a.pt", epochs=3)
    trainer.run()
    expected = state_of(undisturbed, teacher.network)

    interrupted = deepcopy(network)
    trainer, _ = build(cbmt, interrupted, tmp_path / "b.pt", epochs=3)
    stop_in_epoch(trainer, 2)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()

    continued = deepcopy(network)
    trainer, teacher = build(cbmt, continued, tmp_path / "b.pt", epochs=3)
    assert trainer.state.epoch == 1
    trainer.run()
    assert torch.equal(state_of(continued, teacher.network), expected)


def test_a_complete_run_is_not_run_again(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    before = state_of(network)
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    assert torch.equal(state_of(network), before)
    assert trainer.state.iteration == 2


def test_other_settings_are_refused_by_name(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    with pytest.raises(ValueError, match=r"lr=0\.01 \(now 0\.5\)"):
        build(cbmt, network, tmp_path / "run.pt", epochs=1, settings={"lr": 0.5})


def test_of_nested_settings_the_value_that_changed_is_named(cbmt, network, tmp_path):
    def parts(decay):
        return {"parts": {"handlers": [{"MeanTeacher": {"decay": decay, "mode": "train"}}], "optimizer": {"lr": 0.01}}}

    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1, settings=parts(0.98))
    trainer.run()
    build(cbmt, network, tmp_path / "run.pt", epochs=1, settings=parts(0.98))
    with pytest.raises(ValueError, match=r": parts\.handlers\.0\.MeanTeacher\.decay=0\.98 \(now 0\.9\); repeat"):
        build(cbmt, network, tmp_path / "run.pt", epochs=1, settings=parts(0.9))


def test_weights_that_are_not_finite_do_not_replace_good_ones(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=2)

    def spoil(engine):
        if engine.state.epoch == 2:
            with torch.no_grad():
                network[0].weight[0] = float("inf")

    trainer.add_event_handler(Events.ITERATION_COMPLETED(every=2), spoil)  # after the last step of an epoch
    with pytest.raises(
        FloatingPointError, match=r"in .* after epoch 2; those of epoch 1 are in the checkpoint; try a smaller"
    ):
        trainer.run()
    saved = torch.load(tmp_path / "run.pt", weights_only=True)
    assert saved["progress"]["epoch"] == 1
    assert all(tensor.isfinite().all() for tensor in saved["network"].values())


def test_a_checkpoint_that_lacks_something_is_one_sentence(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    state = torch.load(tmp_path / "run.pt", weights_only=True)
    del state["balance"]
    torch.save(state, tmp_path / "run.pt")
    with pytest.raises(ValueError, match="found one without balance; delete it to start anew"):
        build(cbmt, network, tmp_path / "run.pt", epochs=2)


def test_running_statistics_are_no_matter_of_the_learning_rate(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    network[1].running_var[0] = float("inf")
    with pytest.raises(FloatingPointError, match=r"others in 1\.running_var after epoch 1; none were saved; look for"):
        trainer.run()


def test_a_file_of_another_kind_is_not_to_be_deleted(cbmt, network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "model.pt")
    with pytest.raises(ValueError, match=r"model\.pt, found a file of another kind; move it away or delete it"):
        build(cbmt, network, tmp_path / "model.pt", epochs=1)


def test_a_network_of_another_layout_does_not_continue_the_run(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    with pytest.raises(ValueError, match=r"state of 'network' in .*, found one that does not fit \(.*; continue with"):
        build(cbmt, tiny_network(channels=3), tmp_path / "run.pt", epochs=1)


def test_no_draft_is_left(cbmt, network, tmp_path):
    trainer, _ = build(cbmt, network, tmp_path / "run.pt", epochs=1)
    trainer.run()
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]
