import pytest
from PIL import Image

from monai_sfda.reading.kind import sniff


def test_dicom_is_known_by_its_content_or_suffix(tmp_path):
    (tmp_path / "IM0001").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "old.DCM").write_bytes(b"something")
    (tmp_path / "a.nii.gz").write_bytes(b"something")
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    assert [sniff(tmp_path / n) for n in ("IM0001", "old.DCM", "a.nii.gz", "a.png")] == [
        "dicom",
        "dicom",
        "nifti",
        "picture",
    ]


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"])
def test_tiff_is_known_by_its_content_also_with_64_bits(tmp_path, head):
    (tmp_path / "a.png").write_bytes(head + bytes(99))
    assert sniff(tmp_path / "a.png") == "tiff"


@pytest.mark.parametrize(
    "head",
    [
        b"\x02\0\0\0UL\x04\0",  # the file's own header, without a preamble
        b"\x08\0\x05\0CS\x0a\0",  # without that header, too
        b"\x08\0\x16\0\x1a\0\0\0",  # and with types left out
        b"\0\x08\0\x05CS\0\x0a",
    ],
    ids=["header", "explicit", "implicit", "big endian"],
)
def test_dicom_without_a_preamble_is_known_by_its_first_element(tmp_path, head):
    (tmp_path / "IM0001").write_bytes(head + bytes(200))
    assert sniff(tmp_path / "IM0001") == "dicom"


def test_a_text_and_an_old_table_are_no_dicom(tmp_path):
    (tmp_path / "notes").write_bytes(b"some text that is long enough " * 9)
    (tmp_path / "table").write_bytes(b"\x08\0\0\0" + b"\xff" * 200)
    assert [sniff(tmp_path / name) for name in ("notes", "table")] == ["picture", "picture"]


def test_a_pointer_of_git_lfs_says_how_to_fetch_the_file(tmp_path):
    (tmp_path / "a.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n")
    with pytest.raises(ValueError, match=r"a.png, found a pointer of git-lfs; fetch the files with: git lfs pull"):
        sniff(tmp_path / "a.png")
