"""Train the network that finds the disc in full photographs, on simulated ones.

OMP_NUM_THREADS=1 python scripts/train_locator.py bundles/fundus_disc_cup/models/locator/model.pt

Takes ten minutes on two cores: one draws and varies the pictures, the other learns from them.

It sees simulated pictures alone: eyes by the cameras ``source`` and ``target``, with vessels, disc, pigment, colours,
light and sharpness varied far around them, and clutter, noise and empty fields. What is varied, and how far, was chosen
with a look at real photographs; scripts/benchmark_localise.py measures it on those, too.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import fire
import numpy as np
import torch
from monai.losses import DiceCELoss
from monai.networks.layers import GaussianFilter
from monai.networks.nets import UNet
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader
from tqdm import tqdm

from monai_sfda.files import whole_file
from monai_sfda.organs.fundus.locate.field_of_view import field_picture, find_field, standardise
from monai_sfda.organs.fundus.locate.locate import SIZE
from monai_sfda.organs.fundus.simulated.cameras import CAMERAS
from monai_sfda.organs.fundus.simulated.clinic import simulate_fundus
from monai_sfda.organs.fundus.simulated.full_photograph import simulate_full
from monai_sfda.organs.fundus.simulated.not_fundus import simulate_not_fundus

CROPS = {"disc_share": (0.32, 0.9), "off_centre": 0.05}  # wider and tighter than those of any camera
# Of every twenty pictures: whole photographs, parts of them, crops, photographs and parts without a disc, the rest.
KINDS = ["full"] * 10 + ["part"] * 2 + ["crop"] * 3 + ["no disc"] * 2 + ["no disc, part", "no fundus", "no fundus"]


def main(
    output: str, *, count: int = 4800, epochs: int = 14, batch_size: int = 8, rate: float = 2e-3, seed: int = 0
) -> None:
    """Write weights to ``output``.

    Args:
        output: file of the weights.
        count: pictures to train on.
        epochs, batch_size, rate: of Adam, whose rate falls to 0 along a cosine.
        seed: of the pictures, the first weights and the order.
    """
    torch.manual_seed(seed)
    network = UNet(spatial_dims=2, in_channels=3, out_channels=1, channels=(16, 24, 32, 48, 64), strides=(2, 2, 2, 2))
    samples = [sample(index, seed) for index in tqdm(range(count), "drawing", unit="image")]
    train(network, samples, epochs, batch_size, rate)
    with whole_file(Path(output)) as draft:
        torch.save(network.state_dict(), draft)


def sample(index: int, seed: int) -> tuple[Tensor, Tensor, float]:
    """Picture (3, S, S) uint8, its disc and cup (2, S, S) bool, and the level above which pixels are lit."""
    rng = np.random.default_rng([seed, index])
    image, mask = draw(KINDS[index % len(KINDS)], index, rng, seed)
    pixels = torch.as_tensor(image.transpose(2, 0, 1).copy())
    field = find_field(pixels)
    if field is None:
        raise ValueError(f"Expected a lit picture, found picture {index} black; change the seed.")
    picture, _, _ = field_picture(pixels, field, SIZE)
    parts, _, _ = field_picture(255 * torch.as_tensor(np.stack([mask > 0, mask > 1])).byte(), field, SIZE)
    return picture.round().byte(), parts > 127, field.level


def draw(kind: str, index: int, rng: np.random.Generator, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Image (H, W, 3) and mask (H, W) of one of ``KINDS``."""
    camera = replace(
        CAMERAS["source" if rng.random() < 0.5 else "target"],
        vessel_contrast=rng.uniform(0.4, 2.2),
        pallor=rng.uniform(0, 0.8),
    )
    if kind == "crop":
        return simulate_fundus(index, camera=replace(camera, **CROPS), size=160, seed=seed)
    if kind == "no fundus":
        image = simulate_not_fundus(
            index, kind=str(rng.choice(["clutter", "clutter", "clutter", "noise", "lamp"])), size=160, seed=seed
        )
        return image, np.zeros(image.shape[:2], np.uint8)
    photo = simulate_full(index, camera=camera, height=200, seed=seed, disc="no disc" not in kind)
    return part(photo.image, photo.mask, rng) if "part" in kind else (photo.image, photo.mask)


