from copy import deepcopy

import torch
from ignite.engine import Engine, Events

from monai_sfda.handlers import FollowStudent


def moving(network, handler, epochs):
    """Run an engine whose step adds 1 to every parameter; the copy's first parameter at the start of each epoch."""
    seen = []

    def step(engine, batch):
        with torch.no_grad():
            for parameter in network.parameters():
                parameter += 1

    engine = Engine(step)
    handler.attach(engine)
    engine.add_event_handler(Events.EPOCH_STARTED, lambda: seen.append(next(handler.copies[0].parameters()).clone()))
    engine.run([0, 0], max_epochs=epochs)
    return seen


def test_copies_are_the_student_at_the_start_of_each_epoch(network):
    start = next(network.parameters()).detach().clone()
    handler = FollowStudent(network, copies=[deepcopy(network)])
    for epoch, found in enumerate(moving(network, handler, 3)):
        # Two steps of 1 in each epoch; rounding of float32.
        torch.testing.assert_close(found, start + 2 * epoch)


def test_statistics_are_copied_too_and_nothing_is_shared(network):
    copy = deepcopy(network)
    network(torch.rand(2, 3, 8, 8))
    FollowStudent(network, copies=[copy]).update()
    assert torch.equal(copy[1].running_mean, network[1].running_mean)
    network(torch.rand(2, 3, 8, 8))
    assert not torch.equal(copy[1].running_mean, network[1].running_mean)


def test_a_resumed_run_starts_with_copies_of_the_resumed_student(network):
    copy = deepcopy(network)
    handler = FollowStudent(network, copies=[copy])
    engine = Engine(lambda engine, batch: None)
    handler.attach(engine)
    torch.nn.init.zeros_(network[0].weight)  # what a checkpoint does after the copies were made
    found = []
    engine.add_event_handler(Events.STARTED, lambda: found.append(copy[0].weight.abs().max()))
    engine.run([0])
    assert found == [0]
