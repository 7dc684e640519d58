"""The scripts that prepare datasets, on tiny trees shaped like each release, and the committed lists of names."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from script_support import load

SIDE = 32


REFUGE, R3, DL, DRISHTI, DOMAINS = (
    load(f"prepare_{name}") for name in ("refuge", "rim_one_r3", "rim_one_dl", "drishti", "domains")
)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def photograph(width=SIDE):
    return np.full((SIDE, width, 3), 90, np.uint8)


def inside(left=8, side=12, width=SIDE):
    """A square of True in a mask (32, width)."""
    mask = np.zeros((SIDE, width), bool)
    mask[8 : 8 + side, left : left + side] = True
    return mask


def grey(mask, levels=(255, 0)):
    """Bool to grey levels (where True, where False)."""
    return np.where(mask, *levels).astype(np.uint8)


DISC, CUP = inside(), inside(left=8, side=4)
IDS = DISC.astype(np.uint8) + CUP
REFUGE_GREY = np.array([255, 128, 0], np.uint8)[IDS]


def names(out, split, kind="image"):
    return sorted(path.stem for path in (out / split / kind).iterdir())


def mask(out, split, name):
    return np.asarray(Image.open(out / split / "mask" / f"{name}.png"))


# REFUGE


@pytest.fixture
def refuge(tmp_path):
    """Two archives unpacked into folders of their own name, the rest side by side, as the challenge gives them."""
    source = tmp_path / "refuge"
    for image, masks in {
        "REFUGE-Training400/Training400/Glaucoma/g0001": "Annotation-Training400/Disc_Cup_Masks/Glaucoma/g0001",
        "REFUGE-Training400/Training400/Non-Glaucoma/n0001": "Annotation-Training400/Disc_Cup_Masks/Non-Glaucoma/n0001",
        "REFUGE-Validation400/V0001": "REFUGE-Validation400-GT/Disc_Cup_Masks/V0001",
        "REFUGE-Validation400/V0002": "REFUGE-Validation400-GT/Disc_Cup_Masks/V0002",
        "Test400/T0001": "REFUGE-Test-GT/Disc_Cup_Masks/G/T0001",
    }.items():
        save(source / f"{image}.jpg", photograph())
        save(source / f"{masks}.bmp", REFUGE_GREY)
    return source


REFUGE_NAMES = {"train": ["g0001", "n0001"], "validation": ["V0001", "V0002"], "test": ["T0001"]}


def test_refuge_has_its_three_sets(refuge, tmp_path, capsys):
    REFUGE.main([str(refuge), str(tmp_path / "out"), "--full"], REFUGE_NAMES)
    assert {split: names(tmp_path / "out", split) for split in REFUGE_NAMES} == REFUGE_NAMES
    assert np.array_equal(mask(tmp_path / "out", "test", "T0001"), IDS)
    printed = capsys.readouterr().out
    assert all(f"{split} {len(known)}" in printed for split, known in REFUGE_NAMES.items())


def test_refuge_is_cut_out_around_the_disc_and_scaled(refuge, tmp_path):
    REFUGE.main([str(refuge), str(tmp_path / "out"), "--crop", "24", "--size", "48"], REFUGE_NAMES)
    ids = mask(tmp_path / "out", "train", "g0001")
    assert ids.shape == (48, 48)
    rows = np.flatnonzero((ids > 0).any(1))
    assert (rows[0], rows[-1]) == (12, 35)  # a disc of 12 in the middle of 24, doubled


def test_refuge_can_be_divided_as_in_the_papers(refuge, tmp_path):
    REFUGE.main([str(refuge), str(tmp_path / "out"), "--full", "--papers"], REFUGE_NAMES)
    found = {path.name: names(tmp_path / "out", path.name) for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert found == {
        "train_320": ["n0001"],
        "train_80": ["g0001"],
        "validation_320": ["V0001"],
        "validation_80": ["V0002"],
        "test": ["T0001"],
    }


def test_an_incomplete_refuge_is_named_and_nothing_is_written(refuge, tmp_path):
    complete = REFUGE_NAMES | {"train": ["g0001", "g0002", "n0001"]}
    with pytest.raises(ValueError, match=r"Expected 3 images in train, found 2 \(missing: g0002\); complete"):
        REFUGE.main([str(refuge), str(tmp_path / "out")], complete)
    assert not (tmp_path / "out").exists()


def test_a_refuge_image_without_its_mask_is_named(refuge, tmp_path):
    (refuge / "REFUGE-Validation400-GT/Disc_Cup_Masks/V0002.bmp").unlink()
    with pytest.raises(ValueError, match=r"a mask for each image, found none for 1 \(V0002\)"):
        REFUGE.main([str(refuge), str(tmp_path / "out")], REFUGE_NAMES)


def test_a_refuge_mask_of_other_levels_is_refused(refuge, tmp_path):
    save(refuge / "REFUGE-Test-GT/Disc_Cup_Masks/G/T0001.bmp", IDS)
    with pytest.raises(ValueError, match=r"\(T0001\).*Expected the grey levels 0, 128, 255 in the mask, found 1, 2"):
        REFUGE.main([str(refuge), str(tmp_path / "out"), "--full"], REFUGE_NAMES)


def test_the_complete_refuge_is_three_times_400():
    assert {split: len(set(known)) for split, known in REFUGE.NAMES.items()} == dict.fromkeys(REFUGE_NAMES, 400)


# RIM-ONE r3

R3_NAMES = {"train": ["G-1-L", "N-5-L"], "test": ["S-2-L"]}


@pytest.fixture
def r3(tmp_path):
    """Stereo pairs; expert 1 marks a larger cup; expert 2's files are as wide as the left half."""
    source = tmp_path / "RIM-ONE r3"
    for name, group in (("N-5-L", "Healthy"), ("G-1-L", "Glaucoma and suspects"), ("S-2-L", "Glaucoma and suspects")):
        save(source / group / "Stereo Images" / f"{name}.jpg", photograph(2 * SIDE))
        for folder, tail, cup, width in (
            ("Average_masks", "{}-Avg", 4, 2 * SIDE),
            ("Expert1_masks", "1-{}-exp1", 6, 2 * SIDE),
            ("Expert2_masks", "1-{}-exp2", 4, SIDE),
        ):
            for structure, side in (("Disc", 12), ("Cup", cup)):
                path = source / group / folder / f"{name}-{tail.format(structure)}.png"
                save(path, grey(inside(side=side, width=width)))
    return source


