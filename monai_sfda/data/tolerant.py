"""Read batches ahead in threads, and continue without the images that cannot be read."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from ignite import distributed as idist
from monai.data import Dataset
from monai.utils import convert_to_tensor
from torch.utils.data import Sampler

from monai_sfda.data.processors import count_processors
from monai_sfda.failures import Failures
from monai_sfda.files import brief_hash, case_of
from monai_sfda.mask_file import image_of

__all__ = ["PendingBatches", "TolerantLoader", "keep_items"]


class TolerantLoader:
    """Batches ``{"image": (B, C, h, w), "items": [...]}`` of a data set; items that cannot be read become failures.

    A file is decoded once, while the network computes; a batch is as much smaller as it has failures, and left out if
    nothing is left of it. ``image`` is a plain tensor, because each operation on a MetaTensor costs more than on one.

    Args:
        dataset: items that hold ``image``, with a transform.
        batches: the indices of each batch.
        failures: where failures go.
        ahead: batches to have ready.
    """

    def __init__(self, dataset: Dataset, batches: Sampler[list[int]], *, failures: Failures, ahead: int = 2) -> None:
        self.dataset, self.batches, self.failures, self.ahead = dataset, batches, failures, ahead

    def __len__(self) -> int:
        return len(self.batches)  # type: ignore[arg-type] # the samplers of this package have a length

    def __iter__(self) -> Iterator[dict[str, Any]]:
        waiting: deque[Future] = deque()
        threads = max(1, min(8, count_processors() // 2))  # the network needs processors too
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                for batch in self.batches:
                    reading = [pool.submit(self._read, index) for index in batch]
                    waiting.append(pool.submit(_collated, reading))  # starts when all of these have started
                    if len(waiting) > self.ahead:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _read(self, index: int) -> dict[str, Any] | None:
        try:
            return self.dataset[index]
        except Exception as error:  # decoders of damaged files raise nearly everything
            self.failures.add(self.dataset.data[index], error)
            return None


class PendingBatches(Sampler[list[int]]):
    """The list in order, cut into batches, of which this process takes every so many.

    Batches are always cut in the same places, so that a continued run computes on the same batches as an undisturbed
    one: sums of another batch size may differ in the last bit.

    Args:
        data: items with ``image``, a path, and ``output``, the relative path of their mask.
        batch_size: images per batch.
        output_dir: folder of the masks.
        skip_done: leave out batches whose masks are all there; masks of another picture of that name are deleted.
    """

    def __init__(
        self,
        data: Sequence[dict[str, Any]],
        batch_size: int,
        *,
        output_dir: str | os.PathLike[str],
        skip_done: bool = False,
    ) -> None:
        cuts = range(0, len(data), batch_size)
        # Each process takes its share before it looks what is done, for others may be at work already.
        cuts = cuts[idist.get_rank() :: idist.get_world_size()]
        mine = [list(range(start, min(start + batch_size, len(data)))) for start in cuts]
        self.batches = [batch for batch in mine if not (skip_done and _all_there(batch, data, output_dir))]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)


def _all_there(batch: Iterable[int], data: Sequence[dict[str, Any]], folder: str | os.PathLike[str]) -> bool:
    there = [_there(data[index], os.path.join(folder, _output(data[index]))) for index in batch]
    return all(there)


def _output(item: dict[str, Any]) -> str:
    if "output" not in item:
        raise ValueError(
            f"Expected items with output, the relative path of their mask, found none in that of {case_of(item)}; list "
            "them with find_images, or set skip_done to False."
        )
    return item["output"]


def _there(item: dict[str, Any], mask: str) -> bool:
    """Deletes a mask of another picture, for one may have come under that name; times of files do not tell.

    A mask that does not say of which picture it is, as one that a person has corrected, counts as done.
    """
    try:
        made_of = image_of(mask)  # None if it is damaged too: whoever reads it says so
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        if made_of is None or made_of == brief_hash(item["image"]):
            return True
    except OSError:
        return True  # that the picture cannot be read now says nothing against the mask
    os.unlink(mask)
    return False


def _collated(reading: Iterable[Future]) -> list[dict[str, Any]]:
    """One batch, or none where no image can be read.

    Put together in a thread that uses no others: torch's own would go on turning for a while, beside the network.
    """
    items = [item for future in reading if (item := future.result()) is not None]
    return [keep_items(items)] if items else []


def keep_items(items: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """``collate_fn`` of a loader that puts only the images together; all else stays with the ``items``."""
    images = [convert_to_tensor(item["image"], track_meta=False) for item in items]
    return {"image": torch.stack(images), "items": list(items)}
