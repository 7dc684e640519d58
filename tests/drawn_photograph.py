"""A photograph with a disc drawn in it, and a network that finds that disc."""

import numpy as np
import torch


def bright(picture):
    """A network that takes what is far brighter than the rest for the disc."""
    return 10 * (picture.mean(1, keepdim=True) - 2)


def photograph(x=100, y=90, radius=14, height=200, width=300, lit=False):
    """A round field of view in a dark frame; ``lit`` lights the whole frame, as in a crop."""
    rows, columns = np.mgrid[:height, :width] + 0.5
    field = (np.hypot(columns - width / 2, rows - height / 2) < 0.48 * height) | lit
    level = np.where(np.hypot(columns - x, rows - y) < radius, 220.0, 90.0) * field
    return torch.tensor(np.stack([level] * 3), dtype=torch.float32)