@pytest.mark.parametrize(("masks", "cup"), [("average", 16), ("expert1", 36), ("expert2", 16)])
def test_rim_one_r3_is_the_left_half_with_the_chosen_masks(r3, tmp_path, masks, cup):
    R3.main([str(r3), str(tmp_path / "out"), "--full", "--masks", masks], R3_NAMES)
    assert {split: names(tmp_path / "out", split) for split in R3_NAMES} == R3_NAMES
    ids = mask(tmp_path / "out", "test", "S-2-L")
    assert ids.shape == (SIDE, SIDE)
    assert ((ids > 0).sum(), (ids == 2).sum()) == (144, cup)
    assert Image.open(tmp_path / "out/test/image/S-2-L.png").size == (SIDE, SIDE)


def test_an_r3_segmentation_in_the_right_half_is_refused(r3, tmp_path):
    save(r3 / "Healthy/Average_masks/N-5-L-Disc-Avg.png", grey(inside(left=40, width=2 * SIDE)))
    with pytest.raises(ValueError, match=r"\(N-5-L\).*Expected the segmentation in the left half"):
        R3.main([str(r3), str(tmp_path / "out"), "--full"], R3_NAMES)


def test_an_r3_image_on_no_list_is_named(r3, tmp_path):
    with pytest.raises(ValueError, match=r"Expected 0 images in no split, found 1 \(unknown: S-2-L\)"):
        R3.main([str(r3), str(tmp_path / "out")], {"train": R3_NAMES["train"]})


# RIM-ONE DL

DL_IMAGES = {
    "partitioned_randomly/training_set/normal/r1_Im001": "normal",
    "partitioned_randomly/training_set/glaucoma/r3_G-1-L_left_half": "glaucoma",
    "partitioned_randomly/test_set/glaucoma/r2_Im257": "glaucoma",
    "partitioned_by_hospital/training_set/normal/r1_Im001": "normal",
    "partitioned_by_hospital/test_set/glaucoma/r3_G-1-L_left_half": "glaucoma",
    "partitioned_by_hospital/test_set/glaucoma/r2_Im257": "glaucoma",
}


