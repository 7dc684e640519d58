"""Evidence with features that are weighted, for each class, by the gradient of its score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from monai_sfda.functional import Cutoff, check_head, decide, probabilities
from monai_sfda.networks.layers import check_feature_layer
from monai_sfda.networks.tap import FeatureTap
from monai_sfda.protocols import Evidence, Observer
from monai_sfda.pseudo.cam_weights import ChannelWeights, GradCam

__all__ = ["GradientGuided"]


class GradientGuided:
    r"""Gradient-guided features of Grad-CL (reconstruction; Thakur et al., BMVC 2025, gives no public formulas).

    .. math:: S_k = \sum_n z_{kn} 1[p_{kn} > \gamma], \quad G_{kc} = \mathrm{ReLU}(a_{kc} F_c)

    with logits z, probabilities p, features F of a layer and weights a from ``weighting``, by default the mean gradient
    of :math:`S_k` with respect to :math:`F_c` in each image. The gradient pass is of a copy made at construction, with
    the running statistics and without dropout, and differentiates only what follows the layer: the network itself
    stays as it is to the bit.

    With ``observe`` the probabilities and F are those of another observer, such as the mean over stochastic passes;
    weighting the mean is the same as weighting every pass where the layer ends in a ReLU. If everything behind the
    layer is a 1x1 convolution, a is its weight times the class's share of the image, times the pixels of the image per
    position of the layer: an earlier layer says more.

    Args:
        network: (B, C, *S) -> logits (B, K, *S).
        layer: name of a submodule with output (B, D, *s).
        observe: gives probabilities, spread and the features of the same layer; None: those of the gradient pass, which
            has no spread.
        weighting: see `monai_sfda.pseudo.cam_weights`.
        cutoff: gamma, see `decide`; one number, or one for each channel.
        mode: how the copy runs. With batch statistics right after the layer the gradients cancel: ValueError.
        head: ``"sigmoid"`` or ``"softmax"``.

    Raises:
        ValueError: if ``layer`` gives no features, ``observe`` is of another layer, or ``head`` is unknown.
    """

    def __init__(
        self,
        network: nn.Module,
        layer: str,
        *,
        observe: Observer | None = None,
        weighting: ChannelWeights | None = None,
        cutoff: Cutoff = 0.75,
        mode: Callable[[nn.Module], object] = nn.Module.eval,
        head: str = "sigmoid",
    ) -> None:
        if getattr(observe, "layer", layer) != layer:
            found = f"found {getattr(observe, 'layer', None)!r}"
            raise ValueError(f"Expected an observer of layer {layer!r}, {found}; give the observer the same layer.")
        self.network = deepcopy(network).requires_grad_(False)
        self.layer, self.observe, self.weighting = layer, observe, weighting or GradCam()
        self.cutoff, self.mode, self.head = cutoff, mode, check_head(head)
        self._tap = FeatureTap(self.network, layer)
        check_feature_layer(self.network, layer)
        self.network.get_submodule(layer).register_forward_hook(_cut, prepend=True)

    def __call__(self, image: Tensor, case: Sequence[str]) -> Evidence:
        """Raises ValueError: if the gradients cancel, see `GradCam`."""
        self.mode(self.network)
        with torch.enable_grad():  # the callers work without gradient
            logits = self.network(image).float()
            features = self._tap.output
            evidence = self._observed(image, case, logits.detach(), features.detach())
            named = decide(evidence.probs, self.head, self.cutoff).float()
            score = (logits * named).flatten(2).sum(2)
            weights = self.weighting(features, score).detach()
        assert evidence.features is not None
        guided = weights.view(*weights.shape, *[1] * (features.ndim - 2)) * evidence.features.float().unsqueeze(1)
        return evidence._replace(features=guided.relu_())

    @torch.no_grad()
    def _observed(self, image: Tensor, case: Sequence[str], logits: Tensor, features: Tensor) -> Evidence:
        if self.observe is None:
            return Evidence(case, probabilities(logits, self.head), features=features)
        evidence = self.observe(image, case)
        if evidence.features is None or evidence.features.shape != features.shape:
            found = None if evidence.features is None else tuple(evidence.features.shape)
            raise ValueError(
                f"Expected observed features {tuple(features.shape)} of layer {self.layer!r}, found {found}; give the "
                "observer the same layer."
            )
        return evidence


def _cut(module: nn.Module, inputs: object, output: object) -> object:
    """Let the graph begin here; the clone may be changed in place by the next layer, a leaf may not."""
    return output.detach().requires_grad_().clone() if isinstance(output, Tensor) else output
