"""The scripts that prepare volumes, on tiny trees shaped like each release."""

import json

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from prepare_support import SHAPE, ids, label, names, nothing_written, save
from script_support import load
from sunnybrook_files import sunnybrook

from monai_sfda.tables import read_csv

ACDC, MSCMR, HIPPOCAMPUS, SUNNYBROOK = (
    load(f"prepare_{name}") for name in ("acdc", "mscmr", "hippocampus", "sunnybrook")
)

# ACDC

FEW = {"training": 2, "testing": 2}


@pytest.fixture
def acdc(tmp_path):
    """Two patients as the challenge gives them: headers with 1 mm in the affine, the spacing in pixdim."""
    for folder in ("training/patient001", "testing/patient101"):
        patient = tmp_path / "database" / folder
        for frame in ("01", "12"):
            for end, values in (("", np.full(SHAPE, int(frame))), ("_gt", label(1, 2, 3))):
                image = nib.Nifti1Image(values.astype(np.int16), np.diag([-1.0, -1, 1, 1]))
                image.header.set_zooms((1.5, 1.5, 10))
                image.header.set_sform(image.affine, code=2)
                patient.mkdir(parents=True, exist_ok=True)
                nib.save(image, patient / f"{patient.name}_frame{frame}{end}.nii.gz")
        (patient / "Info.cfg").write_text("ED: 1\nES: 12\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\nWeight: 95.0\n")
    return tmp_path


def test_acdc_gives_ids_spacing_and_the_moments_of_the_heart(acdc, capsys):
    ACDC.main([str(acdc), str(acdc / "out")], FEW)
    assert capsys.readouterr().out == f"{acdc / 'out'}: 4 volumes.\n"
    assert ids(acdc / "out/mask/patient001_frame12.nii.gz") == [3, 2, 1]
    for kind in ("image", "mask"):
        affine = nib.load(acdc / "out" / kind / "patient101_frame01.nii.gz").affine
        assert np.allclose(affine, np.diag([-1.5, -1.5, 10, 1]))
    assert read_csv(acdc / "out" / "index.csv")[1] == {
        "file": "patient001_frame12.nii.gz",
        "patient": "patient001",
        "frame": "ES",
        "group": "DCM",
        "split": "training",
    }


def spoil_label(folder):
    save(folder / "database/training/patient001/patient001_frame12_gt.nii.gz", label(5), np.diag([-1.0, -1, 1, 1]))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            lambda d: (d / "database/testing/patient101/patient101_frame12.nii.gz").unlink(),
            "Expected an image for each",
        ),
        (lambda d: (d / "database/testing/patient101/Info.cfg").unlink(), r"Expected Info\.cfg of each patient, found"),
        (lambda d: (d / "database/testing/patient101/Info.cfg").write_text("ED: 1\n"), "Expected frame 12 to be ED or"),
        (
            lambda d: [p.unlink() for p in (d / "database/testing/patient101").glob("*01*.gz")],
            "2 images in testing, found 0",
        ),
        (spoil_label, "values 0, 1, 2, 3 in the label, found 5"),
    ],
)
def test_an_acdc_that_is_not_whole_is_refused_in_a_sentence(acdc, spoil, sentence):
    spoil(acdc)
    with pytest.raises((ValueError, OSError), match=sentence) as error:
        ACDC.main([str(acdc), str(acdc / "out")], FEW)
    assert "\n" not in str(error.value)
    assert nothing_written(acdc)


def test_the_complete_acdc_has_300_volumes():
    assert sum(ACDC.COUNTS.values()) == 300


# MS-CMRSeg

FEW_SEQUENCES = {"bssfp": [1], "lge": [5, 2]}


@pytest.fixture
def mscmr(tmp_path):
    for name in ("patient1_C0", "patient2_C0", "patient1_LGE", "patient2_LGE", "patient1_T2"):
        save(tmp_path / "c0t2lge" / f"{name}.nii.gz", np.ones(SHAPE))
    for name in ("patient1_C0", "patient1_LGE", "patient2_LGE", "patient1_T2"):
        save(tmp_path / name[9:].lower() / f"{name}_manual.nii.gz", label(200, 500, 600))
    return tmp_path


def test_mscmr_has_a_folder_per_sequence_and_only_volumes_with_a_reference(mscmr, capsys):
    MSCMR.main([str(mscmr), str(mscmr / "out")], FEW_SEQUENCES)
    assert "bssfp 1, lge 2 volumes" in capsys.readouterr().out
    assert names(mscmr / "out/bssfp/image") == ["patient1_C0"]
    assert names(mscmr / "out/lge/mask") == ["patient1_LGE", "patient2_LGE"]
    assert ids(mscmr / "out/lge/mask/patient2_LGE.nii.gz") == [2, 1, 3]
    assert read_csv(mscmr / "out/bssfp/index.csv") == [{"file": "patient1_C0.nii.gz", "patient": "patient1"}]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "lge/patient1_LGE_manual.nii.gz").unlink(), "Expected 5 or 2 references of LGE, found 1;"),
        (
            lambda d: (d / "c0t2lge/patient1_C0.nii.gz").unlink(),
            r"an image for each mask, found none for 1 \(patient1_C0",
        ),
        (lambda d: save(d / "c0/patient1_C0_manual.nii.gz", label(1)), "values 0, 200, 500, 600 in the label, found 1"),
    ],
)
def test_an_mscmr_that_is_not_whole_is_refused_in_a_sentence(mscmr, spoil, sentence):
    spoil(mscmr)
    with pytest.raises(ValueError, match=sentence):
        MSCMR.main([str(mscmr), str(mscmr / "out")], FEW_SEQUENCES)
    assert nothing_written(mscmr)


