"""Check that everything that works between the steps of a run is among its handlers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from monai_sfda.engines.parts import is_network, name_of, parts_of, same_network
from monai_sfda.networks.moved import mover_of

__all__ = ["check_attached", "check_moved", "check_order", "moving_networks"]


def check_attached(users: dict[str, object], handlers: Sequence[Any]) -> None:
    """Check that every part that has to be attached is a handler of the run.

    Args:
        users: name -> what the step uses, such as the labeller.
        handlers: of the run, in their order.

    Raises:
        ValueError: if a handler cannot be attached, or a part that can be is none of the handlers.
    """
    for handler in handlers:
        if not _attachable(handler):
            raise ValueError(
                f"Expected train_handlers with a method attach(engine), found {name_of(handler)}; give it to the "
                "labeller or the criterion if it works inside the step."
            )
    fitted = [refiner for handler in handlers for refiner in getattr(handler, "fits", ())]
    for user, root in [*users.items(), *((name_of(handler), handler) for handler in handlers)]:
        for part in parts_of(root):
            if _attachable(part) and not _among(part, handlers):
                raise ValueError(
                    f"Expected {name_of(part)}, which is part of the {user}, among train_handlers, found it attached "
                    "to nothing: it would never do its work; add it to train_handlers."
                )
            if user in users and _fits(part) and not _among(part, fitted):
                raise ValueError(
                    f"Expected a FitRefiners in train_handlers for {name_of(part)}, which must see all images first, "
                    "found none; add FitRefiners(labeller), before a Cached that asks the same labeller."
                )


def check_moved(users: dict[str, object], handlers: Sequence[Any], student: nn.Module) -> None:
    """Check that every network that a part uses, and that should be updated, follows the student of the run.

    Raises:
        ValueError: if a teacher is asked that no handler moves, follows another network, or is not asked by the
            labeller; or if labels are to be asked anew of networks that all stay as they are.
    """
    for user, root in users.items():
        for network in filter(is_network, parts_of(root)):
            mover = mover_of(network)
            if mover is not None and not mover.among(handlers):
                raise ValueError(
                    f"Expected the {mover.name} that moves a network of the {user} among train_handlers, found it "
                    "attached to nothing: that network would never change; add it to train_handlers (or use "
                    "copy.deepcopy of that network, if it is not meant to change)."
                )
    for handler in handlers:
        followed = getattr(handler, "student", None)
        if isinstance(followed, nn.Module) and not same_network(followed, student):
            raise ValueError(
                f"Expected {name_of(handler)} to follow the network that adapts, found another {name_of(followed)}; "
                "make it from the network that is given to the engine."
            )
    _check_teacher_is_asked(users, handlers, student)
    _check_refreshed(handlers, student)


def check_order(handlers: Sequence[Any]) -> None:
    """Check that a handler comes after the handlers whose work, or whose networks, it uses.

    Raises:
        ValueError: if one comes before.
    """
    for place, handler in enumerate(handlers):
        later = handlers[place + 1 :]
        for part in parts_of(handler):
            mover = mover_of(part) if is_network(part) else None
            moved_late = mover is not None and mover.among(later)
            if moved_late or _among(part, later):
                first = mover.name if mover else name_of(part)
                raise ValueError(
                    f"Expected {first} before {name_of(handler)} in train_handlers, found it after; move it "
                    f"forward, because {name_of(handler)} depends on it."
                )


def moving_networks(student: nn.Module, handlers: Sequence[Any]) -> list[nn.Module]:
    """The student, and the networks that handlers of the run move."""
    held = [part for part in parts_of(*handlers) if is_network(part)]
    return [student, *(part for part in held if (mover := mover_of(part)) is not None and mover.among(handlers))]


def _check_teacher_is_asked(users: dict[str, object], handlers: Sequence[Any], student: nn.Module) -> None:
    """Raises ValueError: if the labeller asks the student, while a handler moves networks that nothing asks."""
    asked = list(filter(is_network, parts_of(*users.values())))
    asks_student = any(same_network(network, student) for network in asked)
    for handler in handlers if asks_student else ():
        moved = [part for part in parts_of(handler) if is_network(part) and _moves(handler, part)]
        if moved and not any(_among(network, asked) for network in moved):
            raise ValueError(
                f"Expected the labeller to ask the network of {name_of(handler)}, found that it asks the student; use "
                f"Observe(teacher.network), or take {name_of(handler)} out of train_handlers."
            )


def _check_refreshed(handlers: Sequence[Any], student: nn.Module) -> None:
    """Raises ValueError: if a handler asks every few epochs what can only be answered as before."""
    moving = moving_networks(student, handlers)
    for handler in handlers:
        asked = [part for part in parts_of(handler) if is_network(part)]
        still = asked and not any(same_network(network, mover) for network in asked for mover in moving)
        if getattr(handler, "refresh_every", None) and still:
            raise ValueError(
                f"Expected {name_of(handler)} to ask again (refresh_every) a network that changes, found copies that "
                "stay as they are; add FollowStudent(network, copies=[...]) before it to train_handlers, or ask once."
            )


def _moves(handler: object, network: nn.Module) -> bool:
    mover = mover_of(network)
    return mover is not None and mover.among([handler])


def _among(part: object, others: Sequence[object]) -> bool:
    return any(part is other for other in others)


def _attachable(part: object) -> bool:
    """Whether its class has ``attach(engine)``; an Ignite metric or logger wants more, and is attached by hand."""
    attach = getattr(type(part), "attach", None)
    if attach is None:
        return False
    try:
        inspect.signature(attach).bind("self", "engine")
    except TypeError:
        return False
    return True


def _fits(part: object) -> bool:
    return hasattr(type(part), "study") and hasattr(type(part), "fit")
