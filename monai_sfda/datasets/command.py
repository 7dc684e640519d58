"""Command-line options that all scripts for preparing datasets share."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["command_line", "framing", "volume_command_line"]

CROP = 800  # pixels of the original photograph; docs/data.md says why


def command_line(about: str | None, *, crop: bool) -> argparse.ArgumentParser:
    """What the scripts have in common: SOURCE OUT [--size] [--crop] [--full]; ``crop`` for whole photographs."""
    parser = _source_and_out(about, "new folder for SPLIT/{image,mask}/NAME.png")
    parser.add_argument("--size", type=int, default=512, help="side of the images written, in pixels (512)")
    if crop:
        parser.add_argument("--crop", type=int, default=CROP, help=f"square cut out around the disc, pixels ({CROP})")
    parser.add_argument("--full", action="store_true", help="neither cut out nor scale")
    return parser


def volume_command_line(about: str | None) -> argparse.ArgumentParser:
    """What the scripts for volumes have in common: SOURCE OUT."""
    return _source_and_out(about, "new folder for {image,mask}/NAME.nii.gz and index.csv")


def framing(options: argparse.Namespace) -> dict[str, int | None]:
    """Return ``crop`` and ``size`` from the options of `command_line`; None where nothing is to be done."""
    chosen = {"crop": getattr(options, "crop", None), "size": options.size}
    for name, pixels in chosen.items():
        if pixels is not None and pixels < 1:
            raise ValueError(f"Expected --{name} to be a number of pixels, found {pixels}.")
    return {name: None if options.full else pixels for name, pixels in chosen.items()}


def _source_and_out(about: str | None, out: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="folder where the official download was unpacked")
    parser.add_argument("out", type=Path, help=out)
    return parser
