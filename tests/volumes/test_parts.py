"""Volumes are cut into slices or windows: always the same ones, and no voxel is lost."""

import pytest
import torch
from monai.transforms import Lambda

from monai_sfda.data import EpochBatches
from monai_sfda.volumes import ListedParts, VolumeParts


def volume(*shape, case="a.nii.gz"):
    image = torch.arange(1, 1 + torch.Size(shape).numel()).view(1, *shape)
    return {"image": image, "case": case}


def test_every_slice_of_every_volume_is_a_part():
    parts = VolumeParts([volume(3, 4, 6), volume(2, 4, 6, case="b.nii.gz")], [4, 6])
    assert [part["case"] for part in parts] == [
        "a.nii.gz slice 1", "a.nii.gz slice 2", "a.nii.gz slice 3", "b.nii.gz slice 1", "b.nii.gz slice 2",
    ]  # fmt: skip
    assert [part["volume"] for part in parts] == ["a.nii.gz"] * 3 + ["b.nii.gz"] * 2
    assert torch.equal(parts[1]["image"], volume(3, 4, 6)["image"][:, 1])
    assert parts.sampled == "5 slices of 2 volumes"
    assert len(EpochBatches(parts, batch_size=2)) == 2


def test_a_slice_is_centred_cut_where_it_is_larger_and_black_where_it_is_smaller():
    part = VolumeParts([volume(1, 2, 6)], [4, 4])[0]["image"]
    assert part.shape == (1, 4, 4)
    assert torch.equal(part[0, 1:3], volume(1, 2, 6)["image"][0, 0, :, 1:5])
    assert not part[0, [0, 3]].any()


@pytest.mark.parametrize(("column", "said"), [(0, True), (2, False)])
def test_labelled_voxels_that_no_middle_holds_are_told(caplog, column, said):
    """The network would never learn them, and predicts whole slices."""
    item = volume(1, 4, 6)
    item["label"] = torch.zeros_like(item["image"])
    item["label"][..., column] = 1
    VolumeParts([item], [4, 4])
    assert ("100 % of the labelled voxels lie beside the middle 4 x 4 pixels" in caplog.text) == said


@pytest.mark.parametrize("shape", [(4, 6, 6), (5, 6, 9), (9, 13, 7)])
def test_windows_cover_the_volume(shape):
    item = volume(*shape)
    parts = VolumeParts([item], [4, 6, 6])
    seen = torch.cat([part["image"].flatten() for part in parts]).unique()
    assert torch.equal(seen, item["image"].flatten())
    assert {part["image"].shape for part in parts} == {(1, 4, 6, 6)}


def test_a_volume_that_is_smaller_than_a_window_is_surrounded_with_black():
    part = VolumeParts([volume(2, 3, 3)], [4, 6, 6])[0]
    assert part["image"].shape == (1, 4, 6, 6)
    assert part["case"] == "a.nii.gz window 1"
    assert (part["image"] > 0).sum() == 18
    assert part["image"][0, 1:3, 1:4, 1:4].all() or part["image"][0, 1:3, 2:5, 2:5].all()


def test_a_part_of_one_grey_level_is_left_out():
    item = volume(3, 4, 4)
    item["image"][:, 1] = 7
    parts = VolumeParts([item], [4, 4])
    assert [part["case"] for part in parts] == parts.cases == ["a.nii.gz slice 1", "a.nii.gz slice 3"]
    assert parts.sampled == "2 slices of 1 volume"


def test_a_label_is_cut_as_its_image():
    item = volume(2, 3, 8)
    part = VolumeParts([{**item, "label": item["image"]}], [4, 4])[1]
    assert torch.equal(part["label"], part["image"])


def test_a_volume_that_is_asked_for_again_and_again_is_read_once():
    class Reading(list):
        asked = 0

        def __getitem__(self, index):
            self.asked += 1
            return super().__getitem__(index)

    volumes = Reading([volume(5, 4, 4), volume(5, 4, 4, case="b")])
    parts = VolumeParts(volumes, [4, 4])
    assert volumes.asked == 2
    assert parts.cases[-1] == "b slice 5"
    assert volumes.asked == 2
    list(parts)
    assert volumes.asked == 4


def test_a_size_of_one_number_is_refused():
    with pytest.raises(ValueError, match=r"image_size of 2 numbers \(slices\) or 3 \(windows\), found \[4\]; correct"):
        VolumeParts([volume(2, 4, 4)], [4])


def test_listed_volumes_are_read_and_parts_are_changed_whenever_they_are_asked_for():
    read, drawn = [], iter(range(1, 9))

    def transform(item):
        read.append(item["case"])
        return {**volume(2, 4, 4), **item}

    items = [{"case": "a.nii.gz"}, {"case": "b.nii.gz"}]
    parts = ListedParts(items, Lambda(transform), [4, 4], part_transform=lambda part: {**part, "drawn": next(drawn)})
    assert parts.data == items
    assert [part["drawn"] for part in [*parts, *parts]] == list(range(1, 9))
    assert read == ["a.nii.gz", "b.nii.gz"]
