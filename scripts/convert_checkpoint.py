"""Convert a checkpoint released with CBMT, DPL or BEAL to the weights of this package's DeepLabV3Plus.

python scripts/convert_checkpoint.py source_model.pth.tar model.pt
python scripts/convert_checkpoint.py after_adaptation.pth.tar model.safetensors --layout cbmt
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from monai_sfda.files import whole_file
from monai_sfda.networks.released import DECODER_OF_LAYOUT, convert_released
from monai_sfda.networks.weights_file import read_weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, convert, write; a mistake ends with one sentence and exit status 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="released checkpoint")
    parser.add_argument("target", type=Path, help="file to write: .pt or .safetensors")
    parser.add_argument("--layout", choices=list(DECODER_OF_LAYOUT), help="its method; left out: seen by its keys")
    options = parser.parse_args(arguments)
    try:
        decoder = convert(options.source, options.target, options.layout)
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    print(f"{options.target}: weights of DeepLabV3Plus(decoder={decoder!r}), channels 0 disc, 1 cup")


def convert(source: Path, target: Path, layout: str | None = None) -> str:
    """Write the converted weights of ``source`` to ``target`` and return the name of their decoder."""
    if target.suffix not in (".pt", ".safetensors"):
        raise ValueError(f"Expected a target that ends with .pt or .safetensors, found {target}; rename it.")
    weights, decoder = convert_released(read_weights(source), layout, source=source)
    with whole_file(target) as draft:
        _write(weights, draft)
    return decoder


def _write(weights: dict[str, Tensor], path: Path) -> None:
    if path.suffix == ".safetensors":
        try:
            from safetensors.torch import save_file
        except ImportError:
            raise ValueError(
                "Expected safetensors to write its format, found it not installed; pip install safetensors."
            ) from None
        save_file({key: weight.contiguous() for key, weight in weights.items()}, path)
    else:
        torch.save(weights, path)


if __name__ == "__main__":
    main()
