"""The scripts that prepare volumes of the prostate, on tiny trees shaped like each release."""

import json
import shutil

import nibabel as nib
import numpy as np
import pytest
from dicom_files import write_dicom
from lps_files import ORIGIN, STEPS, write_metaimage, write_nrrd
from prepare_support import SHAPE, ids, label, names, nothing_written, save
from script_support import load

from monai_sfda.tables import read_csv

PROMISE12, NCI, MSD, SAML = (
    load(f"prepare_{name}") for name in ("promise12", "nci_isbi", "msd_prostate", "saml_prostate")
)
AFFINE = [[-0.5, 0, 0, -10], [0, -0.6, 0, -20], [0, 0, 3, 30], [0, 0, 0, 1]]


def refused(main, folder, sentence, *options):
    with pytest.raises((ValueError, OSError), match=sentence) as error:
        main([str(folder), str(folder / "out"), *options])
    assert "\n" not in str(error.value)
    assert nothing_written(folder)


# PROMISE12


@pytest.fixture
def promise12(tmp_path):
    """Three cases in the folders of the archives, and a test case of the same name as one of them."""
    for number in range(3):
        folder = tmp_path / f"TrainingData_Part{1 + number // 2}"
        write_metaimage(folder / f"Case{number:02d}.mhd", np.full(SHAPE, number))
        write_metaimage(folder / f"Case{number:02d}_segmentation.mhd", label(1), dtype="i1")
    write_metaimage(tmp_path / "TestData" / "Case00.mhd", np.zeros(SHAPE))
    return tmp_path


def promise(arguments):
    PROMISE12.main(arguments, 3)


def test_promise12_keeps_values_and_place_and_leaves_the_test_cases_out(promise12, capsys):
    promise([str(promise12), str(promise12 / "out")])
    assert capsys.readouterr().out == f"{promise12 / 'out'}: 3 volumes.\n"
    image = nib.load(promise12 / "out/image/Case02.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj), np.full(SHAPE, 2))
    assert np.allclose(image.affine, AFFINE)
    assert ids(promise12 / "out/mask/Case02.nii.gz") == [1, 0, 0]
    listed = (promise12 / "out/sources.sha256").read_text().splitlines()
    assert len(listed) == 12


def test_promise12_can_be_divided_into_sites(promise12, tmp_path):
    (tmp_path / "sites.csv").write_text("name,site\nCase00,BIDMC\nCase01,UCL\nCase02,UCL\n")
    promise([str(promise12), str(promise12 / "out"), "--sites", str(tmp_path / "sites.csv")])
    assert names(promise12 / "out/UCL/image") == ["Case01", "Case02"]
    assert read_csv(promise12 / "out/BIDMC/index.csv") == [
        {"file": "Case00.nii.gz", "patient": "Case00", "site": "BIDMC"}
    ]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("Case00,UCL\nCase01,UCL\n", "Expected the site of each case in .*, found none of Case02; add a row"),
        ("Case00,UCL\nCase01,UCL\nCase02,../UCL\n", r"found \.\./UCL; they become folders"),
    ],
)
def test_a_table_of_sites_that_does_not_fit_is_refused(promise12, tmp_path, rows, sentence):
    (tmp_path / "sites.csv").write_text("name,site\n" + rows)
    refused(promise, promise12, sentence, "--sites", str(tmp_path / "sites.csv"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "Case01.mhd").unlink(), r"an image for each mask, found none for 1 \(Case01\)"),
        (lambda d: (d / "Case01.raw").unlink(), r"voxels of Case01\.mhd in Case01\.raw beside it, found no such file"),
        (lambda d: (d / "Case01.raw").rename(d / "case1.raw"), r"unpack the archive whole, and rename nothing"),
        (lambda d: (d / "Case01.raw").write_bytes(b"half"), r"1 that are not \(Case01\).* not unpacked to its end"),
        (lambda d: (d / "Case01_segmentation.mhd").unlink(), r"found 2 \(missing: Case01\); complete the download"),
        (
            lambda d: shutil.copytree(d, d.parent / "older release"),
            "Expected one file for Case00, found .*; remove the one",
        ),
        (
            lambda d: write_metaimage(d / "Case01_segmentation.mhd", label(1, 2), dtype="i1"),
            "the values 0, 1 in the label, found 2",
        ),
        (
            lambda d: write_metaimage(d / "Case01_segmentation.mhd", label(1), origin=(0, 0, 0), dtype="i1"),
            "Expected a label on the voxels of its image, found another position",
        ),
    ],
)
def test_a_promise12_that_is_not_whole_is_refused_in_a_sentence(promise12, spoil, sentence):
    spoil(promise12 / "TrainingData_Part1")
    refused(promise, promise12, sentence)


