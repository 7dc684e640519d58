import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from monai_sfda.reading.read import read_image
from monai_sfda.reading.tiff import read_tiff

GREY = (np.arange(96).reshape(8, 12) * 8 % 256).astype(np.uint8)
GREY[0, :2] = 0, 255
RGB = np.stack([GREY, GREY // 2, 255 - GREY], -1)
GREYS = GREY[..., None].repeat(3, -1)
G16, RGB16 = GREY.astype(np.uint16) * 257, RGB.astype(np.uint16) * 257
PLANES = {"photometric": "rgb", "planarconfig": "separate"}


def planes(array):
    return np.ascontiguousarray(np.moveaxis(array, -1, 0))


def written(tmp_path, array, **options):
    tifffile.imwrite(tmp_path / "a.tif", array, **options)
    return tmp_path / "a.tif"


def shown(path):
    return read_image(path).pixels


def white_where(bright):
    return np.uint8(255) * bright[..., None].repeat(3, -1)


def by_hand(path, content, bits, photometric, samples=1, width=12, height=8):
    """Of bits that no library here packs."""
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: photometric, 273: 0, 277: samples, 278: height}
    tags[279] = len(content)
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content)
    return path


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (RGB, {"photometric": "rgb"}),
        (planes(RGB), PLANES),
        (RGB16, {"photometric": "rgb"}),
        (planes(RGB16), PLANES),
        (planes(RGB16), PLANES | {"compression": "zlib", "predictor": True}),
        (RGB16 >> 4, {"photometric": "rgb"}),
        (RGB.astype(np.uint16), {"photometric": "rgb"}),
        ((RGB / 255).astype(np.float32), {"photometric": "rgb"}),
        (planes((RGB / 255).astype(np.float16)), PLANES),
        (RGB16, {"photometric": "rgb", "bigtiff": True, "byteorder": ">"}),
        (RGB16, {"photometric": "rgb", "bigtiff": True, "byteorder": "<"}),
        (RGB16, {"photometric": "rgb", "tile": (16, 16)}),
        (np.dstack([RGB16, G16]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (planes(np.dstack([RGB, GREY])), PLANES | {"extrasamples": ["unassalpha"]}),
        (np.dstack([65535 - RGB16, G16 * 0]), {"photometric": "separated"}),
        (np.dstack([255 - RGB, GREY * 0]), {"photometric": "separated"}),
    ],
    ids=[
        "8",
        "8p",
        "16",
        "16p",
        "16pz",
        "12in16",
        "8in16",
        "f32",
        "f16p",
        "bigBE",
        "bigLE",
        "tiled",
        "alpha16",
        "alpha8p",
        "cmyk16",
        "cmyk8",
    ],
)
def test_colours_of_every_layout_are_read(tmp_path, array, options):
    assert np.array_equal(shown(written(tmp_path, array, **options)), RGB)


@pytest.mark.parametrize(
    "array",
    [
        GREY,
        G16,
        G16 >> 4,
        G16.astype(">u2"),
        GREY.astype(np.uint32) << 24,
        GREY.astype(np.uint64),
        (GREY / 255).astype(np.float32),
        GREY / 255,
    ],
    ids=["u8", "u16", "u12", "be", "u32", "u64", "f32", "f64"],
)
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_white_may_be_zero_at_every_depth(tmp_path, array, photometric):
    full = 4095 if array.max() == 4095 else 1 if array.dtype.kind == "f" else array.max()
    stored = array if photometric == "minisblack" else (full - array).astype(array.dtype)
    assert np.array_equal(shown(written(tmp_path, stored, photometric=photometric)), GREYS)


def test_one_bit_with_white_as_zero(tmp_path):
    bright = GREY > 100
    assert np.array_equal(shown(written(tmp_path, ~bright, photometric="miniswhite")), white_where(bright))


@pytest.mark.parametrize("white_is_zero", [False, True])
def test_12_bits_without_padding(tmp_path, white_is_zero):
    levels = (G16 >> 4).astype(int)
    levels = 4095 - levels if white_is_zero else levels
    even, odd = levels[:, ::2], levels[:, 1::2]
    packed = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], -1).astype(np.uint8).tobytes()
    path = by_hand(tmp_path / "a.tif", packed, bits=12, photometric=int(not white_is_zero))
    assert np.array_equal(shown(path), GREYS)
    assert read_image(path).facts.white == 4095


def test_4_bits_without_padding_are_ids_of_a_mask(tmp_path):
    packed = np.array([[0x01, 0x20], [0x21, 0x00]], np.uint8).tobytes()
    path = by_hand(tmp_path / "a.tif", packed, bits=4, photometric=1, width=3, height=2)  # rows end at a whole byte
    assert read_tiff(path).levels.tolist() == [[0, 1, 2], [2, 1, 0]]


