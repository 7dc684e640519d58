import pytest
import torch
from monai.data import MetaTensor

from monai_sfda.transforms import NestedLabeld

IDS = torch.tensor([[[0, 1, 2], [0, 0, 1]]])  # (1, 2, 3): background, rim, cup


def fundus(mask, **entries):
    return NestedLabeld("label", [[1, 2], [2]], names=["optic disc", "optic cup"])({"label": mask, **entries})["label"]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.int64])
def test_the_disc_channel_contains_the_cup(dtype):
    label = fundus(IDS.to(dtype))
    assert label.dtype == torch.float32
    assert label.tolist() == [[[0, 1, 1], [0, 0, 1]], [[0, 0, 1], [0, 0, 0]]]


def test_one_channel_and_three_axes_work_alike():
    label = NestedLabeld("label", [[1]])({"label": torch.ones(1, 2, 3, 4)})["label"]
    assert torch.equal(label, torch.ones(1, 2, 3, 4))


def test_a_label_keeps_its_metadata():
    mask = MetaTensor(IDS, meta={"filename_or_obj": "/data/eye.png"})
    label = fundus(mask)
    assert label.meta["filename_or_obj"] == "/data/eye.png"


def test_unknown_ids_name_the_case_the_ids_and_the_remedy():
    message = (
        r"Expected the class ids 0, 1, 2 \(optic disc 1\+2, optic cup 2\) in the mask of site/eye.png, found 0, 255; "
        "save these ids alone"
    )
    with pytest.raises(ValueError, match=message):
        fundus(torch.tensor([[[0, 255]]]), case="site/eye.png")
    with pytest.raises(ValueError, match=r"in the mask of eye.png, found 0, 0.5; "):
        fundus(MetaTensor(torch.tensor([[[0, 0.5]]]), meta={"filename_or_obj": "/data/eye.png"}))


def test_a_mask_of_several_channels_is_refused():
    with pytest.raises(ValueError, match=r"Expected a label map of one channel \(1, \*S\) in case a, found \(3,"):
        fundus(torch.zeros(3, 2, 2), case="a")


def test_names_must_match_the_channels():
    with pytest.raises(ValueError, match="a name for each of their channels"):
        NestedLabeld("label", [[1, 2], [2]], names=["disc"])