def test_the_complete_promise12_has_50_cases():
    assert PROMISE12.VOLUMES == 50


# NCI-ISBI 2013

ONE_EACH = {"training": 1, "leaderboard": 1, "test": 1}


def series(folder, patient, slices=3):
    for number in range(slices):
        path = folder / "manifest" / patient / "study" / "series" / f"1-{number + 1:02d}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_dicom(
            path,
            np.full(SHAPE[1::-1], 10 * number, np.uint16),
            "MONOCHROME2",
            bits=12,
            SeriesInstanceUID="1.2.3",
            PixelSpacing=[0.6, 0.5],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            ImagePositionPatient=[*ORIGIN[:2], ORIGIN[2] + 3 * number],
        )


@pytest.fixture
def nci(tmp_path):
    """A patient of each site and part, as the Cancer Imaging Archive gives them."""
    for site in ("Prostate3T", "ProstateDx"):
        for part, folder in (("01", "Training"), ("03", "Test")):
            patient = f"{site}-{part}-0006"
            series(tmp_path, patient)
            end = "_correctedLabels" if site == "ProstateDx" else ""
            write_nrrd(tmp_path / folder / f"{patient}{end}.nrrd", label(1, 2), dtype="u1")
    return tmp_path


def nci_main(arguments):
    NCI.main(arguments, ONE_EACH)


def test_nci_isbi_has_a_folder_per_site_and_the_prostate_as_a_whole(nci, capsys):
    nci_main([str(nci), str(nci / "out")])
    assert "prostate3t 1, prostatedx 1 volumes" in capsys.readouterr().out
    assert names(nci / "out/prostatedx/image") == ["ProstateDx-01-0006"]
    assert ids(nci / "out/prostatedx/mask/ProstateDx-01-0006.nii.gz") == [1, 1, 0]
    image = nib.load(nci / "out/prostate3t/image/Prostate3T-01-0006.nii.gz")
    assert np.asarray(image.dataobj)[0, 0].tolist() == [0, 10, 20]
    assert np.allclose(image.affine, AFFINE)
    assert read_csv(nci / "out/prostate3t/index.csv")[0]["part"] == "training"


def test_zones_and_other_parts_can_be_asked_for(nci):
    nci_main([str(nci), str(nci / "out"), "--zones", "--parts", "training", "test"])
    assert names(nci / "out/prostate3t/image") == ["Prostate3T-01-0006", "Prostate3T-03-0006"]
    assert ids(nci / "out/prostate3t/mask/Prostate3T-03-0006.nii.gz") == [1, 2, 0]


def test_a_label_of_fewer_slices_lies_where_its_position_says(nci):
    higher = (*ORIGIN[:2], ORIGIN[2] + 3)
    path = nci / "Training/ProstateDx-01-0006_correctedLabels.nrrd"
    write_nrrd(path, label(1, 2)[..., :2], STEPS, higher, dtype="u1")
    nci_main([str(nci), str(nci / "out")])
    mask = np.asarray(nib.load(nci / "out/prostatedx/mask/ProstateDx-01-0006.nii.gz").dataobj)
    assert np.argwhere(mask).tolist() == [[0, 0, 1], [0, 1, 1]]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: (d / "Training/Prostate3T-01-0006.nrrd").unlink(), "Expected 1 segmentations of prostate3t, train"),
        (
            lambda d: shutil.rmtree(d / "manifest/Prostate3T-01-0006"),
            "the one series of Prostate3T-01-0006 .*found none",
        ),
        (
            lambda d: shutil.copytree(
                d / "manifest/Prostate3T-01-0006/study", d / "manifest/Prostate3T-01-0006/coronal"
            ),
            "the one series of Prostate3T-01-0006 that the challenge lists, found those in series, series;",
        ),
        (
            lambda d: (
                series(d, "Prostate3T-01-0006", slices=5),
                (d / "manifest/Prostate3T-01-0006/study/series/1-03.dcm").unlink(),
            ),
            r"found distances of 3\.0, 6\.0, 3\.0 mm; the series is another one, or not complete",
        ),
        (
            lambda d: write_nrrd(d / "Training/ProstateDx-01-0006.nrrd", label(1), dtype="u1"),
            "Expected one file for ProstateDx-01-0006, found .* and ",
        ),
        (
            lambda d: write_nrrd(d / "Training/Prostate3T-01-0006.nrrd", label(1, 3), dtype="u1"),
            "the values 0, 1, 2 in the label, found 3",
        ),
        (
            lambda d: write_nrrd(d / "Training/Prostate3T-01-0006.nrrd", label(1), origin=(90, 90, 90), dtype="u1"),
            "found 1 of 1 labelled voxels outside",
        ),
    ],
)
def test_an_nci_isbi_that_is_not_whole_is_refused_in_a_sentence(nci, spoil, sentence):
    spoil(nci)
    refused(nci_main, nci, sentence)


