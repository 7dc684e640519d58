"""Keep the memory of one batch for the next."""

from __future__ import annotations

from ignite.engine import Engine, Events

from monai_sfda.handlers.glibc import from_glibc

__all__ = ["HeapKeep"]

TRIM_THRESHOLD, MMAP_MAX, ARENA_MAX = -1, -4, -8  # of <malloc.h>
NEVER = 2**31 - 1


class HeapKeep:
    """Let glibc keep freed memory instead of returning it to the system; elsewhere do nothing.

    The layers of a network free tens of megabytes and ask for them again. Where the system takes them in between, each
    page costs a fault and is cleared: an eighth of the time of a prediction, a quarter of a training step on 512 x 512.
    The heap stays as large as it was at its largest, in prediction; an adaptation, whose batches leave holes of many
    sizes, has :class:`HeapTrim` beside it. It holds for the process.
    """

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self) -> None:
        mallopt = from_glibc("mallopt")
        if mallopt is None:
            return
        mallopt(TRIM_THRESHOLD, NEVER)
        mallopt(MMAP_MAX, 0)  # a threshold would not do: the largest that glibc takes is 32 MB
        mallopt(ARENA_MAX, 1)  # memory of threads that end would be returned too
