"""DICOM files for tests."""

import io

import numpy as np
import pytest
from PIL import Image

from monai_sfda.reading.read import read_image

GREY = np.array([[0, 100, 200], [50, 150, 250]], np.uint8)
RGB = np.stack([GREY, GREY // 2, 255 - GREY], -1)


def dataset(pixels, kind, bits=8, syntax="1.2.840.10008.1.2.1", frame=None, **extra):
    """A dataset of one image; ``frame`` is what a compressed one holds, and None leaves an element out."""
    pydicom = pytest.importorskip("pydicom")
    data = pydicom.Dataset()
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = pydicom.uid.generate_uid()
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        data.PlanarConfiguration = 0
    data.PhotometricInterpretation = kind
    data.BitsAllocated, data.BitsStored, data.HighBit = pixels.itemsize * 8, bits, bits - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    data.PixelData = pixels.tobytes() if frame is None else pydicom.encaps.encapsulate([frame])
    data["PixelData"].VR = "OW" if pixels.itemsize == 2 else "OB"
    for name, value in extra.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def write_dicom(path, pixels, kind, bits=8, **extra):
    """See `dataset`."""
    dataset(pixels, kind, bits, **extra).save_as(path, enforce_file_format=True)
    return path


def item(**elements):
    """A sequence of one item."""
    import pydicom

    content = pydicom.Dataset()
    for name, value in elements.items():
        setattr(content, name, value)
    return pydicom.Sequence([content])


def table(entries, first=0, bits=16, kind="<u2"):
    """A sequence with a lookup table."""
    sequence = item(LUTDescriptor=[len(entries) % 65536, first, bits])
    sequence[0].add_new(0x00283006, "OW", np.asarray(entries).astype(kind).tobytes())
    return sequence


def shown(path):
    return read_image(path).pixels


def greys(path):
    return shown(path)[..., 0].tolist()


def jpeg(colour=(200, 30, 10), **options):
    content = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(content, "JPEG", quality=98, **options)
    return content.getvalue()