def part(image: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A square within the frame that holds the whole disc, if there is one."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask) if mask.any() else ([height // 2], [width // 2])
    side = int(rng.uniform(max(0.3 * height, 1.2 * np.ptp(rows), 1.2 * np.ptp(columns)), height))
    corner = []
    for places, length in ((rows, height), (columns, width)):
        low, high = max(0, int(np.max(places)) - side + 1), min(int(np.min(places)), length - side)
        corner.append(int(rng.integers(low, max(low, high), endpoint=True)))
    window = np.s_[corner[0] : corner[0] + side, corner[1] : corner[1] + side]
    return image[window], mask[window]


def train(
    network: torch.nn.Module, samples: list[tuple[Tensor, Tensor, float]], epochs: int, batch_size: int, rate: float
) -> None:
    """Adam on cross-entropy and Dice, every picture photographed anew each time, by a process of its own."""
    criterion = DiceCELoss(sigmoid=True, batch=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    loader = DataLoader(samples, batch_size, shuffle=True, drop_last=True, num_workers=1, collate_fn=views)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loader))
    for epoch in range(epochs):
        losses = []
        for image, disc in loader:
            loss = criterion(network(image), disc[:, None].float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)


def views(samples: list[tuple[Tensor, Tensor, float]]) -> tuple[Tensor, Tensor]:
    """Pictures (B, 3, S, S) and discs (B, S, S) of a batch."""
    images, discs = zip(*[view(*one) for one in samples], strict=True)
    return torch.stack(images), torch.stack(discs)


def view(picture: Tensor, parts: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """The picture of another eye by another camera, standardised, and its disc; mirrored half of the time."""
    lit = picture.amax(0) > level
    x = recolour(picture.float() / 255, parts.float())
    x = x.clamp(min=1e-3) ** (uniform(-0.7, 0.7) + uniform(-0.25, 0.25, 3)).exp() * uniform(0.5, 2.2, 3)
    if chance(0.15):
        x = (x * uniform(0, 1, 3).softmax(0)).sum(0, keepdim=True).expand(3, -1, -1)
    if chance(0.4):
        veil = uniform(0, 0.5)
        x = x * (1 - veil) + veil * uniform(0.3, 1, 3)
    x = light(x)
    if chance(0.6):
        x = smooth(x, 0.2, 2.2)
    x = (x + 0.04 * uniform(0, 1) ** 3 * torch.randn_like(x)).clamp(0, 1) * lit
    x = standardise(255 * x, 0.0)
    return (x.flip(2), parts[0].flip(1)) if chance(0.5) else (x, parts[0])


def recolour(x: Tensor, parts: Tensor) -> Tensor:
    """Another rim, cup, surroundings of the disc, and pigment, as factors on (3, S, S) in [0, 1]."""
    disc = parts[:1]
    if chance(0.7):
        rim, cup = (uniform(*most) + uniform(-0.15, 0.15, 3) for most in ((-0.45, 0.55), (-0.1, 0.7)))
        parts = smooth(parts, 0.5, 3)
        x = x * (rim * parts[:1] + cup * parts[1:]).exp()
    if chance(0.5):
        x = x * ((uniform(-0.6, 1.6) + uniform(-0.2, 0.2, 3)) * smooth(disc, 6, 16)).exp()
    if chance(0.5):
        x = x * (uniform(0, 0.15) * clouds(int(torch.randint(3, 12, ())), 1) + uniform(0, 0.06) * clouds(5, 3)).exp()
    return x


def light(x: Tensor) -> Tensor:
    """Falling off to one side, and from a centre, there in each colour by itself."""
    along = torch.linspace(-1, 1, x.shape[-1])
    across, down = along[None], along[:, None]
    if chance(0.5):
        angle = 2 * math.pi * torch.rand(())
        x = x * (uniform(0, 1.5) * (across * angle.cos() + down * angle.sin())).exp()
    if chance(0.7):
        distance = (across - uniform(-0.3, 0.3)) ** 2 + (down - uniform(-0.3, 0.3)) ** 2
        x = x * (-(uniform(0, 1.2) + uniform(-0.3, 0.3, 3)) * distance).exp()
    return x


def smooth(x: Tensor, low: float, high: float) -> Tensor:
    return GaussianFilter(2, float(uniform(low, high)))(x[None])[0]


def clouds(count: int, channels: int) -> Tensor:
    """Smooth noise (channels, S, S), ``count`` patches wide."""
    return interpolate(torch.randn(1, channels, count, count), (SIZE, SIZE), mode="bicubic")[0]


def uniform(low: float, high: float, channels: int = 1) -> Tensor:
    """(channels, 1, 1) numbers."""
    return torch.empty(channels, 1, 1).uniform_(low, high)


def chance(probability: float) -> bool:
    return bool(torch.rand(()) < probability)


if __name__ == "__main__":
    fire.Fire(main)