def test_the_complete_training_part_has_30_patients_of_each_site():
    assert NCI.COUNTS == {"training": 30, "leaderboard": 5, "test": 5}


# Medical Segmentation Decathlon, task 5


@pytest.fixture
def msd(tmp_path):
    folder = tmp_path / "Task05_Prostate"
    for name in ("prostate_00", "prostate_47"):
        save(folder / "imagesTr" / f"{name}.nii.gz", np.stack([np.full(SHAPE, 7), np.full(SHAPE, 9)], -1))
        save(folder / "labelsTr" / f"{name}.nii.gz", label(1, 2))
    rows = [
        {"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"}
        for name in names(folder / "labelsTr")
    ]
    (folder / "dataset.json").write_text(json.dumps({"modality": {"0": "T2", "1": "ADC"}, "training": rows}))
    return tmp_path


def msd_main(arguments):
    MSD.main(arguments, 2)


def test_msd_prostate_is_its_first_channel_with_both_zones(msd):
    msd_main([str(msd), str(msd / "out")])
    image = nib.load(msd / "out/image/prostate_47.nii.gz")
    assert np.array_equal(np.asarray(image.dataobj), np.full(SHAPE, 7))
    assert np.allclose(image.affine, np.diag([-1.5, -1.5, 10, 1]))
    assert ids(msd / "out/mask/prostate_47.nii.gz") == [1, 1, 0]
    assert "both zones as one class" in (msd / "out/NOTICE.txt").read_text()


def test_msd_prostate_has_its_zones_if_asked(msd):
    msd_main([str(msd), str(msd / "out"), "--zones"])
    assert ids(msd / "out/mask/prostate_47.nii.gz") == [1, 2, 0]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda d: [p.unlink() for p in d.glob("*Tr/prostate_47*")], r"found 1 \(missing: prostate_47\)"),
        (lambda d: (d / "labelsTr/prostate_47.nii.gz").unlink(), r"a mask for each image, found none for 1"),
        (
            lambda d: save(d / "imagesTr/prostate_47.nii.gz", np.ones(SHAPE)),
            "Expected the channels T2 and ADC, found 4 x",
        ),
        (lambda d: save(d / "labelsTr/prostate_47.nii.gz", label(1, 2, 3)), "values 0, 1, 2 in the label, found 3"),
        (
            lambda d: (d / "dataset.json").write_text((d / "dataset.json").read_text().replace("T2", "T1")),
            "Expected T2 as channel 0 in .*, found T1",
        ),
    ],
)
def test_an_msd_prostate_that_is_not_whole_is_refused_in_a_sentence(msd, spoil, sentence):
    spoil(msd / "Task05_Prostate")
    refused(msd_main, msd, sentence)


# Six sites

TWO_SITES = {"RUNMC": 1, "BMC": 1}


@pytest.fixture
def saml(tmp_path):
    for site, end in (("RUNMC", "_segmentation"), ("BMC", "_Segmentation")):
        save(tmp_path / "data" / site / "Case00.nii.gz", np.ones(SHAPE))
        save(tmp_path / "data" / site / f"Case00{end}.nii.gz", label(1, 2))
    return tmp_path


def saml_main(arguments):
    SAML.main(arguments, TWO_SITES)


def test_the_six_sites_become_folders_and_patients_of_different_sites_differ(saml):
    saml_main([str(saml), str(saml / "out")])
    assert ids(saml / "out/bmc/mask/Case00.nii.gz") == [1, 1, 0]
    assert read_csv(saml / "out/runmc/index.csv")[0]["patient"] == "runmc_Case00"


def test_a_site_that_lacks_a_case_is_refused_in_a_sentence(saml):
    (saml / "data/BMC/Case00.nii.gz").rename(saml / "data/BMC/Case01.nii.gz")
    refused(saml_main, saml, r"Expected a mask for each image, found none for 1 \(Case01\)")


def test_the_complete_set_of_six_sites_has_116_volumes():
    assert sum(SAML.COUNTS.values()) == 116
