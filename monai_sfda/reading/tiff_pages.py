"""Which of the pages of a TIFF is the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from monai_sfda.reading.stored import Refused

__all__ = ["the_page"]

SMALL = 0b101  # bits of the subfile type: a reduced copy of another page, or its transparency mask


def the_page(tif: Any, name: str) -> Any:
    """The page of an opened `tifffile.TiffFile` that is no small copy of another, wherever in the file it is.

    Raises:
        ValueError: if there are several, or one that holds a stack.
    """
    pages = list(_all(tif.pages))
    whole = [page for page in pages if not page.subfiletype & SMALL] or pages
    if not whole:
        raise Refused(
            f"Expected a grey, RGB or CMYK picture in {name}, found a tiff that is damaged or empty; export it again."
        )
    count = len(whole) if len(whole) > 1 else _planes(tif, whole[0])
    if count > 1:
        raise Refused(f"Expected one picture in {name}, found {count} pages; save each as a picture of its own.")
    return whole[0]


def _all(pages: Iterable[Any]) -> Iterator[Any]:
    for page in pages:
        yield page
        yield from _all(page.pages or ())


def _planes(tif: Any, page: Any) -> int:
    """How many pictures one page stands for: ImageJ and others store a stack behind the first page alone."""
    described = max((series.size // max(page.size, 1) for series in tif.series), default=1)
    return max(int(page.imagedepth), int(described))
