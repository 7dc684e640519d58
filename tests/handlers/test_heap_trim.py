"""HeapTrim: memory goes back every few steps and at the end, or never without glibc."""

import ctypes

import pytest
from ignite.engine import Engine

from monai_sfda.handlers import HeapTrim


def run(handler, steps):
    engine = Engine(lambda engine, batch: None)
    handler.attach(engine)
    engine.run(range(steps), max_epochs=1)


def test_memory_is_returned_every_few_steps_and_at_the_end():
    handler, calls = HeapTrim(every=4), []
    handler._trim = calls.append
    run(handler, 10)
    assert calls == [0, 0, 0]


def test_batches_that_are_looked_at_before_the_first_step_count_too(cbmt):
    handler, calls = HeapTrim(every=2), []
    handler._trim = calls.append
    trainer, *_ = cbmt(handlers=[handler])
    list(trainer.observe_all(lambda image, case: None))  # 5 images in batches of 2
    assert len(calls) == len(trainer.data_loader) // 2 == 1


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    run(HeapTrim(every=1), 2)


def test_no_steps_between_returns_is_refused():
    with pytest.raises(ValueError, match="every >= 1, found 0"):
        HeapTrim(every=0)
