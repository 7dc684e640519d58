"""Find the root cause of an error. Imports nothing, because the console command needs it before PyTorch."""

from __future__ import annotations

__all__ = ["root_cause"]


def root_cause(error: BaseException) -> BaseException:
    """The error that MONAI's config parser and transforms wrapped, not what that one was raised from."""
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return error
