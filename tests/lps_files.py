"""MetaImage and NRRD files for tests; ``steps`` are the ways along the axes in mm, in LPS."""

import gzip

import numpy as np

STEPS = ((0.5, 0, 0), (0, 0.6, 0), (0, 0, 3))
ORIGIN = (10, 20, 30)
TYPES = {"i1": "MET_CHAR", "u1": "MET_UCHAR", "i2": "MET_SHORT"}
WORDS = {"i1": "signed char", "u1": "unsigned char", "i2": "short"}


def write_metaimage(path, values, steps=STEPS, origin=ORIGIN, dtype="i2", **other):
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = path.with_suffix(".raw")
    spacing = np.linalg.norm(steps, axis=1)
    header = {
        "ObjectType": "Image",
        "NDims": 3,
        "BinaryData": True,
        "BinaryDataByteOrderMSB": False,
        "CompressedData": False,
        "TransformMatrix": words((np.array(steps) / spacing[:, None]).ravel()),
        "Offset": words(origin),
        "CenterOfRotation": "0 0 0",
        "AnatomicalOrientation": "RAI",
        "ElementSpacing": words(spacing),
        "DimSize": words(np.shape(values)),
        "ElementType": TYPES[dtype],
        "ElementDataFile": voxels.name,
        **other,
    }
    path.write_text("".join(f"{name} = {value}\n" for name, value in header.items() if value is not None))
    voxels.write_bytes(np.asarray(values, f"<{dtype}").tobytes(order="F"))
    return path


def write_nrrd(path, values, steps=STEPS, origin=ORIGIN, dtype="i1", encoding="gzip", end="\n", **other):
    path.parent.mkdir(parents=True, exist_ok=True)
    content = np.asarray(values, f"<{dtype}").tobytes(order="F")
    header = {
        "type": WORDS[dtype],
        "dimension": 3,
        "space": "left-posterior-superior",
        "sizes": words(np.shape(values)),
        "space directions": " ".join(f"({','.join(map(str, step))})" for step in steps),
        "kinds": "domain domain domain",
        "endian": "little",
        "encoding": encoding,
        "space origin": f"({','.join(map(str, origin))})",
        **{name.replace("_", " "): value for name, value in other.items()},
    }
    lines = ["NRRD0004", "# of a program", *(f"{name}: {value}" for name, value in header.items() if value is not None)]
    text = end.join([*lines, "", ""]).encode()
    path.write_bytes(text + (gzip.compress(content) if encoding == "gzip" else content))
    return path


def words(numbers):
    return " ".join(f"{number:g}" for number in numbers)
