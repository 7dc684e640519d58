"""Measures of image quality, for the image as the network sees it."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

__all__ = ["image_quality"]

GREY = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601
WORKING_SIZE = 128  # fine noise and JPEG blocks, which would count as sharpness, average out
BLACK, WHITE = 0.04, 0.98  # 10 and 250 of 255: JPEG spreads true black and white over a few levels
UNIFORM = 1e-8  # variance of what is nothing but rounding


def image_quality(image: Tensor) -> dict[str, Any]:
    r"""Numbers of one image, averaged to at most 128 x 128; all but the sharpness in [0, 1].

    - ``brightness``, ``contrast``: mean and standard deviation of the grey levels, 0 black, 1 white;
    - ``clipped``: share of pixels with two of the three colours at least 250 of 255. One may clip in a good fundus
      photograph: red often does;
    - ``field``: share of pixels with a colour of at least 10 of 255, that is, not in the black surround;
    - ``sharpness``: :math:`\operatorname{var}(\nabla^2 g) / \operatorname{var}(g)` of the grey image g,
      the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) divided by that of the image, which
      makes it independent of brightness and contrast; None where the image is uniform.

    Args:
        image: (3, H, W) float in [-1, 1], the input of the network.
    """
    image = torch.as_tensor(image).detach().float().cpu()
    image = (_averaged(image) + 1) / 2
    red, green, blue = image
    darker, brighter = torch.minimum(red, green), torch.maximum(red, green)
    second_brightest = torch.maximum(darker, torch.minimum(brighter, blue))
    grey = GREY[0] * red + GREY[1] * green + GREY[2] * blue
    variance = float(grey.var())
    return {
        "brightness": float(grey.mean()),
        "contrast": math.sqrt(variance),
        "clipped": int((second_brightest >= WHITE).count_nonzero()) / grey.numel(),
        "field": int((torch.maximum(brighter, blue) >= BLACK).count_nonzero()) / grey.numel(),
        "sharpness": _roughness(grey) / variance if variance > UNIFORM else None,
    }


def _averaged(image: Tensor) -> Tensor:
    """(3, H, W) -> at most 128 x 128."""
    height, width = (min(WORKING_SIZE, side) for side in image.shape[1:])
    down, across = image.shape[1] // height, image.shape[2] // width
    if (down * height, across * width) != image.shape[1:]:
        return adaptive_avg_pool2d(image, (height, width))
    # The same but for rounding, and several times faster: colours lie beside each other, so whole rows come first.
    rows = reduce(torch.add, (image[:, y::down] for y in range(down)))
    planes = [reduce(torch.add, (plane[:, x::across] for x in range(across))) for plane in rows]
    return torch.stack(planes) / (down * across)


def _roughness(grey: Tensor) -> float:
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((around - 4 * grey[1:-1, 1:-1]).var())
