"""The decoder as a program, for `monai_sfda.imageio.decode_in_subprocess`.

Every message is its length (8 bytes) and its content, so that neither side can lose count of the other. A request is
JSON: ``path`` and ``levels``. An answer begins with ``A`` and the length (4 bytes) of the facts, in JSON, that come
before the pixels; or with ``E`` and a sentence, in JSON.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import struct
import sys
import warnings
from pathlib import Path

from monai_sfda.reading.read import read_image

__all__ = ["serve"]

MEMORY = 6 << 30  # bytes for the program; the largest picture that Pillow opens takes about 4 GB as 16-bit grey


def serve() -> None:
    """Answer requests from the standard input until it is closed."""
    answers, requests = os.fdopen(os.dup(1), "wb"), sys.stdin.buffer
    os.dup2(2, 1)  # what a decoder prints is no answer
    warnings.simplefilter("ignore")
    logging.disable()
    _limit_memory()
    while length := requests.read(8):
        for part in _answer(**json.loads(requests.read(*struct.unpack("<Q", length)))):
            answers.write(part)
        answers.flush()


def _answer(path: str, levels: list[float] | None) -> list[bytes]:
    try:
        image = read_image(Path(path), levels)
        facts = json.dumps(dataclasses.asdict(image.facts)).encode()
        parts = [b"A", struct.pack("<I", len(facts)), facts, image.pixels.tobytes()]
    except Exception as error:  # decoders of damaged files raise nearly everything
        text = str((isinstance(error, OSError) and error.strerror) or error or type(error).__name__)
        parts = [b"E", json.dumps(text).encode()]
    return [struct.pack("<Q", sum(map(len, parts))), *parts]


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):
        return  # not on every system
