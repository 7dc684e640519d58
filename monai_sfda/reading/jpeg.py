"""What the stream of a JPEG says of its colours."""

from __future__ import annotations

from typing import Any

__all__ = ["said_colours"]


def said_colours(image: Any) -> str | None:
    """``RGB`` or ``YBR``, by JFIF, APP14 or the names of the components of an opened JPEG; None if nothing says it.

    Components called 1, 2 and 3 count as said: they are YBR.
    """
    if "jfif" in image.info:
        return "YBR"
    if "adobe_transform" in image.info:
        return "YBR" if image.info["adobe_transform"] else "RGB"
    return {(1, 2, 3): "YBR", tuple(b"RGB"): "RGB"}.get(tuple(component for component, *_ in image.layer))
