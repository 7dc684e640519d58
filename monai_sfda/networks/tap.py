"""Features of a network by layer name."""

from __future__ import annotations

from types import TracebackType

from torch import Tensor, nn

from monai_sfda.networks.layers import require_name, suggest_layers, unwrapped

__all__ = ["FeatureTap"]


class FeatureTap:
    """Keeps what one layer put out in the network's last forward, with its graph.

    A copy of the network made while the tap is on does not write into the tap.

    Args:
        network: any module; a data-parallel wrapper is looked through.
        layer: name of a submodule as in ``network.named_modules()``, such as "decoder.feature". A layer followed by an
            in-place one shows what that one made of its output.

    Raises:
        ValueError: if the network has no such layer.

    Example:
        >>> with FeatureTap(network, "decoder.feature") as tap:
        ...     logits = network(image)
        ...     features = tap.output
    """

    def __init__(self, network: nn.Module, layer: str) -> None:
        self.layer = require_name(network, layer)
        self._output: Tensor | None = None
        tapped = _find(network, layer)

        def keep(module: nn.Module, inputs: object, output: object) -> None:
            if module is not tapped:  # deepcopy copies hooks: a teacher must not overwrite its student's features
                return
            if not isinstance(output, Tensor):
                found = type(output).__name__
                raise ValueError(f"Expected layer {layer!r} to give a tensor, found a {found}; name a layer inside it.")
            self._output = output

        self._handle = tapped.register_forward_hook(keep)

    @property
    def output(self) -> Tensor:
        """(B, D, *s) what the layer put out in the last forward.

        Raises:
            RuntimeError: if there was no forward yet.
        """
        if self._output is None:
            raise RuntimeError(f"Expected a forward through layer {self.layer!r}, found none; call the network first.")
        return self._output

    def remove(self) -> None:
        """Take the hook off and forget the output."""
        self._handle.remove()
        self._output = None

    def __enter__(self) -> FeatureTap:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def _find(network: nn.Module, layer: str) -> nn.Module:
    network = unwrapped(network)
    layers = {name: module for name, module in network.named_modules() if name}
    if layer not in layers:
        owner, close = type(network).__name__, ", ".join(suggest_layers(network, layer))
        raise ValueError(f"Expected the name of a layer of {owner}, found {layer!r}; use one such as {close}.")
    return layers[layer]
