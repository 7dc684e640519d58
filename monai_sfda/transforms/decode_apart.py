"""Decode files of formats that are rarely well tested in a process of their own.

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
from pathlib import Path
from typing import IO

import numpy as np

from monai_sfda.transforms import decode

__all__ = ["decode_apart"]

SECONDS = 120.0  # for one file; then the decoder counts as hung
_idle: deque[subprocess.Popen] = deque()


def decode_apart(path: str | Path) -> np.ndarray:
    """`monai_sfda.transforms.decode.read_rgb` in another process: 8-bit RGB (H, W, 3).

    As many processes are started as threads ask at once; they are used again, and end with this one.

    Raises:
        ValueError: if the file cannot be decoded, or its decoder crashed or took more than two minutes.
    """
    try:
        worker = _idle.pop()
    except IndexError:
        worker = _start()
    watch = threading.Timer(SECONDS, worker.kill)
    watch.start()
    try:
        pixels = _ask(worker, os.fsencode(os.path.abspath(path)))  # it may have been started elsewhere
    except (OSError, EOFError) as error:
        worker.kill()
        worker.communicate()
        raise ValueError(
            f"Expected an image in {Path(path).name}, found content that ended its decoder; export it again."
        ) from error
    finally:
        watch.cancel()
    _idle.append(worker)
    if isinstance(pixels, str):
        raise ValueError(pixels)
    return pixels


def _ask(worker: subprocess.Popen, path: bytes) -> np.ndarray | str:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(struct.pack("<I", len(path)) + path)
    worker.stdin.flush()
    if _exactly(worker.stdout, 1) == b"A":
        height, width = struct.unpack("<2I", _exactly(worker.stdout, 8))
        pixels = np.frombuffer(_exactly(worker.stdout, 3 * height * width), np.uint8)
        return pixels.reshape(height, width, 3)
    return json.loads(_exactly(worker.stdout, *struct.unpack("<I", _exactly(worker.stdout, 4))))


def _exactly(stream: IO[bytes], count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _start() -> subprocess.Popen:
    command = [sys.executable, "-W", "ignore", decode.__file__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@atexit.register
def _stop() -> None:
    while _idle:
        worker = _idle.pop()
        worker.kill()
        worker.communicate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_idle.clear)  # a forked process must not read its parent's answers
