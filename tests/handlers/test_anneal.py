from itertools import pairwise

import pytest
from ignite.engine import Engine

from monai_sfda.handlers import ExponentialAnneal, LinearAnneal


def run(handler, *, epochs, steps):
    engine = Engine(lambda engine, batch: None)
    handler.attach(engine)
    engine.run(range(steps), max_epochs=epochs)


def test_exponential_anneal_by_epochs():
    shares = []
    run(ExponentialAnneal(shares.append, start=0.9), epochs=4, steps=2)
    assert shares[::2] == shares[1::2]
    assert shares[::2] == pytest.approx([0.9, 0.3311, 0.1218, 0.0448], abs=5e-5)


def test_exponential_anneal_by_steps_is_gone_within_an_epoch():
    shares = []
    run(ExponentialAnneal(shares.append, start=0.9, unit="step"), epochs=2, steps=8)
    assert shares[:4] == pytest.approx([0.9, 0.3311, 0.1218, 0.0448], abs=5e-5)
    assert all(later < earlier for earlier, later in pairwise(shares))
    assert shares[-1] < 1e-6


def test_linear_anneal_from_ten_to_zero():
    weights = []
    run(LinearAnneal(weights.append, start=10.0), epochs=3, steps=3)
    assert weights[0] == 10
    assert weights[4] == 5
    assert weights[-1] == 0
    assert len(weights) == 9


def test_a_run_of_one_step_starts_and_does_not_divide_by_zero():
    weights = []
    run(LinearAnneal(weights.append, start=10.0), epochs=1, steps=1)
    assert weights == [10.0]


def test_values_depend_on_the_state_of_the_engine_alone_so_that_a_continued_run_repeats_them():
    handlers = [[], []]
    for values in handlers:
        anneal = LinearAnneal(values.append, start=1.0, stop=3.0)
        engine = Engine(lambda engine, batch: None)
        anneal.attach(engine)
        if values is handlers[1]:
            engine.state.epoch, engine.state.iteration = 1, 2
            engine.state.max_epochs, engine.state.epoch_length = 2, 2
        engine.run(range(2), max_epochs=2)
    assert handlers[0][-2:] == handlers[1]


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="Expected unit 'epoch' or 'step', found 'batch'"):
        ExponentialAnneal(print, start=1.0, unit="batch")
