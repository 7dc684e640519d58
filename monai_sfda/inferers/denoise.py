"""Adapt to each image before predicting it, guided by a denoiser."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from monai.inferers import Inferer
from monai.networks.utils import eval_mode
from monai.utils import convert_to_tensor
from torch import Tensor, nn

from monai_sfda.functional import check_head, probabilities, soft_dice, soft_dice_loss
from monai_sfda.precision import autocast, channels_last

__all__ = ["DenoisingInferer"]


class DenoisingInferer(Inferer):
    """Train a normaliser in front of the network, for one image at a time, towards the denoised prediction.

    Karani et al., Medical Image Analysis 2021, for 2D images. Every ``refresh`` steps the prediction p is denoised;
    D(p), without gradient, is the target of the steps that follow, and Dice(p, D(p)) tells how plausible p is. The
    result is the prediction with the best such score, first among equals: a rule that needs no label. The normaliser
    starts anew for each image; network and denoiser do not change.

    Departs: the target is compared at the size of the image, not at the denoiser's, and up to ``refresh`` last steps,
    after which nothing is scored any more and which therefore cannot be chosen, are not made.

    Args:
        denoiser: probabilities (B, K, *S) -> probabilities (B, K, *S).
        normaliser: image -> image; its present state is the start for every image.
        head: ``"sigmoid"`` or ``"softmax"``.
        steps: steps per image, >= 1; the denoiser is called ceil(steps / refresh) times.
        refresh: steps between two targets, >= 1.
        learning_rate: of Adam.
        loss: (probabilities, target) -> ().
        precision: ``"auto"`` (probe this machine), ``"bfloat16"`` or ``"float32"``; losses are always float32.

    Shape:
        images (B, C, *S) -> logits (B, K, *S), float32.
    """

    def __init__(
        self,
        *,
        denoiser: nn.Module,
        normaliser: nn.Module,
        head: str = "sigmoid",
        steps: int = 50,
        refresh: int = 10,
        learning_rate: float = 1e-3,
        loss: Callable[[Tensor, Tensor], Tensor] = soft_dice_loss,
        precision: str = "auto",
    ) -> None:
        super().__init__()
        if steps < 1 or refresh < 1:
            raise ValueError(f"Expected steps and refresh of at least 1, found {steps} and {refresh}.")
        self.denoiser, self.normaliser, self.head = denoiser, normaliser, check_head(head)
        self.refresh, self.learning_rate, self.loss, self.precision = refresh, learning_rate, loss, precision
        self.last_check = (steps - 1) // refresh * refresh
        self._start = deepcopy(normaliser.state_dict())

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        images: Tensor = convert_to_tensor(inputs, track_meta=False)
        self.normaliser.to(images.device)
        self.denoiser.to(images.device)
        with torch.inference_mode(False), eval_mode(network, self.denoiser), torch.enable_grad():  # type: ignore[arg-type] # any callable
            images = images.clone() if images.is_inference() else images
            images = channels_last(images)
            return torch.cat([self._adapt(image, lambda x: network(x, *args, **kwargs)) for image in images.split(1)])

    def agreement(self, probs: Tensor, target: Tensor) -> float:
        """Label-free score of a prediction, in [0, 1]: Dice with what the denoiser makes of it."""
        return float(soft_dice(probs, target).mean())

    def _adapt(self, image: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        self.normaliser.load_state_dict(self._start)
        optimizer = torch.optim.Adam(self.normaliser.parameters(), lr=self.learning_rate)
        best, best_score = None, 0.0
        for step in range(self.last_check + 1):
            logits = self._predict(image, network)
            probs = probabilities(logits, self.head)
            if step % self.refresh == 0:
                target = self._denoise(probs.detach())
                score = self.agreement(probs.detach(), target)
                if best is None or score > best_score:
                    best, best_score = logits.detach(), score
            if step < self.last_check:
                self._update(optimizer, self.loss(probs, target))
        assert best is not None  # step 0 always sets it
        return best.float()

    def _predict(self, image: Tensor, network: Callable[[Tensor], Tensor]) -> Tensor:
        # Inside a caller's autocast the weights would be cached in low precision, and no update would be seen.
        torch.clear_autocast_cache()
        with autocast(image.device, self.precision):
            return network(self.normaliser(image))

    @torch.no_grad()
    def _denoise(self, probs: Tensor) -> Tensor:
        return self.denoiser(probs)

    def _update(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        """One step of the normaliser; no gradient is left behind in the network."""
        parameters = list(self.normaliser.parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimizer.step()
