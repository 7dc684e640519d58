"""A dataset that is written whole, or not at all."""

import pytest

from monai_sfda.datasets.whole import make_whole, refuse_unusable


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "download" / "a.txt"
    path.parent.mkdir()
    path.write_text("a")
    return path


def test_what_is_written_stands_there_with_its_checksums(source, tmp_path):
    def write(draft):
        (draft / "index.csv").write_text("file")

    assert make_whole(tmp_path / "out", {"dataset": "x"}, [source], "1 file", write) == f"{tmp_path / 'out'}: 1 file."
    assert (tmp_path / "out" / "checksums.sha256").read_text().endswith("  index.csv\n")
    assert "checksums the same" in make_whole(tmp_path / "out", {"dataset": "x"}, [source], "1 file", write)


def test_a_writer_that_fails_leaves_nothing(source, tmp_path):
    def write(draft):
        (draft / "half.csv").write_text("file")
        raise ValueError("Expected more.")

    with pytest.raises(ValueError, match=r"Expected more\."):
        make_whole(tmp_path / "out", {}, [source], "1 file", write)
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


def test_failures_are_counted_and_the_first_is_explained():
    refuse_unusable("images", 3, [])
    with pytest.raises(
        ValueError, match=r"Expected 3 usable images, found 2 that are not \(a, b\).* The first, b: why"
    ):
        refuse_unusable("images", 3, [("b", "why"), ("a", "other")])
