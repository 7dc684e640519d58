"""The linear maps of Winograd's convolution, from images to tiles and back, and their gradients."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["TAPS", "filters", "filters_backward", "join", "join_backward", "patches", "patches_backward"]

OUT, TAPS = 4, 3  # sides of a tile of the output and of the filters
IN = OUT + TAPS - 1  # side of the tile of the input that a tile of the output needs
POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)  # of those tried, the ones that round least


def filters(weight: Tensor) -> Tensor:
    """Filters (K, C, 3, 3) -> (36, C, K)."""
    outputs, channels = weight.shape[:2]
    taps = weight.permute(2, 3, 1, 0).reshape(TAPS**2, -1)
    return (_matrix("filter", weight) @ taps).view(IN**2, channels, outputs)


def filters_backward(grad: Tensor) -> Tensor:
    _, channels, outputs = grad.shape
    taps = _matrix("filter", grad).T @ grad.view(IN**2, -1)
    return taps.view(TAPS, TAPS, channels, outputs).permute(3, 2, 0, 1)


def patches(image: Tensor) -> Tensor:
    """Image (H, W, C) -> its tiles (36, tiles, C)."""
    (down, right), channels = _tiles(image), image.shape[2]
    bottom, far = OUT * down + 1 - image.shape[0], OUT * right + 1 - image.shape[1]
    framed = F.pad(image, (0, 0, 1, far, 1, bottom))
    row, column, _ = framed.stride()
    shape, strides = (IN, IN, down, right, channels), (row, column, OUT * row, OUT * column, 1)
    pixels = framed.as_strided(shape, strides).reshape(IN**2, -1)
    return (_matrix("input", image) @ pixels).view(IN**2, -1, channels)


def patches_backward(grad: Tensor, out: Tensor) -> None:
    (height, width, channels), (down, right) = out.shape, _tiles(out)
    pixels = (_matrix("input", grad).T @ grad.view(IN**2, -1)).view(IN, IN, down, right, channels)
    framed = grad.new_zeros(down + 1, OUT, right + 1, OUT, channels)
    for below, rows in enumerate(pixels.split((OUT, IN - OUT), dim=0)):  # the last two rows lie on the next tile
        for beside, part in enumerate(rows.split((OUT, IN - OUT), dim=1)):
            place = framed[below : below + down, : part.shape[0], beside : beside + right, : part.shape[1]]
            place += part.permute(2, 0, 3, 1, 4)
    out.copy_(framed.view(OUT * (down + 1), -1, channels)[1 : height + 1, 1 : width + 1])


def join(tiles: Tensor, out: Tensor) -> None:
    """Tiles (36, tiles, K) -> output (H, W, K), written into ``out``."""
    (height, width, _), (down, right) = out.shape, _tiles(out)
    pixels = _matrix("output", tiles) @ tiles.view(IN**2, -1)
    pixels = pixels.view(OUT, OUT, down, right, -1).permute(2, 0, 3, 1, 4)
    if (height, width) == (OUT * down, OUT * right):
        out.view(pixels.shape).copy_(pixels)
    else:
        out.copy_(pixels.reshape(OUT * down, OUT * right, -1)[:height, :width])


def join_backward(grad: Tensor) -> Tensor:
    (height, width, outputs), (down, right) = grad.shape, _tiles(grad)
    whole = F.pad(grad, (0, 0, 0, OUT * right - width, 0, OUT * down - height))
    pixels = whole.reshape(down, OUT, right, OUT, outputs).permute(1, 3, 0, 2, 4).reshape(OUT**2, -1)
    return (_matrix("output", grad).T @ pixels).view(IN**2, -1, outputs)


def _tiles(image: Tensor) -> tuple[int, int]:
    return -(-image.shape[0] // OUT), -(-image.shape[1] // OUT)


def _matrix(name: str, like: Tensor) -> Tensor:
    return MATRICES[name].to(like.dtype)


def _toom_cook() -> dict[str, Tensor]:
    """Polynomials are multiplied by their values at `POINTS` and at infinity; read backwards, that is a convolution."""
    points = np.array(POINTS)
    others = [np.delete(points, index) for index in range(len(points))]
    scale = np.array([np.prod(point - rest) for point, rest in zip(points, others, strict=True)])
    infinity = np.eye(IN)[-1:]
    source = np.zeros((IN, IN))
    source[:-1, :-1] = [np.poly(rest)[::-1] for rest in others]
    source[-1] = np.poly(points)[::-1]
    powers = np.vander(points, OUT, increasing=True)
    line = {
        "input": source,
        "filter": np.vstack([powers[:, :TAPS] / scale[:, None], infinity[:, -TAPS:]]),
        "output": np.vstack([powers, infinity[:, -OUT:]]).T,
    }
    return {name: torch.from_numpy(np.kron(matrix, matrix)) for name, matrix in line.items()}  # rows and columns


MATRICES = _toom_cook()
