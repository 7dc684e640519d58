"""Turn a downloaded dataset into ``OUT/SPLIT/{image,mask}/NAME.png``, complete or not at all; repeatable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from monai_sfda.datasets.files import Pair
from monai_sfda.datasets.masks import crop_around_disc, resize
from monai_sfda.datasets.whole import make_whole, refuse_unusable

__all__ = ["prepare"]

Decode = Callable[[Pair], tuple[np.ndarray, np.ndarray]]


def prepare(
    pairs: Sequence[Pair],
    decode: Decode,
    *,
    out: Path,
    settings: Mapping[str, object],
    crop: int | None,
    size: int | None,
    progress: bool = True,
) -> str:
    """Write the dataset as `make_whole` does, and return its sentence.

    Args:
        pairs: what to write.
        decode: gives the image (H, W, 3) uint8 and the class ids (H, W) of a pair.
        out: new or empty folder, or one of an earlier run.
        settings: what else decides about the pixels, JSON values.
        crop: side of the square around the disc, in pixels of the original; None keeps the picture whole.
        size: side of the pictures written; None keeps their scale.

    Raises:
        ValueError: if an image lies in two splits, a file cannot be used, ``out`` holds something else, or the
            download or the files written differ from those of the first run.
    """
    _refuse_leaks(pairs)
    counts = dict(sorted(Counter(pair.split for pair in pairs).items()))
    listed = ", ".join(f"{split} {count}" for split, count in counts.items()) + " images"
    return make_whole(
        out,
        {**settings, "crop": crop, "size": size, "images": counts},
        [path for pair in pairs for path in (pair.image, *pair.masks)],
        listed,
        lambda draft: _write_pairs(pairs, decode, draft, crop, size, progress),
    )


def _write_pairs(
    pairs: Sequence[Pair], decode: Decode, folder: Path, crop: int | None, size: int | None, progress: bool
) -> None:
    """All pairs, or an error that names the first that cannot be used and counts them."""
    failures = []
    for pair in tqdm(pairs, "writing", unit="image", disable=not progress):
        try:
            image, ids = decode(pair)
            _check(image, ids)
            if crop is not None:
                image, ids = crop_around_disc(image, ids, crop)
            if size is not None:
                image, ids = resize(image, ids, size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises
            failures.append((pair.name, _reason(error)))
            continue
        for kind, pixels in (("image", image), ("mask", ids)):
            target = folder / pair.split / kind / f"{pair.name}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(target)
    refuse_unusable("images", len(pairs), failures)


def _check(image: np.ndarray, ids: np.ndarray) -> None:
    if image.shape[:2] != ids.shape:
        sizes = " and ".join("x".join(map(str, pixels.shape[1::-1])) for pixels in (image, ids))
        raise ValueError(f"Expected an image and a mask of one size, found {sizes}; download both again.")
    if not (ids > 0).any() or (ids > 0).all():
        found = "only disc" if (ids > 0).any() else "no disc"
        raise ValueError(f"Expected a disc and background in the mask, found {found}; check the file.")
    if not (ids == 1).any():
        raise ValueError("Expected a rim around the cup, found all cup; check whether they are swapped.")
    if np.mean(np.concatenate([ids[0], ids[-1], ids[:, 0], ids[:, -1]]) > 0) > 0.5:
        raise ValueError(
            "Expected background at the border of the mask, found disc on most of it; check whether they are swapped."
        )


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "Expected a picture, found other content; download it again."
    return f"Expected a whole picture, found: {error}; download it again." if isinstance(error, OSError) else str(error)


def _refuse_leaks(pairs: Sequence[Pair]) -> None:
    twice = [name for name, uses in Counter(pair.name for pair in pairs).items() if uses > 1]
    if twice:
        splits = sorted(pair.split for pair in pairs if pair.name == twice[0])
        raise ValueError(
            f"Expected each image in one split, found {twice[0]} in {' and '.join(splits)}; keep it in one list."
        )
