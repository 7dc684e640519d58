import threading
from pathlib import Path

import pytest
import torch
from monai.data import Dataset, MetaTensor
from PIL import Image

from monai_sfda.data import PendingBatches, TolerantLoader
from monai_sfda.failures import Failures
from monai_sfda.transforms import SaveMaskd

ITEMS = [{"image": f"/secret/{i}.png", "case": f"{i}.png", "output": f"{i}.png"} for i in range(7)]


class Read:
    def __init__(self, bad=()):
        self.bad, self.threads = set(bad), set()

    def __call__(self, item):
        self.threads.add(threading.get_ident())
        if int(item["case"][0]) in self.bad:
            raise OSError(5, "Input/output error", item["image"])
        return {**item, "image": MetaTensor(torch.full((1, 2, 2), float(item["case"][0])))}


def loader(tmp_path, bad=(), **kwargs):
    read, failures = Read(bad), Failures()
    batches = PendingBatches(ITEMS, 3, output_dir=tmp_path, **kwargs)
    return TolerantLoader(Dataset(ITEMS, read), batches, failures=failures), read, failures


def shown(batches):
    return [[item["case"][0] for item in batch["items"]] for batch in batches]


def test_batches_are_in_order_and_read_in_other_threads(tmp_path):
    batches, read, failures = loader(tmp_path)
    found = list(batches)
    assert shown(found) == [["0", "1", "2"], ["3", "4", "5"], ["6"]]
    assert len(batches) == 3
    assert found[1]["image"].shape == (3, 1, 2, 2)
    assert type(found[1]["image"]) is torch.Tensor
    assert threading.get_ident() not in read.threads
    assert failures.rows == {}


def test_a_bad_file_leaves_its_batch_and_the_others_stay_where_they_are(tmp_path):
    batches, _, failures = loader(tmp_path, bad=[1])
    assert shown(batches) == [["0", "2"], ["3", "4", "5"], ["6"]]
    assert failures.rows == {"1.png": "Input/output error"}


def test_a_batch_of_bad_files_is_left_out(tmp_path):
    assert shown(loader(tmp_path, bad=[3, 4, 5])[0]) == [["0", "1", "2"], ["6"]]


def test_no_more_is_read_than_is_asked_for(tmp_path):
    items = [{"image": "", "case": f"{i % 10}.png"} for i in range(100)]
    read = []
    dataset = Dataset(items, lambda item: read.append(1) or {**item, "image": torch.zeros(1)})
    batches = [[i] for i in range(100)]
    walk = iter(TolerantLoader(dataset, batches, failures=Failures(), ahead=2))
    next(walk)
    walk.close()
    assert len(read) <= 4


def test_a_plain_datalist_of_monai_will_do(tmp_path):
    items = [{"image": f"/secret/{i}.png"} for i in range(3)]

    def read(item):
        if item["image"].endswith("1.png"):
            raise ValueError("broken")
        return {"image": torch.zeros(1)}

    failures = Failures()
    batches = PendingBatches(items, 2, output_dir=tmp_path)
    assert [len(batch["items"]) for batch in TolerantLoader(Dataset(items, read), batches, failures=failures)] == [1, 1]
    assert failures.rows == {"/secret/1.png": "broken"}
    with pytest.raises(ValueError, match=r"Expected items with output, .*, found none in that of /secret/0.png; list"):
        PendingBatches(items, 2, output_dir=tmp_path, skip_done=True)


def test_what_is_done_is_skipped_by_whole_batches(tmp_path):
    for name in ("0.png", "1.png", "2.png", "3.png"):
        (tmp_path / name).touch()
    assert list(PendingBatches(ITEMS, 3, output_dir=tmp_path, skip_done=True)) == [[3, 4, 5], [6]]
    assert list(PendingBatches(ITEMS, 3, output_dir=tmp_path)) == [[0, 1, 2], [3, 4, 5], [6]]


def test_a_mask_of_another_picture_is_made_anew(tmp_path):
    images, masks = tmp_path / "images", tmp_path / "masks"
    items = [{"image": str(images / f"{i}.png"), "case": f"{i}.png", "output": f"{i}.png"} for i in range(4)]
    save = SaveMaskd("pred", output_dir=masks)
    images.mkdir()
    for item in items:
        Path(item["image"]).write_text(item["case"])
        save({**item, "pred": MetaTensor(torch.zeros(1, 4, 4), meta={"filename_or_obj": item["image"]})})
    Path(items[1]["image"]).write_text("another")
    Image.new("L", (4, 4)).save(masks / "2.png")  # by hand
    Path(items[2]["image"]).write_text("another")
    Path(items[3]["image"]).unlink()
    assert list(PendingBatches(items, 1, output_dir=masks, skip_done=True)) == [[1]]
    assert sorted(path.name for path in masks.iterdir()) == ["0.png", "2.png", "3.png"]


@pytest.mark.parametrize("world", [1, 2, 3, 5])
def test_processes_share_the_list_without_a_gap_or_a_repetition(tmp_path, become, world):
    shared = []
    for rank in range(world):
        become(rank, world)
        shared += [index for batch in PendingBatches(ITEMS, 2, output_dir=tmp_path) for index in batch]
    assert sorted(shared) == list(range(7))


def test_shares_do_not_depend_on_what_is_done_already(tmp_path, become):
    (tmp_path / "0.png").touch()  # by another process, which started earlier
    become(1, 2)
    assert list(PendingBatches(ITEMS, 1, output_dir=tmp_path, skip_done=True)) == [[1], [3], [5]]
