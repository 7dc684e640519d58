from types import SimpleNamespace

import pytest
import torch
from bundle_support import BUNDLES, random_weights, recipe_id, workflow, write_images
from ignite.engine import Engine, Events

from monai_sfda.handlers import ShrinkageStop


def run(shares, *, floor=0.8, stop=None, network=None):
    """An engine whose network's weight is the epoch's number, and whose history says ``shares`` of disc and cup."""
    network = network or torch.nn.Linear(1, 1)
    history = SimpleNamespace(rows=[])

    def learn(engine):
        history.rows.append({"epoch": engine.state.epoch, **shares[engine.state.epoch - 1]})
        torch.nn.init.constant_(network.weight, engine.state.epoch)

    engine = Engine(lambda engine, batch: None)
    engine.add_event_handler(Events.EPOCH_COMPLETED, learn)
    stop = stop or ShrinkageStop(network, history=history, floor=floor)
    stop.attach(engine)
    engine.run([0], max_epochs=len(shares))
    return engine.state.epoch, network.weight.item(), stop


def shares(*pairs):
    return [{"loss": 0.0, "foreground_disc": disc, "foreground_cup": cup} for disc, cup in pairs]


def test_one_structure_below_the_floor_ends_the_run_with_the_weights_of_the_epoch_before():
    epoch, weight, stop = run(shares((0.4, 0.10), (0.4, 0.09), (0.4, 0.079), (0.4, 0.10)))
    assert (epoch, weight, stop.stopped) == (3, 2.0, True)


def test_a_share_just_below_the_floor_is_not_rounded_to_it(caplog):
    run(shares((0.4, 0.10), (0.4, 0.07996)))
    assert "cup covers 0.7996 of the pixels that it covered in the first (floor 0.8)" in caplog.text


def test_at_the_floor_and_above_the_run_goes_on():
    epoch, weight, stop = run(shares((0.4, 0.10), (0.32, 0.08), (0.5, 0.30)), floor=0.799)
    assert (epoch, weight, stop.stopped) == (3, 3.0, False)


def test_a_structure_that_was_never_there_is_not_waited_for():
    epoch, weight, stop = run(shares((0.4, 0.0), (0.4, 0.0)))
    assert (epoch, weight, stop.stopped) == (2, 2.0, False)


def test_a_run_that_stopped_and_was_interrupted_does_not_go_on():
    _, _, stop = run(shares((0.4, 0.1), (0.1, 0.1)))
    network = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(network.weight, 7.0)
    again = ShrinkageStop(network, history=SimpleNamespace(rows=[]))
    again.load_state_dict(stop.state_dict())
    _, weight, again = run(shares((0.4, 0.1)), stop=again, network=network)
    assert again.stopped
    assert weight == 7.0


@pytest.mark.parametrize("floor", [0, 1, 1.25])
def test_a_floor_that_is_no_share_is_refused(floor):
    with pytest.raises(ValueError, match="Expected a floor between 0 and 1"):
        ShrinkageStop(torch.nn.Linear(1, 1), history=SimpleNamespace(rows=[]), floor=floor)


@pytest.mark.parametrize("bundle", BUNDLES, ids=recipe_id)
@pytest.mark.parametrize("method", ["pseudo_label", "cbmt"])
def test_the_control_watches_what_the_run_delivers_and_is_saved_with_it(bundle, method, tmp_path):
    item = workflow(
        bundle,
        "adapt.json",
        f"methods/{method}.json",
        "methods/controls/shrinkage_stop.json",
        dataset_dir=str(write_images(tmp_path / "images")),
        output_dir=str(tmp_path / "run"),
        checkpoint=str(random_weights(bundle, tmp_path / "model.pt")),
        epochs=1,
    )
    item.initialize()
    stop = item.parser.get_parsed_content("stop")
    item.parser.get_parsed_content("train::trainer").run()
    assert stop.network is item.parser.get_parsed_content("method::adapted")
    state = torch.load(tmp_path / "run" / "checkpoints" / "latest.pt", weights_only=True)
    assert state["stop"]["good"].keys() == stop.network.state_dict().keys()
    assert ("teacher" in state) == (method == "cbmt")
