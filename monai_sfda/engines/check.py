"""Check before the first step whether the parts of a run fit together."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from monai_sfda.engines.attached import check_attached, check_moved, check_order, moving_networks
from monai_sfda.engines.kept import check_kept
from monai_sfda.engines.parts import is_network, name_of, parts_of, same_network
from monai_sfda.networks.layers import check_feature_layer
from monai_sfda.protocols import takes

__all__ = ["check_wiring"]

STEP = ("image", "case", "weak", "strong", "pred")
REMEDIES = {"pseudo": "give the engine a labeller", "features": "give the engine a feature_layer"}


def check_wiring(
    *,
    device: torch.device,
    network: nn.Module,
    optimizer: Optimizer,
    adapted: nn.Module | None,
    handlers: Sequence[Any],
    feature_layer: str | None,
    users: Mapping[str, object],
    step: Sequence[str] | None = None,
    others: Sequence[tuple[Any, str]] = (),
) -> None:
    """Refuse a run whose parts do not fit.

    Args:
        device: of the engine.
        network: the student.
        optimizer: moves the student.
        adapted: what the run is to deliver; None for the student.
        handlers: in their order.
        feature_layer: of the engine.
        users: what the step uses: ``labeller`` (or None), ``criterion``, ``views``, ``mode`` and what else there is.
        step: names by which the criterion is given its parts; None: those of `AdaptTrainer`.
        others: further networks and optimizers of the run, and what they are called.

    Raises:
        ValueError: for the first thing that does not fit.
    """
    _check_kinds(network, optimizer)
    criterion = users["criterion"]
    if step is None:
        step = [*STEP, *["pseudo"] * (users["labeller"] is not None), *["features"] * (feature_layer is not None)]
    _check_calls(users)
    _check_criterion(criterion, step)
    check_attached(dict(users), handlers)
    check_moved(dict(users), handlers, network)
    check_order(handlers)
    check_kept(network, optimizer, handlers, others)
    _check_heads(parts_of(*users.values(), *handlers))
    _check_devices(device, [network, *filter(is_network, parts_of(*users.values()))])
    _check_optimizer(network, optimizer, criterion)
    _check_followed([optimizer, *(part for part, _ in others if isinstance(part, Optimizer))], handlers)
    _check_adapted(adapted, network, handlers)
    if feature_layer is not None:
        check_feature_layer(network, feature_layer)


def _check_kinds(network: Any, optimizer: Any) -> None:
    for part, kind, remedy in (
        (network, nn.Module, "give a network that was made, as in BasicUNet(...), and filled, as by load_network"),
        (optimizer, Optimizer, "give one such as torch.optim.Adam(network.parameters())"),
    ):
        if not isinstance(part, kind):
            found = f"the class {name_of(part)}" if isinstance(part, type) else f"a {type(part).__name__}"
            raise ValueError(f"Expected a torch {kind.__name__}, found {found}; {remedy}.")


def _check_calls(users: Mapping[str, object]) -> None:
    remedies = {
        "labeller": ("images and their cases", 2, "use PseudoLabeller(Observe(network), refiners=[...])"),
        "views": ("images", 1, "use WeakStrongViews()"),
        "mode": ("a network", 1, "use a function of monai_sfda.networks such as track_stats"),
    }
    for name, (taken, count, remedy) in remedies.items():
        part = users[name]
        if part is not None and not takes(part, count):
            raise ValueError(f"Expected {name} to be a call that takes {taken}, found {name_of(part)}; {remedy}.")


def _check_heads(parts: Iterable[object]) -> None:
    owners: dict[str, list[str]] = {}
    for part in parts:
        head = getattr(part, "__dict__", {}).get("head")
        if head in ("sigmoid", "softmax"):
            owners.setdefault(head, []).append(type(part).__name__)
    if len(owners) > 1:
        found = " and ".join(f"{head!r} in {', '.join(dict.fromkeys(names))}" for head, names in sorted(owners.items()))
        raise ValueError(
            f"Expected one head in all parts of a run, found {found}; give every part the head that the network was "
            "trained with."
        )


def _check_devices(device: torch.device, networks: Iterable[nn.Module]) -> None:
    for network in networks:
        found = next(network.parameters()).device if is_network(network) else device
        if found.type != device.type or (None not in (found.index, device.index) and found.index != device.index):
            raise ValueError(
                f"Expected all networks on the device of the engine, {device}, found {type(network).__name__} on "
                f"{found}; move it there with .to({str(device)!r})."
            )


def _check_optimizer(network: nn.Module, optimizer: Optimizer, criterion: object) -> None:
    own = {id(parameter) for parameter in network.parameters()}
    given = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if not any(id(parameter) in own for parameter in given):
        raise ValueError(
            "Expected an optimizer over parameters of the network that adapts, found one over those of another; make "
            "it from network.parameters() of the network that is given to the engine."
        )
    if getattr(criterion, "learns", True) and not any(p.requires_grad for p in given if id(p) in own):
        raise ValueError(
            f"Expected an optimizer over parameters that require a gradient, found that all {len(given)} are frozen; "
            "call requires_grad_(True) on those that are to learn, or use the criterion NoLoss if nothing is."
        )


def _check_followed(optimizers: Sequence[Optimizer], handlers: Sequence[Any]) -> None:
    """What handlers schedule, or write down, are optimizers of the run."""
    for handler in handlers:
        for part in parts_of(handler):
            other = getattr(part, "__dict__", {}).get("optimizer")
            if isinstance(other, Optimizer) and not any(other is own for own in optimizers):
                raise ValueError(
                    f"Expected {name_of(handler)} to use the optimizer that is given to the engine, found another "
                    f"{type(other).__name__}; give both the same."
                )


def _check_criterion(criterion: Any, step: Sequence[str]) -> None:
    """A criterion, and each that it sums, can be called with the parts of the step."""
    call: Callable = criterion.forward if isinstance(criterion, nn.Module) else criterion
    name = name_of(criterion)
    if not callable(call):
        raise ValueError(f"Expected a criterion that can be called, found {name}; give a loss such as MaskedBCE().")
    try:
        inspect.signature(call).bind(**dict.fromkeys(step))
    except TypeError as error:
        wanted = [name for name in inspect.signature(call).parameters if name in REMEDIES and name not in step]
        wrapped = f"wrap it, as in lambda *, pred, pseudo, **_: {name}(pred, pseudo.label)"
        remedy = REMEDIES[wanted[0]] if wanted else wrapped
        raise ValueError(
            f"Expected a criterion that takes what it needs of {', '.join(step)} by keyword and ignores the rest "
            f"(**_), found {name}: {error}; {remedy}."
        ) from None
    except ValueError:
        return  # a built-in function that does not say what it takes
    for part in dict(getattr(criterion, "criteria", None) or {}).values():
        _check_criterion(part, step)


def _check_adapted(adapted: nn.Module | None, network: nn.Module, handlers: Sequence[Any]) -> None:
    moving = moving_networks(network, handlers)
    if adapted is not None and not any(same_network(adapted, other) for other in moving):
        raise ValueError(
            f"Expected the network to deliver (adapted) to be the one that adapts or a teacher among train_handlers, "
            f"found a {type(adapted).__name__} that this run does not change; give network or teacher.network."
        )
