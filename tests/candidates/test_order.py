"""What is drawn stays drawn."""

import pytest

from monai_sfda.candidates.order import Drawn, draw_once, put_images

SIZES = {"a/b.png": 0.5, "c.png": 0.1234567890123456, "d.png": 0.0}


def test_the_order_is_drawn_once(tmp_path):
    order = draw_once(tmp_path, SIZES, lambda: SIZES)
    assert {drawn.case: drawn.disagreement for drawn in order} == SIZES
    assert draw_once(tmp_path, SIZES, lambda: pytest.fail("drawn again")) == order
    number = {drawn.case: number for number, drawn in enumerate(order, 1)}["a/b.png"]
    assert f"00{number}_a_b.png" in {drawn.image for drawn in order}


def test_copies_may_be_called_otherwise(tmp_path):
    order = draw_once(tmp_path, SIZES, lambda: SIZES, lambda case: case.replace(".png", "/x.nii.gz"))
    assert {drawn.image[4:] for drawn in order} == {"a_b_x.nii.gz", "c_x.nii.gz", "d_x.nii.gz"}


def test_only_the_first_twenty_are_to_be_outlined_and_five_are_spare(tmp_path):
    sizes = {f"{number}.png": 0.1 for number in range(30)}
    order = draw_once(tmp_path, sizes, lambda: sizes)
    assert [bool(drawn.image) for drawn in order] == [True] * 25 + [False] * 5


def test_names_of_any_letters_fit_a_file_system(tmp_path):
    sizes = {f"{'眼' * 80}/{'底' * 80}{number}.png": 0.1 for number in range(2)}
    for drawn in draw_once(tmp_path, sizes, lambda: sizes):
        assert len(drawn.image.encode()) <= 255
        assert drawn.image.endswith(".png")


def test_nothing_is_drawn_where_nobody_disagrees(tmp_path):
    assert draw_once(tmp_path, SIZES, lambda: dict.fromkeys(SIZES, 0.0)) == []
    assert draw_once(tmp_path, SIZES, lambda: SIZES)  # another candidate came


def test_an_order_of_other_images_is_refused(tmp_path):
    draw_once(tmp_path, SIZES, lambda: SIZES)
    with pytest.raises(ValueError, match=r"was drawn from, found others .* to draw anew"):
        draw_once(tmp_path, {"a/b.png", "e.png"}, lambda: SIZES)


@pytest.mark.parametrize(
    "row",
    [
        "1,a/b.png,,001_b.png",
        "1,a/b.png",
        "1",
        "number,case,disagreement,image",
        "2,a/b.png,0.5,001_b.png",
        "1,a/b.png,nan,001_b.png",
        "1,a/b.png,-0.1,001_b.png",
    ],
)
def test_a_damaged_order_is_one_sentence(tmp_path, row):
    draw_once(tmp_path, SIZES, lambda: SIZES)
    path = tmp_path / "outline" / "order.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], row, *lines[2:]]))
    with pytest.raises(
        ValueError, match=r"Expected .*order\.csv as it was drawn, found other content; delete .*outline to"
    ):
        draw_once(tmp_path, SIZES, lambda: SIZES)


def test_an_order_with_an_image_twice_is_refused(tmp_path):
    draw_once(tmp_path, SIZES, lambda: SIZES)
    path = tmp_path / "outline" / "order.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with pytest.raises(ValueError, match=r"as it was drawn, found other content"):
        draw_once(tmp_path, SIZES, lambda: SIZES)


def test_copies_that_are_missing_are_made(tmp_path):
    (tmp_path / "b.png").write_bytes(b"picture")
    order = [Drawn("a/b.png", 0.5, "001_a_b.png"), Drawn("c.png", 0.1, "")]
    folder = put_images(tmp_path, order, lambda: {"a/b.png": str(tmp_path / "b.png")})
    assert [path.name for path in folder.iterdir()] == ["001_a_b.png"]
    assert (folder / "001_a_b.png").read_bytes() == b"picture"
    put_images(tmp_path, order, lambda: pytest.fail("asked for images that are there"))