def test_the_largest_level_that_the_file_names_says_the_depth(tmp_path):
    path = written(tmp_path, G16 >> 6, extratags=[(281, "H", 1, 1000, True)])  # 10 bits
    assert read_image(path).facts.white == 1023
    assert np.array_equal(shown(path), GREYS)


@pytest.mark.parametrize("factor", [1, 257])
def test_palettes_of_8_and_16_bits_are_told_apart(tmp_path, factor):
    table = np.zeros((3, 256), np.uint16)
    table[:, :256] = np.stack([np.arange(256), np.arange(256) // 2, 255 - np.arange(256)]) * factor
    path = written(tmp_path, GREY, photometric="palette", colormap=table)
    assert np.array_equal(shown(path), RGB)


def test_colours_that_were_multiplied_by_their_alpha_are_divided_by_it(tmp_path):
    levels = np.full((8, 12, 3), (100, 50, 20), np.uint8)
    path = written(tmp_path, np.dstack([levels, GREY * 0 + 128]), photometric="rgb", extrasamples=["assocalpha"])
    assert shown(path)[0, 0].tolist() == [199, 100, 40]  # 100 * 255 / 128 = 199.2


def test_the_picture_is_the_page_that_is_no_small_copy(tmp_path):
    small = RGB[::4, ::4].copy()
    for name, flags in {"first": (1, 0), "last": (0, 1), "mask first": (4, 0)}.items():
        with tifffile.TiffWriter(tmp_path / name) as file:
            for flag in flags:
                kind = "rgb" if flag != 4 else "mask"
                file.write({0: RGB, 1: small, 4: GREY > 99}[flag], photometric=kind, subfiletype=flag)
        assert np.array_equal(shown(tmp_path / name), RGB), name
    for name, (top, below) in {"sub": ((small, 1), (RGB, 0)), "pyramid": ((RGB, 0), (small, 1))}.items():
        with tifffile.TiffWriter(tmp_path / name) as file:
            file.write(top[0], photometric="rgb", subfiletype=top[1], subifds=1)
            file.write(below[0], photometric="rgb", subfiletype=below[1])
        assert np.array_equal(shown(tmp_path / name), RGB), name
    assert read_image(tmp_path / "first").facts.frame == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"truncate": True},
        {"imagej": True},
        {"imagej": True, "truncate": True},
        {"ome": True},
        {"volumetric": True, "tile": (16, 16, 16)},
    ],
    ids=["pages", "one page", "ImageJ", "ImageJ in one page", "OME", "depth"],
)
def test_stacks_are_several_pictures_however_they_are_stored(tmp_path, options):
    path = written(tmp_path, np.stack([G16] * 3), photometric="minisblack", **options)
    with pytest.raises(ValueError, match=r"Expected one picture in a\.tif, found \d+ pages"):
        read_tiff(path)


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}])
def test_one_plane_of_imagej_and_ome_is_a_picture(tmp_path, options):
    assert np.array_equal(shown(written(tmp_path, G16, photometric="minisblack", **options)), GREYS)


@pytest.mark.parametrize(
    ("array", "options", "found"),
    [
        (RGB, {"photometric": "cielab"}, "kind CIELAB"),
        (GREY, {"photometric": "cfa"}, "kind CFA"),
        (np.stack([G16] * 5), {"photometric": "minisblack", "planarconfig": "separate"}, "found 5 channels"),
        (GREY.astype(np.complex64), {}, "complex numbers"),
    ],
)
def test_other_colours_and_numbers_are_refused_by_name(tmp_path, array, options, found):
    with pytest.raises(ValueError, match=found):
        read_image(written(tmp_path, array, **options))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (16, 16)}])
def test_a_file_cut_short_is_refused_and_not_filled_with_black(tmp_path, options):
    noise = np.random.default_rng(0).integers(65536, size=(64, 64), dtype=np.uint16)
    path = written(tmp_path, noise, **options)
    start = max(tifffile.TiffFile(path).pages[0].dataoffsets)
    path.write_bytes(path.read_bytes()[: start + 99])
    with pytest.raises(ValueError, match=r"found a tiff (cut short|that is damaged)"):
        read_tiff(path)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])  # by tifffile, by Pillow
def test_both_decoders_leave_a_picture_as_it_is_stored(tmp_path, orientation, compression):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(RGB).save(tmp_path / "a.tif", exif=exif, compression=compression)
    stored = read_tiff(tmp_path / "a.tif")
    assert np.array_equal(stored.levels, RGB)
    assert stored.orientation == orientation