@pytest.fixture
def dl(tmp_path):
    source = tmp_path / "dl"
    for image, group in DL_IMAGES.items():
        save(source / "RIM-ONE_DL_images" / f"{image}.png", photograph())
        reference = source / "RIM-ONE_DL_reference_segmentations" / group / Path(image).name
        for structure, pixels in (("Disc", DISC), ("Cup", CUP)):
            save(reference.with_name(f"{reference.name}-1-{structure}-T.png"), grey(pixels))
    return source


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("randomly", {"train": ["r1_Im001", "r3_G-1-L_left_half"], "test": ["r2_Im257"]}),
        ("by_hospital", {"train": ["r1_Im001"], "test": ["r2_Im257", "r3_G-1-L_left_half"]}),
        ("release", {"r1": ["r1_Im001"], "r2": ["r2_Im257"], "r3": ["r3_G-1-L_left_half"]}),
    ],
)
def test_rim_one_dl_has_three_divisions(dl, tmp_path, split, expected):
    counts = {split: {part: len(those) for part, those in expected.items()}}
    DL.main([str(dl), str(tmp_path / "out"), "--split", split, "--size", "64"], counts)
    assert {part: names(tmp_path / "out", part) for part in expected} == expected
    assert {part: names(tmp_path / "out", part, "mask") for part in expected} == expected
    assert json.loads((tmp_path / "out/prepared.json").read_text())["split"] == split


def test_rim_one_dl_names_the_reference_that_is_missing(dl, tmp_path):
    next(dl.rglob("r2_Im257-1-Cup-T.png")).unlink()
    with pytest.raises(ValueError, match=r"a mask for each image, found none for 1 \(r2_Im257\)"):
        DL.main([str(dl), str(tmp_path / "out")])


def test_every_division_of_rim_one_dl_has_485_images():
    assert {sum(counts.values()) for counts in DL.COUNTS.values()} == {485}


# Drishti-GS

DRISHTI_NAMES = {"train": ["drishtiGS_002"], "test": ["drishtiGS_001", "drishtiGS_003"]}


@pytest.fixture(params=["", "GLAUCOMA/"])
def drishti(tmp_path, request):
    """The older release keeps images side by side, the newer by diagnosis."""
    source = tmp_path / "drishti"
    for folder, truth, split in (("Training", "GT", "train"), ("Test", "Test_GT", "test")):
        for name in DRISHTI_NAMES[split]:
            save(source / "Drishti-GS1_files" / folder / "Images" / f"{request.param}{name}.png", photograph())
            maps = source / "Drishti-GS1_files" / folder / truth / name / "SoftMap"
            for structure, left in (("OD", 8), ("cup", 9)):
                levels = np.zeros((SIDE, SIDE), np.uint8)
                for column, level in enumerate((0, 64, 128, 191, 255)):
                    levels[8:16, left + column] = level
                save(maps / f"{name}_{structure}segSoftmap.png", levels)
    return source


def test_three_of_four_experts_decide_in_drishti(drishti, tmp_path):
    DRISHTI.main([str(drishti), str(tmp_path / "out"), "--full"], DRISHTI_NAMES)
    assert {split: names(tmp_path / "out", split) for split in DRISHTI_NAMES} == DRISHTI_NAMES
    ids = mask(tmp_path / "out", "test", "drishtiGS_003")
    # Disc: columns 11 (three experts) and 12 (four). Cup: columns 12 and 13, of which 13 is outside it.
    assert ids[8, 10:15].tolist() == [0, 1, 2, 0, 0]


def test_a_soft_map_that_was_rescaled_is_refused(drishti, tmp_path):
    path = next(drishti.rglob("drishtiGS_003_cupsegSoftmap.png"))
    save(path, np.full((SIDE, SIDE), 200, np.uint8))
    with pytest.raises(ValueError, match=r"\(drishtiGS_003\).*found 200 in 1024 pixels"):
        DRISHTI.main([str(drishti), str(tmp_path / "out"), "--full"], DRISHTI_NAMES)


def test_an_incomplete_drishti_is_named(drishti, tmp_path):
    with pytest.raises(
        ValueError, match=r"Expected 51 images in test, found 2 \(missing: drishtiGS_005, drishtiGS_006"
    ):
        DRISHTI.main([str(drishti), str(tmp_path / "out")], DRISHTI_NAMES | {"test": DRISHTI.NAMES["test"]})


# Domain1 to Domain4

