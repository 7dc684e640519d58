import base64
import math
import re

from PIL import Image

from monai_sfda.report.curves import history_curves, save_curves
from monai_sfda.report.pictures import PALETTE


def svg(address):
    head, _, body = address.partition(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(body).decode()


def panels(address):
    text = svg(address)
    return sum(f'id="axes_{number}"' in text for number in range(1, 5))


def test_there_is_a_panel_for_each_kind_of_column_that_is_there():
    rows = [{"epoch": 1, "lr": 0.1, "loss": 0.5}, {"epoch": 2, "lr": 0.1, "loss": 0.4}]
    assert panels(history_curves(rows)) == 1
    assert panels(history_curves([row | {"foreground_disc": 0.2, "foreground_cup": 0.1} for row in rows])) == 2
    assert panels(history_curves([row | {"foreground_disc": 0.2, "balance_weight_cup": 0.5} for row in rows])) == 3


def test_there_are_no_curves_without_a_column_to_draw():
    assert history_curves([]) is None
    assert history_curves([{"epoch": 1, "lr": 0.1}]) is None


def test_a_curve_has_the_colour_of_the_outline_of_its_structure():
    text = svg(history_curves([{"epoch": 1, "foreground_cup": 0.1}], ["disc", "cup"]))
    assert PALETTE[1] in text
    assert PALETTE[0] not in text


def test_text_gaps_and_non_finite_values_are_drawn_around():
    rows = [{"epoch": "1", "loss": "0.5"}, {"epoch": "2", "loss": ""}, {"epoch": "3"}, {"epoch": "4", "loss": math.inf}]
    assert history_curves(rows)


def test_the_same_history_gives_the_same_bytes():
    rows = [{"epoch": 1, "loss": 0.5}]
    assert history_curves(rows) == history_curves(rows)


def test_epochs_are_whole_numbers_also_of_a_run_of_one():
    text = svg(history_curves([{"epoch": 1, "loss": 5.0}]))
    assert "<!-- 1 -->" in text
    assert not re.search(r"<!-- (0\.9|1\.0)", text)


def test_the_course_of_a_training_is_saved_as_a_picture(tmp_path):
    rows = [
        {"epoch": "1", "loss": "0.5", "dice": "0.4", "dice_disc": "0.4"},
        {"epoch": "2", "loss": "0.4", "dice_disc": ""},
    ]
    assert panels(history_curves(rows, ["disc"])) == 2  # the mean has none of its own
    save_curves(tmp_path / "training.png", rows, ["disc"])
    assert Image.open(tmp_path / "training.png").format == "PNG"
    save_curves(tmp_path / "none.png", [])
    assert not (tmp_path / "none.png").exists()