@pytest.mark.parametrize(
    ("image", "options", "expected"),
    [
        (Image.fromarray(RGB), {"compression": "tiff_lzw"}, RGB),
        (Image.fromarray(G16), {"compression": "tiff_lzw"}, GREYS),
        (Image.fromarray((GREY / 255).astype(np.float32)), {"compression": "tiff_lzw"}, GREYS),
        (Image.fromarray(GREY > 99), {"compression": "group4"}, white_where(GREY > 99)),
        (Image.fromarray(RGB).convert("RGBA"), {"compression": "tiff_lzw"}, RGB),
    ],
    ids=["colours", "16 bits", "float", "fax", "alpha"],
)
def test_compressions_that_tifffile_does_not_decode_by_itself(tmp_path, image, options, expected):
    image.save(tmp_path / "a.tif", **options)
    assert np.array_equal(shown(tmp_path / "a.tif"), expected)


def test_jpeg_in_a_tiff_is_lossy(tmp_path):
    Image.new("RGB", (32, 32), (200, 30, 10)).save(tmp_path / "a.tif", compression="jpeg", quality=98)
    stored = read_tiff(tmp_path / "a.tif")
    assert stored.lossy
    assert abs(stored.levels.astype(int) - (200, 30, 10)).max() <= 2


def test_a_palette_of_8_bit_entries_is_read_with_every_compression(tmp_path):
    indices = Image.fromarray(GREY % 4, "P")
    indices.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 10, 20, 255])
    indices.save(tmp_path / "a.tif", compression="tiff_lzw")
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as tif:
        tag = tif.pages[0].tags[320]
        tag.overwrite(tuple(value // 256 for value in np.ravel(tag.value).tolist()))
    assert np.array_equal(shown(tmp_path / "a.tif"), np.asarray(indices.convert("RGB")))


def test_a_tiff_without_its_last_strips_is_refused(tmp_path):
    path = written(tmp_path, GREY, photometric="minisblack", rowsperstrip=4)
    with tifffile.TiffFile(path, mode="r+") as tif:
        tags = tif.pages[0].tags
        for name in ("StripOffsets", "StripByteCounts"):
            tags[name].overwrite(tags[name].value[:1])
    with pytest.raises(ValueError, match=r"Expected a whole picture in a.tif, found a tiff cut short"):
        read_tiff(path)


def test_a_tiff_that_does_not_say_which_level_is_white_is_refused(tmp_path):
    path = by_hand(tmp_path / "a.tif", GREY.tobytes(), 8, 1)
    path.write_bytes(path.read_bytes().replace(struct.pack("<HHII", 262, 4, 1, 1), struct.pack("<HHII", 261, 4, 1, 1)))
    with pytest.raises(ValueError, match=r"Expected the tag PhotometricInterpretation in a.tif"):
        read_tiff(path)


def test_fractions_that_were_multiplied_by_their_alpha_are_divided_by_it(tmp_path):
    alpha = np.where(np.arange(96).reshape(8, 12) % 2, 0.5, 1.0)[..., None]
    multiplied = np.concatenate([RGB / 255 * alpha, alpha], -1).astype(np.float32)
    path = written(tmp_path, multiplied, photometric="rgb", extrasamples=["assocalpha"])
    assert np.array_equal(shown(path), RGB)


def test_an_orientation_that_does_not_exist_counts_as_upright(tmp_path):
    path = written(tmp_path, RGB, photometric="rgb", extratags=[(274, "H", 1, 0, True)])
    assert read_tiff(path).orientation == 1


@pytest.mark.parametrize(
    ("tag", "fractions"),
    [(529, (2126, 10000, 7152, 10000, 722, 10000)), (532, (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1))],
)
def test_ycbcr_by_another_formula_than_the_usual_is_refused(tmp_path, tag, fractions):
    ycbcr = np.asarray(Image.fromarray(RGB).convert("YCbCr"))
    for name, values in {"other": fractions, "usual": None}.items():
        usual = {529: (299, 1000, 587, 1000, 114, 1000), 532: (0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1)}[tag]
        extra = [(tag, "2I", len(usual) // 2, values or usual, True), (530, "H", 2, (1, 1), True)]
        tifffile.imwrite(tmp_path / name, ycbcr, photometric="ycbcr", extratags=extra)
    with pytest.raises(ValueError, match="Expected YCbCr with the usual YCbCrCoefficients and ReferenceBlackWhite in"):
        shown(tmp_path / "other")
    assert abs(shown(tmp_path / "usual").astype(int) - RGB).max() <= 3  # two roundings, there and back


def test_other_inks_than_cmyk_are_refused(tmp_path):
    path = written(tmp_path, np.dstack([RGB, GREY]), photometric="separated", extratags=[(332, "H", 1, 2, True)])
    with pytest.raises(ValueError, match=r"Expected the inks of CMYK in a\.tif, found others; save as RGB"):
        shown(path)


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])  # by tifffile, by Pillow
def test_both_decoders_say_that_0_is_white(tmp_path, compression):
    Image.fromarray(GREY).save(tmp_path / "a.tif", compression=compression, tiffinfo={262: 0})
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        assert tif.pages[0].photometric == 0
    assert read_tiff(tmp_path / "a.tif").inverted
    assert np.array_equal(shown(tmp_path / "a.tif"), GREYS)
