"""Candidates whose masks are nearly the same count as one."""

import nibabel
import numpy as np
import pytest
from PIL import Image

from monai_sfda.candidates.compare import compare, same_as
from monai_sfda.candidates.structures import Structures

STRUCTURES = Structures(["disc", "cup"], [[1, 2], [2]], "sigmoid", True)


def masks(folder, name, arrays):
    """Of each image, the pixels of a row: ids 0, 1, 2."""
    made = {}
    for number, row in enumerate(arrays):
        made[f"{number}.png"] = folder / f"{name}_{number}.png"
        Image.fromarray(np.array([row], np.uint8)).save(made[f"{number}.png"])
    return made


def test_numbers_worked_by_hand(tmp_path):
    drawn = {
        "source": masks(tmp_path, "source", [[1, 1, 2, 2, 0], [0, 0, 0, 0, 0]]),
        "dpl": masks(tmp_path, "dpl", [[0, 1, 2, 0, 0], [0, 0, 0, 0, 0]]),
        "tent": masks(tmp_path, "tent", [[1, 1, 2, 2, 0], [0, 0, 0, 1, 0]]),
    }
    found = compare(drawn, STRUCTURES, keep=tmp_path / "kept.json", made_of={})
    # disc 2 * 2 / (4 + 2), cup 2 * 1 / (2 + 1); two empty masks agree, an empty one and another do not
    assert found.agreement["disc"]["dpl"]["source"] == pytest.approx((2 / 3 + 1) / 2)
    assert found.agreement["cup"]["source"]["dpl"] == pytest.approx((2 / 3 + 1) / 2)
    assert found.agreement["disc"]["source"]["tent"] == pytest.approx(0.5)
    assert found.agreement["cup"]["source"]["tent"] == 1
    assert found.least()["source"]["tent"] == pytest.approx(0.5)
    assert found.disagreement == {"0.png": pytest.approx(1 / 3), "1.png": 1}
    for path in drawn["tent"].values():
        path.unlink()
    assert compare(drawn, STRUCTURES, keep=tmp_path / "kept.json", made_of={}) == found
    with pytest.raises(FileNotFoundError):
        compare(drawn, STRUCTURES, keep=tmp_path / "kept.json", made_of={"dpl": "others"})


def test_volumes_are_compared_voxel_by_voxel(tmp_path, monkeypatch):
    """2 * 3 / (4 + 6), however many voxels there are, and however many are looked at in one go."""
    shape = (70, 80, 60)
    ids = {"source": np.zeros(shape, np.uint8), "dpl": np.zeros(shape, np.uint8)}
    ids["source"][3, 5, 7:11], ids["dpl"][3, 5, 8:14] = 1, 1
    ids["source"][69, 79, 59] = ids["dpl"][69, 79, 59] = 2
    drawn = {name: {"a": tmp_path / f"{name}.nii.gz"} for name in ids}
    for name, array in ids.items():
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), drawn[name]["a"])
    monkeypatch.setattr("monai_sfda.candidates.compare.BYTES", 1)
    structures = Structures(["one", "two"], [[1], [2]], "softmax", False, volumes=True)
    found = compare(drawn, structures, keep=tmp_path / "kept.json", made_of={})
    assert found.agreement["one"]["dpl"]["source"] == pytest.approx(0.6)
    assert found.agreement["two"]["dpl"]["source"] == 1
    assert found.disagreement == {"a": pytest.approx(0.4)}


def agreement(**pairs):
    names = sorted({name for pair in pairs for name in pair.split("_")})
    both = {frozenset(pair.split("_")): dice for pair, dice in pairs.items()}
    return {a: {b: both.get(frozenset((a, b)), float(a == b)) for b in names} for a in names}


def test_the_first_of_those_that_are_alike_stands_for_the_others():
    table = agreement(source_dpl=0.9, source_tent=0.995, dpl_half=0.991, source_half=0.95, tent_dpl=0.9)
    names = ["source", "dpl", "tent", "half"]
    assert same_as(table, names) == {"source": "source", "dpl": "dpl", "tent": "source", "half": "dpl"}


def test_one_candidate_is_left_where_all_are_like_the_source():
    table = agreement(source_dpl=0.996, source_tent=0.992, dpl_tent=1.0)
    assert same_as(table, ["source", "dpl", "tent"]) == {"source": "source", "dpl": "source", "tent": "tent"}


def test_masks_of_another_size_are_one_sentence(tmp_path):
    drawn = {"source": masks(tmp_path, "source", [[1, 1]]), "dpl": masks(tmp_path, "dpl", [[1, 1, 0]])}
    with pytest.raises(ValueError, match=r"masks of 0\.png of one size, found 1x2 and 1x3: the image was changed"):
        compare(drawn, STRUCTURES, keep=tmp_path / "kept.json", made_of={})
