"""Make pseudo-labels plausible with a denoiser."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from monai_sfda.protocols import Evidence, PseudoLabel

__all__ = ["Denoise"]


class Denoise:
    """Replace a pseudo-label by what a denoiser makes of it; soft, and without gradient through the denoiser.

    Without gradient as in the paper (Karani et al., Medical Image Analysis 2021): through the denoiser, predicting
    nothing would be an easy way to be reconstructed well.

    Args:
        denoiser: probabilities (B, K, *S) -> probabilities (B, K, *S); stays as it is.
    """

    def __init__(self, denoiser: nn.Module) -> None:
        self.denoiser = denoiser.eval()

    @torch.no_grad()
    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        label: Tensor = self.denoiser(pseudo.label)
        return pseudo._replace(label=label)