DOMAIN_NAMES = {"Domain2": {"train": ["G-1-L"], "test": ["G-2-R"]}, "Domain3": {"train": ["n0001"], "test": ["g0001"]}}


@pytest.fixture
def domains(tmp_path):
    source = tmp_path / "Fundus"
    for domain, splits in DOMAIN_NAMES.items():
        for split, known in splits.items():
            for name in known:
                save(source / domain / split / "ROIs" / "image" / f"{name}.png", photograph())
                pixels = np.where(REFUGE_GREY == 128, 131, REFUGE_GREY)  # as scaling an image of three levels may leave
                save(source / domain / split / "ROIs" / "mask" / f"{name}.png", pixels.astype(np.uint8))
    return source


def test_ready_made_domains_keep_their_folders(domains, tmp_path, capsys):
    DOMAINS.main([str(domains), str(tmp_path / "out"), "--full", "--domains", *DOMAIN_NAMES], DOMAIN_NAMES)
    for domain, splits in DOMAIN_NAMES.items():
        assert {split: names(tmp_path / "out" / domain, split) for split in splits} == splits
    assert np.array_equal(mask(tmp_path / "out", "Domain3/test", "g0001"), IDS)
    assert "another split" not in capsys.readouterr().out


def test_one_domain_is_enough_and_other_names_are_reported(domains, tmp_path, capsys):
    listed = {"Domain2": {"train": ["G-2-R"], "test": ["G-1-L"]}}
    DOMAINS.main([str(domains), str(tmp_path / "out"), "--domains", "Domain2", "--size", "16"], listed)
    assert "2 images are in another split than scripts/splits says (G-1-L, G-2-R)" in capsys.readouterr().out
    assert mask(tmp_path / "out", "Domain2/train", "G-1-L").shape == (16, 16)


def test_a_missing_domain_is_named(domains, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"files such as Domain1/train/ROIs/image/NAME\.png below"):
        DOMAINS.main([str(domains), str(tmp_path / "out")])


def test_an_incomplete_domain_is_named(domains, tmp_path):
    listed = {"Domain2": DOMAIN_NAMES["Domain2"] | {"test": DOMAINS.NAMES["Domain2"]["test"]}}
    with pytest.raises(ValueError, match=r"Expected 60 images in Domain2/test, found 1 \(missing: G-22-L, G-23-R"):
        DOMAINS.main([str(domains), str(tmp_path / "out"), "--domains", "Domain2"], listed)


# All of them


@pytest.mark.parametrize("script", [REFUGE, R3, DL, DRISHTI, DOMAINS])
def test_a_wrong_folder_is_one_sentence(script, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected files such as .*found none; unpack the official download"):
        script.main([str(tmp_path), str(tmp_path / "out")])


def test_a_second_run_verifies(refuge, tmp_path, capsys):
    for _ in range(2):
        REFUGE.main([str(refuge), str(tmp_path / "out"), "--full"], REFUGE_NAMES)
    assert "as it was first written, 10 files read" in capsys.readouterr().out


def test_the_committed_lists_are_the_splits_of_the_papers():
    counts = {"Domain1": (50, 51), "Domain2": (99, 60), "Domain3": (320, 80), "Domain4": (320, 80)}
    for domain, (train, test) in counts.items():
        listed = DOMAINS.NAMES[domain]
        assert (len(listed["train"]), len(listed["test"])) == (train, test)
        assert len({*listed["train"], *listed["test"]}) == train + test
    drishti = [
        int(re.fullmatch(r"[gn]drishtiGS_(\d{3})", name)[1])
        for part in DOMAINS.NAMES["Domain1"].values()
        for name in part
    ]
    assert sorted(drishti) == list(range(1, 102))
    assert {*DOMAINS.NAMES["Domain3"]["train"], *DOMAINS.NAMES["Domain3"]["test"]} == set(REFUGE.NAMES["train"])
    assert {*DOMAINS.NAMES["Domain4"]["train"], *DOMAINS.NAMES["Domain4"]["test"]} == set(REFUGE.NAMES["validation"])
    # 85 healthy, 39 glaucoma, 35 suspects: the release's own evaluation script counts them so.
    r3 = [name[0] for part in R3.NAMES.values() for name in part]
    assert {letter: r3.count(letter) for letter in "NGS"} == {"N": 85, "G": 39, "S": 35}
