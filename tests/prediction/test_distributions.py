import base64

from monai_sfda.organs.fundus import DiscAndCup
from monai_sfda.prediction.distributions import histograms

EYE = {1: "optic disc", 2: "optic cup"}
FUNDUS = DiscAndCup(disc=1, cup=2)


def svg(address):
    kind, content = address.split(",")
    assert kind == "data:image/svg+xml;base64"
    return base64.b64decode(content).decode()


def rows(count=50):
    return [{"vertical_cup_to_disc_ratio": n / count, "optic_disc_confidence": 0.9, "n": n} for n in range(count)]


def test_a_panel_for_each_number_that_is_there():
    drawn = svg(histograms(rows(), EYE, FUNDUS))
    assert drawn.count('id="axes_') == 2  # no confidence of the cup
    assert svg(histograms([{"nucleus_pixels": 3, "nucleus_confidence": None}], {1: "nucleus"})).count('id="axes_') == 1


def test_no_number_no_picture():
    assert histograms([], EYE, FUNDUS) is None
    assert histograms([{"vertical_cup_to_disc_ratio": None}], EYE, FUNDUS) is None


def test_same_rows_same_bytes():
    assert histograms(rows(), EYE, FUNDUS) == histograms(rows(), EYE, FUNDUS)
