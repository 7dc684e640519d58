import json

import numpy as np
import pytest
import torch
from PIL import Image

from monai_sfda.transforms import SaveMaskd

MASK = torch.tensor([[[0, 1], [2, 0], [1, 1]]], dtype=torch.uint8)  # (1, W, H)


def test_the_mask_is_upright(tmp_path):
    SaveMaskd("pred", output_dir=tmp_path)({"pred": MASK, "output": "s/a.png"})
    assert np.array_equal(np.asarray(Image.open(tmp_path / "s" / "a.png")), MASK[0].T)


def test_a_row_travels_in_the_file(tmp_path):
    row = {"file": "ä 写真.png", "cup": 0.5, "flags": {}, "none": None}
    SaveMaskd("pred", output_dir=tmp_path)({"pred": MASK, "output": "a.png", "row": row})
    with Image.open(tmp_path / "a.png") as picture:
        assert json.loads(picture.text["monai_sfda"]) == row


def test_an_item_without_a_row_is_saved_without(tmp_path):
    SaveMaskd("pred", output_dir=tmp_path)({"pred": MASK, "output": "a.png"})
    with Image.open(tmp_path / "a.png") as picture:
        assert "monai_sfda" not in picture.text


def test_a_mask_that_is_there_is_kept_on_request(tmp_path):
    SaveMaskd("pred", output_dir=tmp_path)({"pred": MASK, "output": "a.png"})
    before = (tmp_path / "a.png").read_bytes()
    SaveMaskd("pred", output_dir=tmp_path, replace=False)({"pred": 0 * MASK, "output": "a.png"})
    assert (tmp_path / "a.png").read_bytes() == before
    SaveMaskd("pred", output_dir=tmp_path)({"pred": 0 * MASK, "output": "a.png"})
    assert (tmp_path / "a.png").read_bytes() != before


def test_an_item_that_does_not_name_its_mask_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="Expected items that name their mask as 'output', found 'image', 'pred'; add a"
    ):
        SaveMaskd("pred", output_dir=tmp_path)({"image": "a.png", "pred": torch.zeros(1, 4, 4)})
