"""HeapKeep: freed memory stays with the process, or nothing happens without glibc."""

import ctypes
from types import SimpleNamespace

from ignite.engine import Engine

from monai_sfda.handlers import HeapKeep
from monai_sfda.handlers.heap_keep import TRIM_THRESHOLD


def run():
    engine = Engine(lambda engine, batch: None)
    HeapKeep().attach(engine)
    engine.run(range(3), max_epochs=1)


def test_the_heap_is_told_once_before_the_first_step(monkeypatch):
    told = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=lambda *setting: told.append(setting)))
    run()
    assert dict(told)[TRIM_THRESHOLD] == 2**31 - 1  # the largest int: never
    assert len(told) == len(dict(told))  # each setting once


def test_without_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    run()
