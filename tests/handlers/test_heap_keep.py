"""HeapKeep: freed memory stays with the process, or nothing happens without glibc."""

import ctypes
import subprocess
import sys
from types import SimpleNamespace

import pytest
from ignite.engine import Engine

from monai_sfda.handlers import HeapKeep
from monai_sfda.handlers.glibc import from_glibc
from monai_sfda.handlers.heap_keep import TRIM_THRESHOLD

FAULTS = """
from resource import RUSAGE_SELF, getrusage
import torch
from monai_sfda.handlers import HeapKeep
HeapKeep()()
torch.ones(64 << 20, dtype=torch.uint8)
before = getrusage(RUSAGE_SELF).ru_minflt
torch.ones(60 << 20, dtype=torch.uint8)  # less: an aligned block needs a larger hole than its own size
print(getrusage(RUSAGE_SELF).ru_minflt - before)
"""


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


@pytest.mark.skipif(from_glibc("mallopt") is None, reason="the C library is not glibc")
def test_a_block_larger_than_any_threshold_of_glibc_is_taken_from_memory_that_was_kept():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1000  # taken from the system, 60 MB are 15360 pages
