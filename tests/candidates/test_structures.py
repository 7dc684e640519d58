"""What the ids of a bundle's label maps mean."""

import numpy as np
from candidate_support import FUNDUS, NUCLEI
from PIL import Image

from monai_sfda.candidates.structures import read_structures


def test_the_disc_contains_the_cup():
    structures = read_structures(FUNDUS)
    assert structures == (["disc", "cup"], [[1, 2], [2]], "sigmoid", True, ["optic disc", "optic cup"])
    assert not structures.joint
    assert structures.legend() == "0 background, 1 disc, 2 disc + cup"
    channels = structures.channels(Image.fromarray(np.array([[0, 1, 2]], np.uint8)))
    assert channels.tolist() == [[[False, True, True]], [[False, False, True]]]


def test_a_single_structure_is_decided_by_itself():
    assert read_structures(NUCLEI) == (["nucleus"], [[1]], "softmax", False, ["nucleus"])
