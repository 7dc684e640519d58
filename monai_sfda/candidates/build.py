"""A bundle of the networks that were chosen for the structures."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from monai_sfda.candidates.candidate import SOURCE, Candidate
from monai_sfda.candidates.run import KEPT
from monai_sfda.candidates.structures import Structures
from monai_sfda.delivery.bundle import NO_PART, change_configs, define_network
from monai_sfda.files import save_tensors
from monai_sfda.networks import read_weights
from monai_sfda.passport import NAME as PASSPORT
from monai_sfda.passport import read_passport, write_passport

__all__ = ["base_of", "build", "parts_of"]


def build(target: Path, wanted: Mapping[str, Candidate], structures: Structures) -> None:
    """Write a bundle whose structures come from the candidates that are named for them.

    It is a copy of an adapted bundle, or of the source's if nothing else is wanted, with the weights and options that
    it was compared with. If several networks are needed, it runs each of them once (`monai_sfda.networks.Joined`).
    The cut-offs of the structures are in its passport, or in its configs where those hold numbers.

    Args:
        target: folder to write; nothing is there.
        wanted: structure -> candidate, of all structures.
        structures: of the bundle.

    Raises:
        ValueError: if weights that are to be mixed are not of one network.
    """
    base, networks = base_of(wanted), parts_of(wanted.values())
    shutil.copytree(base.bundle, target, ignore=shutil.ignore_patterns(*NO_PART))
    _keep_options(target, base)
    if len(networks) > 1:
        joined = _joined(wanted, networks, structures)
        change_configs(target, lambda config: {"network_def": joined} if "network_def" in config else {})
        states = enumerate(map(_state, networks))
        together = {f"networks.{place}.{name}": value for place, state in states for name, value in state.items()}
        _put_weights(target, base, together)
    elif networks[0].mixed:
        _put_weights(target, base, _state(networks[0]))
    elif base.weights.resolve() != (base.bundle / "models" / "model.pt").resolve():
        _put_weights(target, base)
    cutoffs = {name: one.cutoffs([name], structures.head)[name] for name, one in wanted.items()}
    if cutoffs != base.network().cutoffs(list(wanted), structures.head):
        _put_cutoffs(target, cutoffs)


def base_of(wanted: Mapping[str, Candidate]) -> Candidate:
    """The candidate whose bundle is copied: the first that is not the source itself."""
    return next((one for one in wanted.values() if one.network().name != SOURCE), next(iter(wanted.values())))


def parts_of(wanted: Iterable[Candidate]) -> list[Candidate]:
    """The distinct networks that have to run for these candidates."""
    parts: list[Candidate] = []
    for part in (part for one in wanted for part in one.parts()):
        if part not in parts:
            parts.append(part)
    return parts


def _joined(wanted: Mapping[str, Candidate], networks: Sequence[Candidate], structures: Structures) -> dict[str, Any]:
    channels = [[networks.index(part) for part in wanted[name].parts()] for name in structures.names]
    if structures.head == "softmax":
        channels = [channels[0], *channels]  # the background comes from the same networks
    return {
        "_target_": "monai_sfda.networks.Joined",
        "_desc_": ", ".join(f"{name}: {one.name}" for name, one in wanted.items()),
        "networks": [network.network_def() for network in networks],
        "channels": channels,
        "head": structures.head,
    }


def _state(network: Candidate) -> dict[str, Tensor]:
    own = read_weights(network.weights)
    if network.mixed is None:
        return own
    source = read_weights(network.mixed.source.weights)
    if {name: value.shape for name, value in own.items()} != {name: value.shape for name, value in source.items()}:
        raise ValueError(
            f"Expected weights of one network in {network.weights} and {network.mixed.source.weights}, found others; "
            "they cannot be mixed."
        )
    return {name: source[name].lerp(value, 0.5) if value.is_floating_point() else value for name, value in own.items()}


def _put_weights(bundle: Path, base: Candidate, state: Mapping[str, Tensor] | None = None) -> None:
    """Weights and passport; without ``state`` those of ``base``."""
    own = bundle / "models" / "model.pt"
    own.parent.mkdir(exist_ok=True)
    if state is None:
        shutil.copyfile(base.weights, own)
    else:
        save_tensors(dict(state), own)
    own.with_name(PASSPORT).unlink(missing_ok=True)
    if facts := read_passport(base.weights):
        write_passport(own, **facts)


def _put_cutoffs(bundle: Path, cutoffs: Mapping[str, float]) -> None:
    own = bundle / "models" / "model.pt"
    write_passport(own, **read_passport(own) | {"cutoff": dict(cutoffs), "cutoff_of": "the choice with outlines"})
    plain = {"cutoff": dict(cutoffs)}
    change_configs(bundle, lambda config: {} if isinstance(config.get("cutoff", ""), str) else plain)


def _keep_options(bundle: Path, base: Candidate) -> None:
    kept = {name: value for name, value in base.options.items() if name in KEPT}
    change_configs(bundle, lambda config: {name: value for name, value in kept.items() if name in config})
    define_network(bundle, base.options)
