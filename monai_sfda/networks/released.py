"""Checkpoints released with CBMT, DPL and BEAL, as weights of :class:`~monai_sfda.networks.DeepLabV3Plus`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from monai_sfda.networks.deeplab import DeepLabV3Plus
from monai_sfda.networks.load import assign_weights

__all__ = ["DECODER_OF_LAYOUT", "LAST", "convert_released", "rename"]

# Which decoder each method's released network has; DPL and BEAL share all their keys.
DECODER_OF_LAYOUT = {"cbmt": "plain", "dpl": "boundary", "beal": "boundary"}

# The released encoder is stored three times; these two are views of "backbone.features".
COPIES = ("backbone.low_level_features.", "backbone.high_level_features.")

# Released name of each group of weights -> the name here. Blocks of the encoder are flat there and nested here.
BLOCK = r"^backbone\.features\.(\d+)\.conv\."
RULES = (
    (r"^backbone\.features\.1\.conv\.3\.", "encoder.features.1.conv.1."),
    (r"^backbone\.features\.1\.conv\.4\.", "encoder.features.1.conv.2."),
    (BLOCK + r"([01])\.", r"encoder.features.\1.conv.0.\2."),
    (BLOCK + r"3\.", r"encoder.features.\1.conv.1.0."),
    (BLOCK + r"4\.", r"encoder.features.\1.conv.1.1."),
    (BLOCK + r"6\.", r"encoder.features.\1.conv.2."),
    (BLOCK + r"7\.", r"encoder.features.\1.conv.3."),
    (r"^backbone\.", "encoder."),
    (r"^aspp\.aspp(\d)\.atrous_conv\.", lambda found: f"aspp.branches.{int(found[1]) - 1}.0."),
    (r"^aspp\.aspp(\d)\.bn\.", lambda found: f"aspp.branches.{int(found[1]) - 1}.1."),
    (r"^aspp\.global_avg_pool\.1\.", "aspp.pool.conv."),
    (r"^aspp\.global_avg_pool\.2\.", "aspp.pool.norm."),
    (r"^aspp\.conv1\.", "aspp.project.0."),
    (r"^aspp\.bn1\.", "aspp.project.1."),
    (r"^decoder\.conv1\.", "decoder.low_level.0."),
    (r"^decoder\.bn1\.", "decoder.low_level.1."),
    (r"^decoder\.last_conv_boundary\.", "decoder.boundary."),
    (r"^decoder\.last_conv_1\.", "decoder.feature."),
    (r"^decoder\.last_conv(_2)?\.", "decoder.head."),
)
LAST = {"plain": "decoder.head.1.", "boundary": "decoder.head.3."}


def convert_released(
    weights: Mapping[str, Tensor], layout: str | None = None, *, source: object = "the checkpoint"
) -> tuple[dict[str, Tensor], str]:
    """Rename released weights and put the channels in this package's order: theirs are cup, disc; ours disc, cup.

    Args:
        weights: state dict of the released network.
        layout: "cbmt", "dpl" or "beal"; None looks at the keys.
        source: where the weights come from, for the messages.

    Returns:
        State dict of ``DeepLabV3Plus(decoder=...)`` and the name of that decoder.

    Raises:
        ValueError: if the weights are not those of the layout.
    """
    decoder = _decoder_of(weights, source)
    if layout is not None and DECODER_OF_LAYOUT.get(layout) != decoder:
        fitting = [name for name, kind in DECODER_OF_LAYOUT.items() if kind == decoder]
        raise ValueError(f"Expected layout to be one of {fitting} for {source}, found {layout!r}; leave it out.")
    converted = {rename(key): weight for key, weight in weights.items() if not key.startswith(COPIES)}
    last = LAST[decoder]
    converted = {key: weight.flip(0) if key.startswith(last) else weight for key, weight in converted.items()}
    network = DeepLabV3Plus(decoder=decoder)
    assign_weights(network, converted, source=source)
    return network.state_dict(), decoder


def _decoder_of(weights: Mapping[str, Tensor], source: object) -> str:
    if any(key.startswith("decoder.last_conv_boundary.") for key in weights):
        return "boundary"
    if any(key.startswith("decoder.last_conv_1.") for key in weights):
        return "plain"
    raise ValueError(
        f"Expected the released network of CBMT, DPL or BEAL in {source}, found keys such as {list(weights)[:3]}; "
        "only their DeepLabV3+ on MobileNetV2 can be converted."
    )


def rename(key: str) -> str:
    """Released name of a weight -> its name here."""
    for pattern, name in RULES:
        renamed, count = re.subn(pattern, name, key)
        if count:
            return renamed
    return key
