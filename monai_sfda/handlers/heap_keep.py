"""Keep the memory of one batch for the next."""

from __future__ import annotations

from ignite.engine import Engine, Events

from monai_sfda.handlers.glibc import from_glibc

__all__ = ["HeapKeep"]

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # of <malloc.h>
LARGEST_MMAP_THRESHOLD = 32 << 20
NEVER = 2**31 - 1


class HeapKeep:
    """Let glibc keep freed memory instead of returning it to the system; elsewhere do nothing.

    The layers of a network free tens of megabytes and ask for them again. Where the system takes them in between, each
    page costs a fault: up to 4000 per image of 256 x 256, an eighth of the time of a prediction. The heap stays as
    large as it was at its largest; so this is for prediction, in which every batch is like the one before. It holds
    for the process.
    """

    def attach(self, engine: Engine) -> None:
        engine.add_event_handler(Events.STARTED, self)

    def __call__(self) -> None:
        mallopt = from_glibc("mallopt")
        if mallopt is None:
            return
        mallopt(TRIM_THRESHOLD, NEVER)
        mallopt(MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
        mallopt(ARENA_MAX, 1)  # memory of threads that end would be returned too
