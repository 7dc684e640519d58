"""DICOM series as volumes: geometry as highdicom has it, levels, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from dicom_files import table
from dicom_series import OBLIQUE, RNG, enhanced, position, write_series, write_slice

from monai_sfda.volumes import find_volumes, read_volume
from monai_sfda.volumes.series import read_series

pydicom = pytest.importorskip("pydicom")


def refused(paths, words, **options):
    with pytest.raises(ValueError, match=words) as caught:
        read_series(paths, **options)
    text = str(caught.value)
    assert text.startswith("Expected ")
    assert text.endswith(".")
    assert ". " not in text
    return text


@pytest.mark.parametrize(
    "axes",
    [
        OBLIQUE,
        [1, 0, 0, 0, 1, 0],
        [0, 1, 0, 0, 0, -1],
        [1, 0, 0, 0, 0, -1],
        [-0.6, 0.8, 0, 0, 0, 1],
        [0, 0, -1, 0, 1, 0],
    ],
)
def test_voxels_lie_where_highdicom_puts_them(tmp_path, axes):
    image = pytest.importorskip("highdicom.image")
    pixels = RNG.integers(0, 1000, (4, 6, 5)).astype(np.int16)
    paths = [write_slice(tmp_path / f"{9 - n}", 8 * n, pixels[n], axes=axes) for n in range(4)]
    volume = read_volume(paths[::-1])
    other = image.get_volume_from_series([pydicom.dcmread(path) for path in paths])
    right = np.diag([-1, -1, 1, 1]) @ other.affine  # of slice, row and column
    for _ in range(20):
        index = [int(RNG.integers(n)) for n in other.array.shape]
        place = right @ [*index, 1]
        found = np.linalg.solve(volume.affine, place)[:3]
        assert np.allclose(found, np.rint(found), atol=1e-6)
        assert volume.values[tuple(np.rint(found).astype(int))] == other.array[tuple(index)]
    assert volume.placed
    assert volume.measured
    assert np.allclose(volume.zooms, [1.25, 1.5, 8])


def test_the_order_of_the_files_does_not_matter(tmp_path):
    paths = write_series(tmp_path)
    volume = read_volume(paths)
    assert volume.values[0, 0].tolist() == [100, 108, 116, 124]
    for _ in range(3):
        assert np.array_equal(read_volume(RNG.permutation(paths).tolist()).values, volume.values)


def test_levels_are_rescaled_slice_by_slice(tmp_path):
    paths = [write_slice(tmp_path / str(n), n, RescaleSlope=n + 1, RescaleIntercept=-10) for n in range(3)]
    assert read_volume(paths).values[0, 0].tolist() == [90, 2 * 101 - 10, 3 * 102 - 10]


def test_bright_means_bright_and_padding_is_dark(tmp_path):
    pixels = np.arange(30, dtype=np.int16).reshape(6, 5)
    dark = write_slice(tmp_path / "a", 0, pixels, PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(read_volume([dark]).values[..., 0], -pixels.T)
    pixels[0, 0] = -2000
    padded = write_slice(tmp_path / "b", 0, pixels, PixelPaddingValue=-2000)
    assert read_volume([padded]).values.min() == 1


PADDING = -32768


def padded(folder, kind):
    """Levels 1 to 30, 101 to 130, and a slice of nothing but padding."""
    slices = [np.arange(1, 31, dtype=np.int16).reshape(6, 5) + 100 * n for n in range(3)]
    if kind == "MONOCHROME1":
        slices = [1000 - pixels for pixels in slices]
    slices[1][0, :] = slices[2][:] = PADDING
    about = {"PixelPaddingValue": PADDING, "PhotometricInterpretation": kind}
    return [write_slice(folder / str(n), 8 * n, pixels, **about) for n, pixels in enumerate(slices)]


@pytest.mark.parametrize(("kind", "darkest"), [("MONOCHROME2", 1), ("MONOCHROME1", -999)])
def test_padding_is_as_dark_as_the_darkest_pixel_of_the_volume(tmp_path, kind, darkest):
    values = read_volume(padded(tmp_path, kind)).values
    assert values.min() == darkest
    assert (values[..., 2] == darkest).all()
    assert (values[:, 0, 1] == darkest).all()
    assert values[1, 1, 1] == darkest + 106


def test_a_volume_of_nothing_but_padding_stays_as_it_is(tmp_path):
    path = write_slice(tmp_path / "a", 0, np.full((6, 5), 7, np.int16), PixelPaddingValue=7)
    assert (read_volume([path]).values == 7).all()


def test_a_tilted_stack_keeps_its_places(tmp_path):
    places = [np.add(position(5 * n), [0, 0, 0.5 * n]).tolist() for n in range(4)]
    paths = [write_slice(tmp_path / str(n), 0, ImagePositionPatient=places[n]) for n in range(4)]
    affine = read_volume(paths).affine
    for n, place in enumerate(places):
        assert np.allclose((np.diag([-1, -1, 1, 1]) @ affine @ [0, 0, n, 1])[:3], place)


def test_one_slice_is_as_thick_as_it_says(tmp_path):
    volume = read_volume([write_slice(tmp_path / "a", 3)])
    assert np.allclose(volume.zooms, [1.25, 1.5, 4])
    assert volume.measured
    volume = read_volume(write_slice(tmp_path / "b", 3, SliceThickness=None))
    assert volume.sized
    assert not volume.measured
    nowhere = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
    volume = read_volume([write_slice(tmp_path / "c", 3, **nowhere)])
    assert (volume.placed, volume.sized, volume.measured) == (False, False, False)


def cine(folder, **change):
    """Three positions, four times each; the numbers count through the times of a position."""
    paths = []
    for place in range(3):
        for time in range(4):
            about = {"TriggerTime": 40 * time, "InstanceNumber": 4 * place + time + 1} | change
            pixels = np.full((6, 5), 10 * place + time, np.int16)
            paths.append(write_slice(folder / f"{len(paths):03}", 8 * place, pixels, **about))
    return paths


@pytest.mark.parametrize("change", [{}, {"TriggerTime": None}, {"TriggerTime": 0}])
def test_images_at_one_position_are_frames(tmp_path, change):
    paths = cine(tmp_path, **change)
    for frame in range(4):
        assert read_volume(RNG.permutation(paths).tolist(), frame).values[0, 0].tolist() == [
            frame,
            10 + frame,
            20 + frame,
        ]
    refused(paths, "found 4 frames; name those to read, such as --frames 0,2")
    refused(paths, "Expected a frame from 0 to 3 of the series, found 4", frame=4)


def test_the_time_goes_before_the_number(tmp_path):
    times = [30, 10, 20]
    paths = [
        write_slice(
            tmp_path / str(n), 0, np.full((6, 5), time, np.int16), AcquisitionTime=f"1200{time}", InstanceNumber=n
        )
        for n, time in enumerate(times)
    ]
    assert [int(read_volume(paths, frame).values[0, 0, 0]) for frame in range(3)] == [10, 20, 30]


MIDNIGHT = ["235958.5", "235959.5", "000000.5", "000001.5"]


def past_midnight(folder, days):
    return [
        write_slice(
            folder / f"{place}{time}",
            8 * place,
            np.full((6, 5), time, np.int16),
            AcquisitionDate=days[time],
            AcquisitionTime=MIDNIGHT[time],
        )
        for place in range(3)
        for time in range(4)
    ]


def test_times_past_midnight_follow_those_before_it(tmp_path):
    paths = past_midnight(tmp_path, ["20200101", "20200101", "20200102", "20200102"])
    for frame in range(4):
        assert read_volume(paths, frame).values[0, 0].tolist() == [frame] * 3


@pytest.mark.parametrize("day", [None, "19000101"])
def test_times_past_midnight_without_a_date_are_refused(tmp_path, day):
    paths = past_midnight(tmp_path, [day] * 4)
    refused(paths, "Expected an AcquisitionDate of .*midnight.* order of the images 03 and 00;", frame=0)


def test_a_temporal_position_needs_no_date(tmp_path):
    paths = []
    for time, clock in enumerate(MIDNIGHT):
        about = {"TemporalPositionIdentifier": time + 1, "AcquisitionTime": clock}
        paths.append(write_slice(tmp_path / str(time), 0, np.full((6, 5), time, np.int16), **about))
    assert [int(read_volume(paths, frame).values[0, 0, 0]) for frame in range(4)] == [0, 1, 2, 3]


def test_a_missing_slice_is_named(tmp_path):
    paths = write_series(tmp_path, heights=(0, 8, 16, 24, 32))
    for gone in (1, 2, 3):
        rest = paths[:gone] + paths[gone + 1 :]
        refused(rest, f"found 16 mm between the images {gone} and {gone + 2}, and 8 mm between others")


@pytest.mark.parametrize("step", [0.7, 1, 3, 5])
@pytest.mark.parametrize(
    ("left", "gap"),
    [
        ((0, 1, 3, 4), (2, 3)),
        ((0, 2, 5), (2, 3)),
        ((0, 5, 13), (2, 3)),
        ((0, 2, 3, 5), None),
        ((0, 1, 3, 4, 5, 7, 8), None),
    ],
)
def test_missing_slices_are_no_larger_distance(tmp_path, step, left, gap):
    between = "between the images {} and {}".format(*gap) if gap else "between the images"
    refused(write_series(tmp_path, heights=[step * n for n in left]), f"{between}.*add the missing slices")
    path = enhanced(tmp_path / "a.dcm", [step * n for n in left], (1,))
    refused([path], f"{between}.*add the missing slices")


def test_three_of_four_slices_are_uneven(tmp_path):
    refused(write_series(tmp_path, heights=(0, 9, 21)), "found distances from 9 to 12 mm")


def test_uneven_distances_are_refused_and_rounded_ones_are_not(tmp_path):
    refused(write_series(tmp_path / "a", heights=(0, 8, 16, 27, 38)), "found distances from 8 to 11 mm")
    assert read_volume(write_series(tmp_path / "b", heights=(0, 0.7, 1.3, 2.0, 2.7, 3.3))).values.shape[2] == 6


def test_copies_and_doubled_slices_are_refused(tmp_path):
    paths = write_series(tmp_path)
    refused([*paths, paths[0]], "Expected each image of the series once, found 1 of them again; remove the copies")
    again = write_slice(tmp_path / "again", 8, InstanceNumber=9)
    refused([*paths, again], r"found 2 at one \(images 2, 9\) and 1 at another \(image 1\)")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"axes": [1, 0, 0, 0, 1, 0]}, "orientation"),
        ({"Modality": "CT"}, "modality"),
        ({"PixelSpacing": [1.5, 1.3]}, "pixel spacing"),
        ({"pixels": np.zeros((5, 5), np.int16)}, "size"),
        ({"FrameOfReferenceUID": "1.8"}, "frame of reference"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "direction of grey levels"),
    ],
)
def test_a_stranger_in_a_series_is_named(tmp_path, change, word):
    paths = [*write_series(tmp_path), write_slice(tmp_path / "x", 40, InstanceNumber=77, **change)]
    refused(paths, rf"Expected a series of one {word}, found another in 1 of 5 images \(image 77\)")


def test_a_localiser_of_three_planes_is_refused(tmp_path):
    planes = [OBLIQUE, [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]]
    refused([write_slice(tmp_path / str(n), 0, axes=axes) for n, axes in enumerate(planes)], "of one orientation")


def test_what_says_no_place_or_is_no_grey_image_is_refused(tmp_path):
    paths = write_series(tmp_path, ImagePositionPatient=None)
    refused(paths, r"Expected the ImagePositionPatient of each image .*, found none in 4 of 4 \(images 1, 2, 3, ...\)")
    colours = np.zeros((6, 5, 3), np.uint8)
    refused([write_slice(tmp_path / "c", 0, colours)], "found colours in 1 of 1")
    refused([write_slice(tmp_path / "d", 0, ImageOrientationPatient=[1, 0, 0, 1, 0, 0])], "at a right angle")
    refused([write_slice(tmp_path / "e", 0, PixelSpacing=[0, 1])], "Expected the PixelSpacing of each image")


def test_damaged_images_are_one_sentence_without_a_patient(tmp_path):
    paths = write_series(tmp_path, PatientName="Doe^Jane")
    data = pydicom.dcmread(paths[1])
    data.PixelData = data.PixelData[:20]
    data.save_as(paths[1])
    assert "Doe" not in refused(paths, "Expected 60 bytes of pixels in image 2")
    content = Path(paths[0]).read_bytes()
    Path(paths[0]).write_bytes(content.replace(b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2\n1"))
    refused(paths[:1], r"found image 1 that cannot \(ValueError\)")
    (tmp_path / "half").write_bytes(Path(paths[2]).read_bytes()[:200])
    refused([str(tmp_path / "half")], r"1 of 1 that end before the size of the image \(image half\); copy or export it")
    (tmp_path / "x.dcm").write_text("no image" * 50)
    refused([str(tmp_path / "x.dcm")], "Expected a DICOM image in x.dcm, found other content")


def test_a_file_of_many_frames_is_a_volume(tmp_path):
    volume = read_volume([enhanced(tmp_path / "a.dcm", (16, 0, 8), (1,))])
    assert volume.values[0, 0].tolist() == [1001, 2002, 0]
    assert np.allclose(volume.zooms, [1.25, 1.5, 8])
    assert np.allclose(volume.affine, read_volume(write_series(tmp_path / "b", heights=(0, 8, 16))).affine)


def test_a_file_of_many_frames_may_hold_several_times(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (0, 8), (2, 1))
    assert read_volume([path], 0).values[0, 0].tolist() == [1, 1003]
    assert read_volume([path], 1).values[0, 0].tolist() == [0, 1002]
    items = find_volumes(tmp_path, frames="all")
    assert [one["frame"] for one in items] == [0, 1]


def test_compressed_frames_are_the_same(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (16, 0, 8), (1,))
    values = read_volume([path]).values
    data = pydicom.dcmread(path)
    data.compress(pydicom.uid.RLELossless)
    data.save_as(path)
    assert np.array_equal(read_volume([path]).values, values)


def twelve_bits(path, frames):
    """Signed levels of 12 bits without the extension of their sign, below an overlay in the highest bit."""
    stored = (np.arange(-15, 15).reshape(6, 5) & 0xFFF).astype(np.uint16)
    stored[0] |= 0x8000
    if frames == 1:
        write_slice(path, 0, stored)
    else:
        enhanced(path, range(0, 8 * frames, 8), (1,))
    data = pydicom.dcmread(path)
    data.PixelData, data.PixelRepresentation = stored.tobytes() * frames, 1
    data.BitsStored, data.HighBit = 12, 11
    data.add_new(0x60000102, "US", 15)  # Overlay Bit Position
    data.save_as(path)
    return data


@pytest.mark.parametrize("frames", [1, 3])
def test_run_lengths_hold_the_same_bits_as_pixels_without_compression(tmp_path, frames):
    data = twelve_bits(tmp_path / "a.dcm", frames)
    plain = read_volume([str(tmp_path / "a.dcm")]).values
    assert (plain[..., 0].min(), plain[..., 0].max()) == (-15, 14)
    data.compress(pydicom.uid.RLELossless)
    data.save_as(tmp_path / "b.dcm")
    assert np.array_equal(read_volume([str(tmp_path / "b.dcm")]).values, plain)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("said", "stored"), [(2, 3), (3, 6), (None, 3)])
def test_more_frames_than_the_header_says_are_refused(tmp_path, compressed, said, stored):
    path = enhanced(tmp_path / "a.dcm", range(0, 8 * stored, 8), (1,))
    data = pydicom.dcmread(path)
    if compressed:
        data.compress(pydicom.uid.RLELossless)
    data.NumberOfFrames = said
    data.save_as(path)
    refused([path], rf"Expected a NumberOfFrames of {stored} in .*a\.dcm.*, found {said or 'none'}; export it again")


def test_fewer_compressed_frames_than_the_header_says_are_refused(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (0, 8, 16), (1,))
    data = pydicom.dcmread(path)
    data.compress(pydicom.uid.RLELossless)
    frames = list(pydicom.encaps.generate_frames(data.PixelData, number_of_frames=3))
    data.PixelData = pydicom.encaps.encapsulate(frames[:2])
    data.save_as(path)
    refused([path], r"Expected pixels for 3 frames in a\.dcm, found them for 2; export it again")


def test_fewer_pixels_than_the_header_says_are_refused_without_a_word_of_compression(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (0, 8, 16), (1,))
    data = pydicom.dcmread(path)
    data.PixelData = data.PixelData[:-60]
    data.save_as(path)
    text = refused([path], r"Expected 180 bytes of pixels in a\.dcm \(3 frames of 5 x 6\), found 120; export it again")
    assert "compression" not in text


def test_many_frames_without_places_are_refused(tmp_path):
    path = write_slice(tmp_path / "a", 0, ImagePositionPatient=None)
    data = pydicom.dcmread(path)
    data.NumberOfFrames, data.PixelData = 2, data.PixelData * 2
    data.save_as(path)
    refused([path], r"Expected the ImagePositionPatient of each image .* in 2 of 2 \(images 1, 2\)")


def put(paths, old, new):
    """Text where pydicom would only write a number, of the same length."""
    assert len(old) == len(new)
    for path in map(Path, paths):
        content = path.read_bytes()
        assert content.count(old) == 1
        path.write_bytes(content.replace(old, new))


@pytest.mark.parametrize("name", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescaling_that_is_no_number_is_refused(tmp_path, name):
    paths = write_series(tmp_path, **{"RescaleSlope": "1.0", "RescaleIntercept": "0.0", name: "2.5000"})
    assert len(read_volume(paths).values)
    put(paths[1::2], b"2.5000", b"2,5000")
    refused(paths, rf"Expected a number as {name} .* found other text in 2 of 4 \(images 2, 4\); export the series")
    (item,) = find_volumes(tmp_path)
    assert len(item["image"]) == 4


@pytest.mark.parametrize("name", ["TriggerTime", "TemporalPositionIdentifier", "AcquisitionTime", "InstanceNumber"])
def test_a_time_that_is_no_number_does_not_change_the_order(tmp_path, name):
    paths = cine(tmp_path, **{"TriggerTime": None, "InstanceNumber": None, name: "123456"})
    put(paths[5:6], b"123456", b"SECRET")
    text = refused(paths, rf"Expected a number as {name} .* found other text in 1 of 4 \(image 005\)", frame=0)
    assert "SECRET" not in text
    (tmp_path / "b").mkdir()
    alone = write_slice(tmp_path / "b" / "a", 0, **{name: "123456"})
    put([alone], b"123456", b"SECRET")
    assert read_volume([alone]).values.shape == (5, 6, 1)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("AcquisitionTime", ["120000", "12:00:01", "120002.5"]),
        ("AcquisitionDate", ["20200102", "2020.01.03", "20200104"]),
    ],
)
def test_times_as_old_files_write_them_are_in_order(tmp_path, name, times):
    paths = []
    for number, time in enumerate(times):
        about = {name: time, "InstanceNumber": 9 - number}
        paths.append(write_slice(tmp_path / str(number), 0, np.full((6, 5), number, np.int16), **about))
    assert [int(read_volume(paths, frame).values[0, 0, 0]) for frame in range(3)] == [0, 1, 2]


def test_times_with_a_zone_are_in_order(tmp_path):
    data = pydicom.dcmread(enhanced(tmp_path / "a.dcm", (0, 8), (2, 1)))
    for number, group in enumerate(data.PerFrameFunctionalGroupsSequence):
        content = group.FrameContentSequence[0]
        del content.TemporalPositionIndex
        content.FrameAcquisitionDateTime = f"2020010112000{9 - number % 2}.5+0100"
    data.save_as(tmp_path / "a.dcm")
    assert read_volume([str(tmp_path / "a.dcm")], 0).values[0, 0].tolist() == [1, 1003]


def test_frames_of_a_file_without_its_own_group_are_read(tmp_path):
    data = pydicom.dcmread(enhanced(tmp_path / "a.dcm", (0, 8, 16), (1,)))
    expected = read_volume([str(tmp_path / "a.dcm")]).values
    data.file_meta = pydicom.dataset.FileMetaDataset()
    pydicom.dcmwrite(tmp_path / "b.dcm", data, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert np.array_equal(read_volume([str(tmp_path / "b.dcm")]).values, expected)


@pytest.mark.parametrize(
    ("first", "kind", "bits", "lowest"),
    [(0, "u1", 8, 0), (65536 - 100, "<u2", 16, -100), (65536 - 100, "<u2", 16, 3)],
    ids=["entries of 8 bits", "a first value without its sign", "levels above 0"],
)
def test_levels_go_through_the_table_of_the_modality(tmp_path, first, kind, bits, lowest):
    entries = np.arange(200)[::-1]
    pixels = np.arange(lowest, lowest + 30, dtype=np.int16).reshape(6, 5)
    path = write_slice(tmp_path / "a", 0, pixels)
    data = pydicom.dcmread(path)
    data.ModalityLUTSequence = table(entries, bits=bits, kind=kind)
    data.ModalityLUTSequence[0].add_new(0x00283002, "US", [200, first, bits])
    data.save_as(path)
    expected = entries[pixels + (100 if first else 0)]
    assert np.array_equal(read_volume([path]).values[..., 0], expected.T)


def test_two_patients_of_one_series_are_refused(tmp_path):
    paths = write_series(tmp_path / "a", PatientID="SECRET-A")
    paths += write_series(tmp_path / "b", (32, 40), PatientID="SECRET-B")
    assert "SECRET" not in refused(paths, "Expected a series of one patient, found another in 2 of 6 images")


def test_a_mosaic_of_slices_is_refused(tmp_path):
    path = write_slice(tmp_path / "a", 0, ImageType=["ORIGINAL", "PRIMARY", "M", "MOSAIC"])
    refused([path], r"side by side \(a mosaic\) in 1 of 1 \(image a\); convert it to NIfTI")


def test_text_in_place_of_a_transfer_syntax_is_not_shown(tmp_path):
    path = write_slice(tmp_path / "a", 0)
    content = Path(path).read_bytes()
    Path(path).write_bytes(content.replace(b"1.2.840.10008.1.2.1", b"SECRET^NAME ^SECRET"))
    assert "SECRET" not in refused([path], "found image a that cannot")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_only_patients_that_are_stated_are_compared(tmp_path, count):
    paths = write_series(tmp_path / "a", PatientID=None)
    for path in paths[:count]:
        data = pydicom.dcmread(path)
        data.PatientID = "SECRET"
        data.save_as(path)
    assert len(read_volume(paths).values)


def test_two_patients_are_no_localiser(tmp_path):
    paths = write_series(tmp_path / "a", PatientID="SECRET-A")
    paths += [write_slice(tmp_path / "b", 32, PatientID="SECRET-B")]
    text = refused(
        paths, r"of one patient, found another in 1 of 5 images \(image b\); move these out of the folder, or"
    )
    assert "SECRET" not in text


def test_the_shape_of_the_presentation_does_not_turn_the_levels_round(tmp_path):
    paths = write_series(tmp_path, PresentationLUTShape="INVERSE")
    paths += [write_slice(tmp_path / "x", 32)]
    assert read_volume(paths).values[0, 0].tolist() == [100, 108, 116, 124, 132]


@pytest.mark.parametrize("name", ["AcquisitionDate", "AcquisitionTime", "TriggerTime"])
def test_the_same_text_in_place_of_all_times_distinguishes_nothing(tmp_path, name):
    times = {"TriggerTime": None, name: "123456"}
    paths = cine(tmp_path, **times)
    put(paths, b"123456", b"SECRET")
    for frame in range(4):
        assert read_volume(paths[::-1], frame).values[0, 0].tolist() == [frame, 10 + frame, 20 + frame]
    put(paths[5:6], b"SECRET", b"OTHERS")
    assert "OTHERS" not in refused(paths, rf"Expected a number as {name} .* in 4 of 4", frame=0)


def test_mosaic_in_the_kind_of_a_file_of_many_frames_is_none(tmp_path):
    path = enhanced(tmp_path / "a.dcm", (0, 8, 16), (1,))
    expected = read_volume([path]).values
    data = pydicom.dcmread(path)
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]
    data.save_as(path)
    assert np.array_equal(read_volume([path]).values, expected)
