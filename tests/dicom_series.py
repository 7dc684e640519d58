"""DICOM series for tests."""

import numpy as np
from dicom_files import dataset, item

OBLIQUE = [0.8, 0.6, 0, 0, 0, -1]
"""Rows run to the left and back, columns to the feet."""
ORIGIN = np.array([10.0, -20.0, 30.0])
RNG = np.random.default_rng(0)


def position(height, axes=OBLIQUE):
    return (ORIGIN + height * np.cross(axes[:3], axes[3:])).tolist()


def write_slice(path, height, pixels=None, *, axes=OBLIQUE, series="1.2.3", **extra):
    """One image of 6 rows and 5 columns, ``height`` mm along the normal of a series."""
    pixels = np.full((6, 5), 100 + int(height), np.int16) if pixels is None else pixels
    about = {
        "SeriesInstanceUID": series,
        "StudyInstanceUID": "1.2",
        "FrameOfReferenceUID": "1.9",
        "Modality": "MR",
        "SeriesNumber": 3,
        "PixelSpacing": [1.5, 1.25],
        "SliceThickness": 4,
        "ImageOrientationPatient": list(axes),
        "ImagePositionPatient": position(height, axes),
    }
    about |= extra
    data = dataset(pixels, "RGB" if pixels.ndim == 3 else "MONOCHROME2", bits=8 * pixels.itemsize)
    for name, value in about.items():
        if value is not None:
            setattr(data, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return str(path)


def write_series(folder, heights=(0, 8, 16, 24), order=None, **extra):
    """Paths in the order of the heights; the names say nothing of it."""
    names = np.random.default_rng(1).permutation(len(heights))
    return [
        write_slice(folder / f"IM{names[n]:04}", height, InstanceNumber=n + 1, **extra)
        for n, height in enumerate(heights)
    ]


def enhanced(path, heights, times):
    """One file of all images, place by place; slopes differ by place."""
    import pydicom

    count = len(heights) * len(times)
    pixels = np.arange(count, dtype=np.int16)[:, None, None] * np.ones((6, 5), np.int16)
    write_slice(
        path, 0, ImagePositionPatient=None, ImageOrientationPatient=None, PixelSpacing=None, SliceThickness=None
    )
    data = pydicom.dcmread(path)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = pydicom.uid.EnhancedMRImageStorage
    data.NumberOfFrames, data.PixelData = count, pixels.tobytes()
    common = pydicom.Dataset()
    common.PixelMeasuresSequence = item(PixelSpacing=[1.5, 1.25], SliceThickness=8)
    common.PlaneOrientationSequence = item(ImageOrientationPatient=OBLIQUE)
    data.SharedFunctionalGroupsSequence = pydicom.Sequence([common])
    frames = []
    for place, height in enumerate(heights):
        for time in times:
            frame = pydicom.Dataset()
            frame.PlanePositionSequence = item(ImagePositionPatient=position(height))
            frame.FrameContentSequence = item(TemporalPositionIndex=time)
            frame.PixelValueTransformationSequence = item(RescaleSlope=1, RescaleIntercept=1000 * place)
            frames.append(frame)
    data.PerFrameFunctionalGroupsSequence = pydicom.Sequence(frames)
    data.save_as(path)
    return str(path)