# Hippocampus


@pytest.fixture
def hippocampus(tmp_path):
    folder = tmp_path / "Task04_Hippocampus"
    for name in ("hippocampus_001", "hippocampus_367"):
        save(folder / "imagesTr" / f"{name}.nii.gz", np.ones(SHAPE))
        save(folder / "labelsTr" / f"{name}.nii.gz", label(1, 2))
    save(folder / "imagesTs/hippocampus_002.nii.gz", np.ones(SHAPE))
    (folder / "imagesTr/._hippocampus_001.nii.gz").write_bytes(b"of macOS")
    listed = [
        {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
        for name in names(folder / "labelsTr")
    ]
    (folder / "dataset.json").write_text(json.dumps({"training": listed}))
    return tmp_path


def test_the_hippocampus_set_comes_as_it_is_with_its_notice(hippocampus):
    HIPPOCAMPUS.main([str(hippocampus), str(hippocampus / "out")], 2)
    assert names(hippocampus / "out/image") == ["hippocampus_001", "hippocampus_367"]
    assert ids(hippocampus / "out/mask/hippocampus_001.nii.gz") == [1, 2, 0]
    assert "Attribution-ShareAlike 4.0" in (hippocampus / "out/NOTICE.txt").read_text()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "dataset.json").unlink(), r"Expected files such as dataset\.json"),
        (lambda d: (d / "dataset.json").write_text("{}"), "Expected a list of training images"),
        (lambda d: [p.unlink() for p in d.glob("*Tr/hippocampus_367*")], r"found 1 \(missing: hippocampus_367\)"),
    ],
)
def test_a_hippocampus_set_that_is_not_whole_is_refused_in_a_sentence(hippocampus, spoil, sentence):
    spoil(hippocampus / "Task04_Hippocampus")
    with pytest.raises((ValueError, OSError), match=sentence):
        HIPPOCAMPUS.main([str(hippocampus), str(hippocampus / "out")], 2)
    assert nothing_written(hippocampus)


# Sunnybrook


def picture(folder, kind, number, pixels):
    path = folder / f"Data/Train/{kind}/Sunnybrook_Part1/SC-N-02-IM-0001-{number:04d}.dcm.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path):
    for number in (8, 20, 28, 40):
        picture(tmp_path, "Images", number, np.full((8, 6, 3), number))
        picture(tmp_path, "Labels", number, np.tile(np.arange(6), (8, 1)) > (3 if number % 20 else 2))
    return tmp_path


def test_sunnybrook_pictures_become_two_volumes_of_a_patient(pictures, capsys):
    SUNNYBROOK.main([str(pictures), str(pictures / "out")], 1)
    assert capsys.readouterr().out == f"{pictures / 'out'}: 2 volumes.\n"
    image = nib.load(pictures / "out/image/SC-N-02_phase08.nii.gz")
    assert image.shape == (6, 8, 2)
    assert np.allclose(image.header.get_zooms(), (350 / 256, 350 / 256, 8))
    assert [row["frame"] for row in read_csv(pictures / "out/index.csv")] == ["ES", "ED"]


def test_the_spacing_of_sunnybrook_pictures_can_be_given(pictures):
    SUNNYBROOK.main([str(pictures), str(pictures / "out"), "--spacing", "1.3671875"], 1)
    assert nib.load(pictures / "out/mask/SC-N-02_phase20.nii.gz").header.get_zooms()[0] == 1.3671875
    assert read_csv(pictures / "out/index.csv")[0]["spacing"] == "set to 1.36719 x 1.36719 x 8 mm"


def test_the_official_sunnybrook_is_read_from_dicom(tmp_path):
    SUNNYBROOK.main([str(sunnybrook(tmp_path / "scd")), str(tmp_path / "out")], 1)
    assert names(tmp_path / "out/image") == ["SC-HF-I-01_phase08", "SC-HF-I-01_phase20"]
    assert nib.load(tmp_path / "out/mask/SC-HF-I-01_phase08.nii.gz").header.get_zooms() == (1.25, 1.5, 9)


def test_half_of_sunnybrook_is_refused(pictures):
    with pytest.raises(ValueError, match="Expected 45 patients, found 1; complete the download"):
        SUNNYBROOK.main([str(pictures), str(pictures / "out")])
    assert nothing_written(pictures)


def test_a_spacing_for_files_that_state_it_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Expected --spacing for PNG only, found DICOM"):
        SUNNYBROOK.main([str(sunnybrook(tmp_path / "scd")), str(tmp_path / "out"), "--spacing", "1"], 1)


def test_a_spacing_of_nothing_is_refused(pictures):
    with pytest.raises(ValueError, match="Expected --spacing above 0 mm, found -1"):
        SUNNYBROOK.main([str(pictures), str(pictures / "out"), "--spacing", "-1"], 1)


def test_an_empty_folder_is_told_what_belongs_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Expected files such as SC-HF-I-01/contours-manual"):
        SUNNYBROOK.main([str(tmp_path), str(tmp_path / "out")])
