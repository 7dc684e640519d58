import pytest
import torch
from monai.data import Dataset, MetaTensor
from torch.utils.data import DataLoader

from monai_sfda.engines.batch import check_cases, read_batch, read_images

IMAGE = torch.zeros(2, 3, 4, 4)


def test_cases_are_text_whatever_the_data_set_gives():
    assert read_batch({"image": IMAGE, "case": ("a", "b")})[1] == ["a", "b"]
    assert read_batch({"image": IMAGE, "case": torch.tensor([3, 4])})[1] == ["3", "4"]


def test_without_cases_the_files_are_the_cases():
    image = MetaTensor(IMAGE, meta={"filename_or_obj": ["x/1.png", "y/1.png"]})
    assert read_batch({"image": image})[1] == ["x/1.png", "y/1.png"]


@pytest.mark.parametrize("image", [IMAGE, MetaTensor(IMAGE, meta={"filename_or_obj": "x/1.png"})])
def test_images_without_a_name_are_told_how_to_get_one(image):
    with pytest.raises(ValueError, match=r"Expected a 'case' for each image of a batch, found .*; add to each item"):
        read_batch({"image": image})


def test_one_case_for_two_images_is_refused():
    with pytest.raises(ValueError, match=r"found \['a'\] for 2 images"):
        read_batch({"image": IMAGE, "case": ["a"]})


@pytest.mark.parametrize("batch", [[IMAGE], IMAGE, {"img": IMAGE, "case": ["a", "b"]}, {"image": ["a.png", "b.png"]}])
def test_what_is_no_batch_of_images_is_named(batch):
    with pytest.raises(ValueError, match="Expected batches that are dictionaries with a tensor 'image', found "):
        read_batch(batch)


def test_an_array_and_paths_are_named_for_what_they_are():
    with pytest.raises(ValueError, match="where 'image' is a ndarray; let a DataLoader make them"):
        read_batch({"image": IMAGE.numpy(), "case": ["a", "b"]})
    with pytest.raises(ValueError, match=r"where 'image' is a list; .* read files with ReadPhotod"):
        read_batch({"image": ["a.png", "b.png"]})


def test_a_comparison_may_see_labels():
    assert read_images({"image": IMAGE, "case": ["a", "b"], "label": IMAGE})[1] == ["a", "b"]


def test_a_label_is_refused():
    with pytest.raises(ValueError, match="must not reach adaptation"):
        read_batch({"image": IMAGE, "case": ["a", "b"], "label": IMAGE})


def loader(*items):
    return DataLoader(Dataset([dict(zip(("case", "image"), item, strict=True)) for item in items]))


def test_two_images_of_one_name_are_refused():
    check_cases(loader(("a", "x/a.png"), ("b", "y/a.png"), ("a", "x/a.png")))
    with pytest.raises(ValueError, match="a case of its own for each image, found 'a' twice; take the path"):
        check_cases(loader(("a", "x/a.png"), ("a", "y/a.png")))


def test_data_that_cannot_be_looked_through_are_believed():
    check_cases([])
    check_cases(DataLoader(Dataset([{"image": "a.png"}])))
    check_cases(DataLoader([IMAGE, IMAGE]))
