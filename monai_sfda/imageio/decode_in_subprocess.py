"""Decode files of rarely tested formats in a separate process.

A decoder that crashes, hangs or eats memory then costs one file and not the run.
"""

from __future__ import annotations

import atexit
import json
import os
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

import monai_sfda
from monai_sfda.reading.stored import Facts, Shown

__all__ = ["decode_in_subprocess"]

SECONDS = 120.0  # for one file; then the decoder counts as hung
ROOT = str(Path(monai_sfda.__file__).parents[1])
PROGRAM = f"import sys; sys.path.insert(0, {ROOT!r}); from monai_sfda.reading.serve import serve; serve()"
_idle: deque[subprocess.Popen] = deque()


def decode_in_subprocess(path: str | Path, levels: Sequence[float] | None = None) -> Shown:
    """`monai_sfda.reading.read.read_image` in another process.

    As many processes are started as threads ask at once; they are used again, and end with this one. One that is found
    ended, by an earlier file or by the system, is replaced before a file is blamed.

    Raises:
        ValueError: if the file cannot be decoded, or its decoder crashed or took more than two minutes.
    """
    # It may have been started elsewhere.
    request = json.dumps({"path": os.path.abspath(path), "levels": levels and list(levels)}).encode()
    try:
        answer = _from_idle(request)
        if answer is None:
            answer = _ask(_start(), request)
    except (EOFError, OSError) as error:
        found = "content that ended its decoder"
        raise ValueError(f"Expected an image in {Path(path).name}, found {found}; export it again.") from error
    if answer[:1] == b"E":
        raise ValueError(json.loads(answer[1:]))
    size = 5 + int.from_bytes(answer[1:5], "little")
    facts = Facts(**json.loads(answer[5:size]))
    return Shown(np.frombuffer(answer, np.uint8, offset=size).reshape(facts.height, facts.width, 3), facts)


def _from_idle(request: bytes) -> bytes | None:
    """The answer of a process that was used before; None if there is none, or it has ended."""
    try:
        return _ask(_idle.pop(), request)
    except (IndexError, EOFError, BrokenPipeError):
        return None


def _ask(worker: subprocess.Popen, request: bytes) -> bytes:
    """An answer whole; a process that does not give it is ended, and never asked again.

    Raises:
        EOFError, BrokenPipeError: if the process ended.
        TimeoutError: if it took too long.
    """
    assert worker.stdin is not None
    assert worker.stdout is not None
    late = threading.Event()

    def end() -> None:
        late.set()
        worker.kill()

    watch = threading.Timer(SECONDS, end)
    watch.start()
    try:
        worker.stdin.write(struct.pack("<Q", len(request)) + request)
        worker.stdin.flush()
        answer = _exactly(worker.stdout, *struct.unpack("<Q", _exactly(worker.stdout, 8)))
    except BaseException as error:
        worker.kill()
        worker.communicate()
        if late.is_set():
            raise TimeoutError from error
        raise
    finally:
        watch.cancel()
    _idle.append(worker)
    return answer


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _start() -> subprocess.Popen:
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@atexit.register
def _stop() -> None:
    while _idle:
        worker = _idle.pop()
        worker.kill()
        worker.communicate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a forked process must not read its parent's answers
