"""Control what appears on the screen: progress, results, and one-sentence errors."""

from __future__ import annotations

import logging
import re
import shutil
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from monai_sfda.root_cause import root_cause

__all__ = ["one_sentence", "quiet", "say_why"]

EXPECTED = (ValueError, OSError, FloatingPointError, ImportError)
LIBRARIES = ("monai", "ignite")
COMPONENT = re.compile(r"Failed to instantiate component '([\w.]+)'")  # what MONAI says when a config builds a part


@contextmanager
def quiet() -> Iterator[None]:
    """Keep warnings that a user can do nothing about off the screen; warnings of this package still show."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        known = {name for name in logging.root.manager.loggerDict if name.split(".")[0] in LIBRARIES}
        # Loggers that are made within follow those of the libraries.
        loggers = {logger: logger.level for logger in map(logging.getLogger, sorted(known | {*LIBRARIES}))}
        for logger in loggers:
            # What an engine logs when it ends with an error is that error, which is shown anyway.
            logger.setLevel(logging.CRITICAL if logger.name.startswith("ignite.engine") else logging.ERROR)
        try:
            yield
        finally:
            for logger, level in loggers.items():
                logger.setLevel(level)


@contextmanager
def one_sentence() -> Iterator[None]:
    """End the program with one sentence instead of a traceback, for errors that a user can correct."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("\nStopped. What is finished is kept: repeat the command to go on.")
    except Exception as error:
        sys.exit(f"monai-sfda: {say_why(error)}")


def say_why(error: Exception) -> str:
    """An error in one sentence; the traceback is printed too, unless it is one that a user can correct."""
    cause = root_cause(error)
    if isinstance(cause, TypeError) and (component := COMPONENT.search(str(error))):
        return f"Expected options that {component[1]} takes, found: {cause}; correct the option or the config."
    if not isinstance(cause, EXPECTED):
        traceback.print_exception(error)
        return f"unexpected {type(cause).__name__}: {cause}"
    return _sentence(cause)


def _sentence(error: BaseException) -> str:
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):
        failed = error.args[0]
        _, target, why = failed[0]
        return (
            f"Expected to copy files, found: {why} ({len(failed)} files, first {target}); correct this and repeat the "
            "command."
        )
    if isinstance(error, OSError) and error.strerror:
        place = f" at {error.filename2 or error.filename}" if error.filename else ""
        return f"Expected to read and write files, found: {error.strerror}{place}; correct this and repeat the command."
    return str(error)
