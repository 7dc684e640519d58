"""Weak and strong views: two pixel-aligned pictures of the same batch, made on its device.

The three corruptions are those of the released CBMT and DPL code (Tang et al., MICCAI 2023; Chen et al., MICCAI 2021),
in batched form and for any image size: counts of pixels become shares of the image. All take and return (B, C, *S)
float images in [0, 1] and draw from PyTorch's global generator, separately for each image of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from monai.engines import default_prepare_batch
from monai.utils import convert_to_tensor, ensure_tuple
from torch import Tensor

from monai_sfda.transforms.stored_range import StoredRange

__all__ = ["Erase", "Gamma", "ImpulseNoise", "StrongBatch", "WeakBatch", "WeakStrongViews"]


class ImpulseNoise:
    """Overwrite a share of the pixels of an image: salt with ``prob``, else pepper with ``prob``, else nothing.

    Args:
        prob: chance of each of the two, at most 0.5.
        salt_share: share of pixels that salt overwrites (630 of 512 x 512 in the released code).
        pepper_share: share of pixels that pepper overwrites (2517 of 512 x 512).
        salt: value of salt in [0, 1]. Departs: the released code writes the value 1 on a 0-255 scale, so its salt is
            all but black; that is the default here, and ``salt=1.0`` gives white.
    """

    def __init__(
        self,
        *,
        prob: float = 0.25,
        salt_share: float = 630 / 512**2,
        pepper_share: float = 2517 / 512**2,
        salt: float = 1 / 255,
    ) -> None:
        if not 0 <= prob <= 0.5:
            raise ValueError(f"Expected prob between 0 and 0.5 (salt and pepper exclude each other), found {prob}.")
        self.prob, self.salt_share, self.pepper_share, self.salt = prob, salt_share, pepper_share, salt

    def __call__(self, image: Tensor) -> Tensor:
        image = image.clone()
        pixels = image[0, 0].numel()
        for picture, draw in zip(image, torch.rand(len(image)).tolist(), strict=True):
            if draw >= 2 * self.prob:
                continue
            share, value = (self.salt_share, self.salt) if draw < self.prob else (self.pepper_share, 0.0)
            # Drawn with replacement, as released: a pixel may be hit twice.
            hit = torch.randint(pixels, (round(share * pixels),), device=image.device)
            index = torch.unravel_index(hit, picture.shape[1:])
            picture[(slice(None), *index)] = value
        return image


class Gamma:
    """Brightness curve ``x ** (1 / g)`` with g ~ U(gamma), on an image with chance ``prob``; keeps 0 and 1 fixed.

    Departs: the released code rounds through an 8-bit table.

    Args:
        prob: chance for each image, in [0, 1].
        gamma: lowest and highest g, above 0; above 1 brightens.
    """

    def __init__(self, *, prob: float = 0.5, gamma: tuple[float, float] = (0.5, 3.5)) -> None:
        self.prob, self.gamma = _chance(prob), _range("gamma", gamma)

    def __call__(self, image: Tensor) -> Tensor:
        image = image.clone()
        for picture in image:
            if torch.rand(()) < self.prob:
                picture.pow_(1 / float(torch.empty(()).uniform_(*self.gamma)))
        return image


class Erase:
    """Overwrite one grey rectangle of an image, or one grey box of a volume, with chance ``prob``.

    Args:
        prob: chance for each image, in [0, 1].
        area: share of the image that it covers, U(low, high); of a volume the share of its voxels.
        ratio: r ~ U(low, high); width ``sqrt(area / r)``, height ``sqrt(area * r)``, as released: wider than high. In a
            volume the box spans the cube root of the share along the slices, and this rectangle of what remains in
            rows and columns.
    """

    def __init__(
        self, *, prob: float = 0.5, area: tuple[float, float] = (0.02, 0.06), ratio: tuple[float, float] = (0.3, 0.6)
    ) -> None:
        self.prob, self.area, self.ratio = _chance(prob), _range("area", area), _range("ratio", ratio)

    def __call__(self, image: Tensor) -> Tensor:
        """Raises ValueError: unless images have two or three axes."""
        if image.ndim not in (4, 5):
            raise ValueError(
                f"Expected a batch of images (B, C, H, W) or volumes (B, C, D, H, W) to erase from, found shape "
                f"{tuple(image.shape)}; leave Erase out of the views."
            )
        image = image.clone()
        for picture in image:
            if torch.rand(()) < self.prob:
                picture[(slice(None), *self._box(picture.shape[1:]))] = float(torch.rand(()))
        return image

    def _box(self, space: Sequence[int]) -> list[slice]:
        *slices, rows, columns = space
        share, ratio = (float(torch.empty(()).uniform_(*ends)) for ends in (self.area, self.ratio))
        # each side in a volume takes its part of the share: the box is as long in every axis as a cube would be
        deep = share ** (1 / 3) if slices else 1.0
        area = share / deep * rows * columns
        wanted = [*(round(side * deep) for side in slices), round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)]
        box = []
        for side, length in zip(space, wanted, strict=True):
            length = min(side, length)
            start = int(torch.randint(side - length + 1, ()))
            box.append(slice(start, start + length))
        return box


def _chance(prob: float) -> float:
    if not 0 <= prob <= 1:
        raise ValueError(f"Expected prob between 0 and 1, found {prob}.")
    return prob


def _range(name: str, ends: tuple[float, float]) -> tuple[float, float]:
    if not 0 < ends[0] <= ends[1]:
        raise ValueError(f"Expected a range 0 < low <= high for {name}, found {tuple(ends)}.")
    return ends


class WeakStrongViews:
    """Scale stored images to [0, 1], corrupt a copy, and give both as the network wants its input.

    Args:
        strong: corruptions of the strong view, applied in order, which leave every pixel in its place (no flip, no
            crop); empty makes both views equal.
        weak: corruptions of the weak view (none in the published methods).
        stored_max: value of white in the stored images (255 for 8-bit photographs).
        mean, std: the network sees ``(x - mean) / std`` for x in [0, 1]; 0.5 and 0.5 give [-1, 1].

    Raises:
        ValueError: if ``stored_max`` or ``std`` is not above 0.
    """

    def __init__(
        self,
        *,
        strong: Sequence[Callable[[Tensor], Tensor]] = (),
        weak: Sequence[Callable[[Tensor], Tensor]] = (),
        stored_max: float = 255.0,
        mean: float = 0.5,
        std: float = 0.5,
    ) -> None:
        self.strong, self.weak = ensure_tuple(strong), ensure_tuple(weak)
        if not std > 0:
            raise ValueError(f"Expected std above 0, found {std}; 0.5 gives the network -1 to 1.")
        self.stored_max, self.mean, self.std = stored_max, mean, std
        self._range = StoredRange(stored_max)

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, *S) images from 0 to ``stored_max`` -> (weak, strong), both float32 (B, C, *S).

        Raises:
            ValueError: if the images are stored on another scale, see `StoredRange`.
        """
        self._range.check(image)
        image = (image.float() / self.stored_max).clamp_(0, 1)
        weak, strong = image, image
        for corrupt in self.weak:
            weak = corrupt(weak)
        for corrupt in self.strong:
            strong = corrupt(strong)
        weak_view = self._normalise(weak)
        return weak_view, weak_view if strong is weak else self._normalise(strong)

    def _normalise(self, image: Tensor) -> Tensor:
        return (image - self.mean) / self.std


class StrongBatch:
    """MONAI ``prepare_batch`` for training with labels: the strong view of ``image``, and ``label``.

    Args:
        views: see `WeakStrongViews`.
    """

    view = 1

    def __init__(self, views: WeakStrongViews) -> None:
        self.views = views

    def __call__(
        self, batch: dict[str, Tensor], device: torch.device | None = None, non_blocking: bool = False, **_: object
    ) -> tuple[Tensor, Tensor]:
        image, label = default_prepare_batch(batch, device, non_blocking)[:2]
        assert label is not None
        # a backward through MONAI's MetaTensor takes half as long again as one through a plain tensor
        return self.views(convert_to_tensor(image, track_meta=False))[self.view], convert_to_tensor(
            label, track_meta=False
        )


class WeakBatch(StrongBatch):
    """As `StrongBatch`, with the weak view: for validation."""

    view = 0
