"""What the options say about cutting out and scaling."""

from pathlib import Path

import pytest

from monai_sfda.datasets.command import command_line, framing


@pytest.mark.parametrize(
    ("crop", "arguments", "expected"),
    [
        (True, [], {"crop": 800, "size": 512}),
        (True, ["--crop", "600", "--size", "256"], {"crop": 600, "size": 256}),
        (True, ["--full"], {"crop": None, "size": None}),
        (False, [], {"crop": None, "size": 512}),
        (False, ["--full"], {"crop": None, "size": None}),
    ],
)
def test_options_become_pixels(crop, arguments, expected):
    options = command_line("", crop=crop).parse_args(["SOURCE", "OUT", *arguments])
    assert framing(options) == expected
    assert (options.source, options.out) == (Path("SOURCE"), Path("OUT"))


def test_crops_that_are_ready_made_cannot_be_cut_again(capsys):
    with pytest.raises(SystemExit):
        command_line("", crop=False).parse_args(["SOURCE", "OUT", "--crop", "600"])
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--crop", "--size"])
def test_no_pixels_are_refused(option):
    with pytest.raises(ValueError, match=f"Expected {option} to be a number of pixels, found 0"):
        framing(command_line("", crop=True).parse_args(["SOURCE", "OUT", option, "0"]))
