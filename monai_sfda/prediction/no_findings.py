"""The findings of a task that has no code for its organ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from monai_sfda.findings import Findings, Flag, Panel, Prediction

__all__ = ["NO_FINDINGS"]


class _NoFindings(Findings):
    inside: Mapping[int, Sequence[int]] = {}
    flags: Mapping[str, Flag] = {}
    limits: Mapping[str, Any] = {
        "missing": 1,
        "in_pieces": None,
        "gap": 0,
        "at_border": 0,
        "unsure": 0.75,
        "unstable": 0.75,
        "blurred": 0.05,
        "dark": None,
        "overexposed": 0.05,
        "low_contrast": 0.015,
        "narrow_field": None,
    }
    panels: Sequence[Panel] = ()
    close_up = False
    codes: Mapping[int, tuple[str, str, str | None]] = {}

    def columns(self, prediction: Prediction) -> dict[str, Any]:
        return {}

    def facts(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def keep(self, name: str) -> str:
        return ""


NO_FINDINGS = _NoFindings()
"""Areas, pieces, confidence and quality are everything there is to say."""
