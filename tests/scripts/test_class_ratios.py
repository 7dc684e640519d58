"""The script that measures source masks: a folder in, a file that the recipes read out."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_sfda.losses import source_ratios

FUNDUS = str(Path(__file__).parents[2] / "bundles" / "fundus_disc_cup")
main = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "class_ratios.py"))["main"]


@pytest.fixture
def dataset(tmp_path):
    """Two images; disc 8 and 4 of 16 pixels, cup 2 and 0."""
    for name in ("image", "mask"):
        (tmp_path / name).mkdir()
    for case, rim, cup in (("a", 6, 2), ("b", 4, 0)):
        ids = np.array([1] * rim + [2] * cup + [0] * (16 - rim - cup), dtype=np.uint8).reshape(4, 4)
        Image.fromarray(ids).save(tmp_path / "mask" / f"{case}.png")
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "image" / f"{case}.png")
    return tmp_path


def test_overlapping_channels_are_measured_by_hand_and_read_back(dataset, capsys):
    target = dataset / "ratios.json"
    main([str(dataset), str(target), "disc=1,2", "cup=2", "--data", "two drawings", "--bundle", FUNDUS])
    assert json.loads(target.read_text()) == {
        "data": "two drawings",
        "images": 2,
        "channels": {"disc": [1, 2], "cup": [2]},
        "ratios": {"disc": 0.375, "cup": 0.0625},
        "spread": {"disc": 0.125, "cup": 0.0625},
    }
    prior = source_ratios(target, structures={"disc": 0, "cup": 1})
    assert prior(["x"]).tolist() == [[0.375, 0.0625]]
    assert "disc 37.50 %, cup 6.25 %" in capsys.readouterr().out


def test_exclusive_classes_add_up_to_one(dataset):
    target = dataset / "ratios.json"
    main([str(dataset), str(target), "background=0", "rim=1", "cup=2", "--bundle", FUNDUS])
    assert sum(json.loads(target.read_text())["ratios"].values()) == pytest.approx(1, abs=2e-6)  # six digits each


def test_a_csv_is_a_table_of_sizes(dataset, capsys):
    main([str(dataset), str(dataset / "sizes.csv"), "background=0", "rim=1", "cup=2", "--bundle", FUNDUS])
    assert (dataset / "sizes.csv").read_text().splitlines() == [
        "val_ids;dumbpredwtags;dumbprednotags",
        "a.png;[36864, 20480, 8192];[36864, 20480, 8192]",
        "b.png;[45056, 20480, 0];[36864, 20480, 8192]",
    ]
    assert "rim 20480 pixels" in capsys.readouterr().out


def test_images_are_for_a_table_only(dataset, capsys):
    with pytest.raises(SystemExit):
        main([str(dataset), str(dataset / "ratios.json"), "background=0", "cup=1", "--images", str(dataset)])
    assert "Expected a file NAME.csv with --images" in capsys.readouterr().err


def test_an_unknown_class_ends_with_one_sentence(dataset):
    with pytest.raises(SystemExit, match=r"Expected the class ids 0, 1 .*found 0, 1, 2"):
        main([str(dataset), str(dataset / "ratios.json"), "background=0", "nucleus=1", "--bundle", FUNDUS])
    assert not (dataset / "ratios.json").exists()


def test_a_file_outside_of_a_bundle_needs_one(dataset):
    with pytest.raises(SystemExit, match=r"Expected a bundle with configs/train_denoiser\.json .*give --bundle"):
        main([str(dataset), str(dataset / "ratios.json"), "disc=1"])


def test_channels_without_ids_are_a_usage_error(dataset, capsys):
    with pytest.raises(SystemExit):
        main([str(dataset), str(dataset / "ratios.json"), "disc"])
    assert "Expected channels such as disc=1,2, found disc" in capsys.readouterr().err
