"""The verdict without outlines: keep the source after a collapse; otherwise only outlines show which is better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite, log
from typing import Any

from monai_sfda.delivery.case_sums import CaseChange
from monai_sfda.delivery.change import describe_change, summarise_change
from monai_sfda.delivery.checks import check_structure
from monai_sfda.delivery.limits import Limits

__all__ = ["WORDS", "judge", "read_verdict"]

WORDS = {"keep-source": "keep-source", "outline": "outline a few images"}
"""Decision in report.json -> decision in words."""
ADVICE = "Only outlines can tell whether that is better or worse: outline a few images and score both networks"
MOST = 4
"""How many structures the sentence describes, at most; the report has all."""


def judge(
    rows: Sequence[CaseChange],
    *,
    limits: Limits | Mapping[str, float] = Limits(),  # noqa: B008
    mask_shares: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Decide from the comparison of source and adapted masks.

    Args:
        rows: one per image and structure.
        limits: thresholds; a mapping overrides some of the defaults.
        mask_shares: see `summarise_change`; of what is close to them nothing is said, only of what is far away.

    Returns:
        ``decision`` (``"keep-source"`` or ``"outline"``), ``sentence`` and the ``checks`` behind it, as
        `check_structure` gives them.
    """
    limits = limits if isinstance(limits, Limits) else Limits.of(limits)
    checks = []
    for name in dict.fromkeys(row.structure for row in rows):
        mine = [row for row in rows if row.structure == name]
        checks += check_structure(name, mine, limits, (mask_shares or {}).get(name))
    failed = [check for check in checks if check["passed"] is False]
    if collapse := [check["finding"] for check in failed if check["fatal"]]:
        decision, sentence = "keep-source", f"Evidence of collapse: {'; '.join(collapse)}"
    elif not rows:
        decision, sentence = "outline", "No image was compared, so nothing is known about the adapted network"
    else:
        changes = _changes(summarise_change(rows, mask_shares=mask_shares), limits)
        findings = [check["finding"] for check in failed]
        found = f". Outside the limits: {'; '.join(findings)}" if findings else ""
        unjudged = "" if any(check["passed"] is not None for check in checks) else ". No check could be made"
        decision, sentence = "outline", f"{changes}{found}{unjudged}. {ADVICE}"
    return {"decision": decision, "sentence": f"{sentence}.", "checks": checks}


def _changes(summary: Mapping[str, Mapping[str, float]], limits: Limits) -> str:
    """Sentence about the structures whose area changed most, in the order of the channels."""
    size = {name: abs(log(ratio)) if isfinite(ratio := row["area_ratio"]) else inf for name, row in summary.items()}
    told = sorted(sorted(size, key=lambda name: -size[name])[:MOST], key=list(summary).index)
    text = "; ".join(describe_change(name, summary[name], limits) for name in told)
    rest = len(summary) - len(told)
    return f"{text}; {rest} more changed less, see the report" if rest else text


def read_verdict(report: Mapping[str, Any]) -> dict[str, Any]:
    """Verdict of a finished run. Other decisions of older versions claimed too much, and are read as ``outline``.

    Args:
        report: content of report.json.

    Returns:
        ``decision`` (one of `WORDS`), ``sentence`` and what else the run kept.

    Raises:
        ValueError: if there is no verdict.
    """
    verdict = report.get("verdict") or {}
    if "decision" not in verdict:
        raise ValueError("Expected a verdict in report.json, found none; adapt again, into another output.")
    if verdict["decision"] in WORDS:
        return dict(verdict)
    failed = [check["name"] for check in verdict.get("checks") or () if check.get("passed") is False]
    checks = f"The checks that failed: {', '.join(failed)}" if failed else "Its checks found no collapse"
    older = f"An older version judged this run, and claimed more than can be known. {checks}"
    return {**verdict, "decision": "outline", "sentence": f"{older}. {ADVICE}."}
