"""Whether an error is one of the disk, or of a decoder that met a damaged file."""

from __future__ import annotations

import errno

__all__ = ["is_of_the_disk"]


def is_of_the_disk(error: BaseException) -> bool:
    """Whether the disk failed; EINVAL is of a decoder that was sent to a place no file reaches."""
    return isinstance(error, OSError) and error.errno not in (None, errno.EINVAL)
