"""Which files of a download belong together, and what is said when some are missing."""

import pytest

from monai_sfda.datasets.files import Found, Pair, check_counts, find_files, first_of, pair_up, read_names

PATTERN = r"(?P<split>train|test)/(?P<name>[a-z]\d)\.png"


def make(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_found_at_any_depth_by_name_with_their_split(tmp_path):
    make(tmp_path, "archive/archive/train/b2.png", "test/a1.png", "notes/a1.png", "train/b2.txt")
    found = find_files(tmp_path, PATTERN, "train/a1.png")
    assert list(found) == ["a1", "b2"]
    assert [file.split for file in found.values()] == ["test", "train"]
    assert found["b2"].path == tmp_path / "archive/archive/train/b2.png"


def test_remains_of_archives_are_not_files(tmp_path):
    make(tmp_path, "train/a1.png", "__MACOSX/train/a1.png", ".trash/train/a1.png", "train/._a1.png")
    assert find_files(tmp_path, PATTERN, "")["a1"].path == tmp_path / "train/a1.png"


def test_a_part_of_a_folder_name_does_not_match(tmp_path):
    make(tmp_path, "retrain/a1.png")
    with pytest.raises(FileNotFoundError, match=r"Expected files such as train/a1\.png below"):
        find_files(tmp_path, PATTERN, "train/a1.png")


def test_two_files_of_one_name_are_both_named(tmp_path):
    make(tmp_path, "train/a1.png", "copy/train/a1.png")
    with pytest.raises(ValueError, match=r"one file for a1, found .*copy/train/a1\.png and .*/train/a1\.png"):
        find_files(tmp_path, PATTERN, "")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"unpacked download at .*nowhere, found none"):
        find_files(tmp_path / "nowhere", PATTERN, "")


def test_pairs_join_files_of_one_name(tmp_path):
    images, disc, cup = ({"a": Found(tmp_path / kind, "train")} for kind in ("image", "disc", "cup"))
    assert pair_up(images, disc, cup) == [Pair("train", "a", tmp_path / "image", (tmp_path / "disc", tmp_path / "cup"))]


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        ("abcde", "a", r"a mask for each image, found none for 4 \(b, c, d, \.\.\.\)"),
        ("a", "ab", r"an image for each mask, found none for 1 \(b\)"),
    ],
)
def test_a_file_without_its_partner_is_named(tmp_path, images, masks, message):
    with pytest.raises(ValueError, match=message):
        pair_up(*({name: Found(tmp_path / name, "") for name in names} for names in (images, masks)))


def pairs(**names):
    return [Pair(split, name, None, ()) for split, those in names.items() for name in those]


def test_complete_splits_pass():
    check_counts(pairs(train="abc", test="d"), {"train": 3, "test": 1})


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"train": "b", "test": "d"}, r"Expected 3 images in train, found 1 \(missing: a, c\); complete the download"),
        ({"train": "abcx", "test": "d"}, r"Expected 3 images in train, found 4 \(unknown: x\)"),
        ({"train": "abc"}, r"Expected 1 images in test, found 0 \(missing: d\)"),
        ({"train": "abc", "test": "d", "no split": "e"}, r"Expected 0 images in no split, found 1 \(unknown: e\)"),
    ],
)
def test_another_number_is_refused_with_the_names(found, message):
    with pytest.raises(ValueError, match=message):
        check_counts(pairs(**found), {"train": 3, "test": 1}, {"train": "abc", "test": "d"})


def test_a_number_alone_is_enough():
    with pytest.raises(ValueError, match="Expected 3 images in train, found 1; complete"):
        check_counts(pairs(train="a"), {"train": 3})


def test_lists_of_names_may_say_where_they_come_from(tmp_path):
    (tmp_path / "split.txt").write_text("# from a paper\n\na1\n b2 \n")
    assert read_names(tmp_path / "split.txt") == ["a1", "b2"]


def test_messages_show_three_names():
    assert first_of({"d", "c", "b", "a"}) == "a, b, c, ..."
    assert first_of(["b", "a"]) == "a, b"
