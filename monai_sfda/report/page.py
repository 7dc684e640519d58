"""Templates of the reports: pages that open offline, and escape what they are given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, Template

__all__ = ["MISSING", "page_template"]

MISSING = "–"  # noqa: RUF001 - an en dash, as tables show "no value"


def page_template(page: Path, **filters: Callable[[Any], str]) -> Template:
    """A template that may include those of this folder; ``autoescape``: file names and settings are other people's."""
    loader = FileSystemLoader([page.parent, Path(__file__).parent])
    pages = Environment(
        loader=loader, autoescape=True, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters |= filters
    return pages.get_template(page.name)
