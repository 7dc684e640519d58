"""The comparison with CBMT's released code, without that code: what it is given, and how weights travel."""

import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from bundle_support import ROOT, write_images
from PIL import Image

from monai_sfda.networks import DeepLabV3Plus
from monai_sfda.networks.released import convert_released

RELEASED = runpy.run_path(str(ROOT / "tests" / "networks" / "released_layout.py"))


@pytest.fixture(scope="module")
def script():
    return SimpleNamespace(**runpy.run_path(str(ROOT / "scripts" / "benchmark_released.py")))


def test_the_released_code_is_given_blank_labels(script, tmp_path):
    assert script.lay_out(write_images(tmp_path / "images", 3), tmp_path / "data") == 3
    target = tmp_path / "data" / "Target"
    masks = sorted((target / "train" / "ROIs" / "mask").iterdir())
    assert [path.name for path in masks] == ["case_0.png", "case_1.png", "case_2.png"]
    assert not any(np.asarray(Image.open(path)).any() for path in masks)
    assert not list((target / "test" / "ROIs" / "image").iterdir())


def test_images_that_the_released_code_cannot_take_are_refused(script, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="Expected png files"):
        script.lay_out(tmp_path / "empty", tmp_path / "a")
    with pytest.raises(SystemExit, match="leave no image alone, found 9 images"):
        script.lay_out(write_images(tmp_path / "nine", 9), tmp_path / "b")


def test_weights_come_back_from_the_names_as_they_went(script):
    weights, names = DeepLabV3Plus().state_dict(), list(RELEASED["weights"](False))
    theirs = script.to_released(weights, SimpleNamespace(state_dict=lambda: dict.fromkeys(names)))
    assert list(theirs) == names
    back, decoder = convert_released(theirs)
    assert decoder == "plain"
    assert all((back[name] == weights[name]).all() for name in weights)


def test_a_wrong_clone_and_a_used_folder_are_one_sentence(script, tmp_path):
    with pytest.raises(SystemExit, match="Expected a clone of the released code"):
        script.main(str(tmp_path), str(tmp_path), output=str(tmp_path / "new"))
    (tmp_path / "train_target.py").touch()
    with pytest.raises(SystemExit, match="Expected a new folder"):
        script.main(str(tmp_path), str(tmp_path), output=str(tmp_path))
