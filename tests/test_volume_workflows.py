"""Volumes from a folder to masks, tables, a report and scores, by the configs of a bundle."""

import csv
import json
import shutil

import nibabel
import numpy as np
import pytest
import torch
from bundle_support import ROOT, VOLUME_BUNDLES, command, fails, random_weights, run
from dicom_series import write_slice
from monai.bundle import ConfigParser
from volume_files import write_volumes

from monai_sfda.json_file import read_json
from monai_sfda.mask_file import row_of
from monai_sfda.template import write_configs
from monai_sfda.template.write import TASK

HEART = ROOT / "bundles" / "heart_cine_mri"
BRIGHT = {
    "_target_": "Convolution",
    "in_channels": 1,
    "out_channels": 2,
    "kernel_size": 1,
    "adn_ordering": "N",
    "norm": "batch",
}
CAVITY = "left_ventricular_cavity"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The heart bundle with a network that finds what is bright."""
    return bright_bundle(tmp_path_factory.mktemp("bundle") / "heart")


def bright_bundle(folder, **task):
    shutil.copytree(HEART, folder, ignore=shutil.ignore_patterns("models"))
    task = {**json.loads((folder / "configs" / TASK).read_text()), **task}
    task["network_def"] = {**BRIGHT, "spatial_dims": len(task["image_size"])}
    write_configs(folder / "configs", task)
    (folder / "models").mkdir()
    weights = random_weights(folder, folder / "models" / "model.pt")
    state = torch.load(weights, weights_only=True)
    state["conv.weight"] = torch.tensor([0.0, 8.0]).view(state["conv.weight"].shape)
    state["conv.bias"] = torch.zeros(2)
    torch.save(state, weights)
    return folder


@pytest.fixture
def volumes(tmp_path):
    return write_volumes(tmp_path / "volumes")


def table(path):
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def predict(monkeypatch, bundle, volumes, out, *options):
    command(monkeypatch, "predict", bundle, volumes, "--output", out, "--precision", "float32", *options)
    return table(out / "results.csv")


def test_a_mask_lies_on_its_volume_and_a_row_says_how_large_it_is(bundle, volumes, monkeypatch, tmp_path, capsys):
    path = volumes / "case_1.nii.gz"
    turned = nibabel.load(path).as_reoriented(np.array([[2, 1], [0, -1], [1, 1]]))
    turned.header["descrip"], turned.header["db_name"] = b"Doe, Jane", b"Doe"
    nibabel.save(turned, path)
    out = tmp_path / "out"
    rows = predict(monkeypatch, bundle, volumes, out, "--overlays")
    assert "(3 volumes, " in capsys.readouterr().out
    assert [row["file"] for row in rows] == [f"case_{number}.nii.gz" for number in range(3)]
    image, mask = nibabel.load(path), nibabel.load(out / "masks" / "case_1.nii.gz")
    assert mask.shape == image.shape
    assert np.array_equal(mask.affine, image.affine)
    assert mask.get_data_dtype() == np.uint8
    for field in ("sform_code", "qform_code", "xyzt_units"):
        assert mask.header[field] == image.header[field]
    assert b"Doe" not in mask.header.binaryblock
    count = np.count_nonzero(np.asarray(mask.dataobj))
    assert int(rows[1][f"{CAVITY}_voxels"]) == count > 0
    assert float(rows[1][f"{CAVITY}_ml"]) == pytest.approx(count * 32 / 1000, abs=1e-4)
    assert rows[1]["slices"] == "5"
    assert {path.name for path in (out / "overlays").iterdir()} == {f"case_{number}.jpg" for number in range(3)}
    page = (out / "report.html").read_text()
    assert "3 volumes" in page
    assert "Left ventricular cavity, ml" not in page  # which is in the chart, an image
    assert page.count("data:image/jpeg") == 3


def test_axes_of_the_file_do_not_change_what_is_found(bundle, volumes, monkeypatch, tmp_path):
    image = nibabel.load(volumes / "case_0.nii.gz")
    turned = image.as_reoriented(np.array([[1, -1], [0, 1], [2, 1]]))
    nibabel.save(turned, volumes / "turned.nii.gz")
    predict(monkeypatch, bundle, volumes, tmp_path / "out")
    masks = [nibabel.load(tmp_path / "out" / "masks" / f"{name}.nii.gz") for name in ("case_0", "turned")]
    same = nibabel.as_closest_canonical(masks[0]), nibabel.as_closest_canonical(masks[1])
    assert np.array_equal(np.asarray(same[0].dataobj), np.asarray(same[1].dataobj))


def test_a_stopped_run_goes_on_and_a_damaged_volume_costs_a_row(bundle, volumes, monkeypatch, tmp_path):
    out = tmp_path / "out"
    whole = (volumes / "case_0.nii.gz").read_bytes()
    (volumes / "broken.nii.gz").write_bytes(whole[: len(whole) // 2])
    assert [row["status"] for row in predict(monkeypatch, bundle, volumes, out)].count("failed") == 1
    masks = {path.name: path.read_bytes() for path in (out / "masks").iterdir()}
    written = (out / "masks" / "case_1.nii.gz").stat().st_mtime_ns
    (out / "masks" / "case_0.nii.gz").unlink()
    predict(monkeypatch, bundle, volumes, out)
    assert {path.name: path.read_bytes() for path in (out / "masks").iterdir()} == masks
    assert (out / "masks" / "case_1.nii.gz").stat().st_mtime_ns == written
    shutil.copyfile(volumes / "case_2.nii.gz", volumes / "case_1.nii.gz")
    predict(monkeypatch, bundle, volumes, out)
    ids = [np.asarray(nibabel.load(out / "masks" / f"case_{number}.nii.gz").dataobj) for number in (1, 2)]
    assert np.array_equal(*ids)


def test_a_row_and_a_mask_for_each_frame(bundle, volumes, monkeypatch, tmp_path):
    frames = [nibabel.load(volumes / f"case_{number}.nii.gz") for number in range(3)]
    (tmp_path / "cine").mkdir()
    nibabel.save(nibabel.concat_images(frames), tmp_path / "cine" / "p1.nii.gz")
    rows = predict(monkeypatch, bundle, tmp_path / "cine", tmp_path / "out", "--frames", "all")
    assert [row["file"] for row in rows] == [f"p1.nii.gz frame {number}" for number in range(3)]
    alone = predict(monkeypatch, bundle, volumes, tmp_path / "alone")
    assert [row[f"{CAVITY}_voxels"] for row in rows] == [row[f"{CAVITY}_voxels"] for row in alone]
    mask = nibabel.load(tmp_path / "out" / "masks" / rows[1]["mask"])
    assert mask.shape == frames[1].shape
    assert np.array_equal(mask.affine, frames[1].affine)


@pytest.mark.parametrize("keep", [True, False], ids=["header kept", "header new"])
def test_a_corrected_mask_is_measured_again(keep, bundle, volumes, monkeypatch, tmp_path):
    out = tmp_path / "out"
    predict(monkeypatch, bundle, volumes, out)
    path = out / "masks" / "case_0.nii.gz"
    mask = nibabel.load(path)
    ids = np.zeros(mask.shape, np.uint8)
    ids[10:20, 10:20, [1, 3]] = 1
    nibabel.save(nibabel.Nifti1Image(ids, mask.affine, mask.header if keep else None), path)
    assert row_of(path) is None
    row = predict(monkeypatch, bundle, volumes, out)[0]
    assert (row[f"{CAVITY}_voxels"], row[f"{CAVITY}_ml"], row[f"{CAVITY}_slices"]) == ("200", "6.4", "2")
    assert f"gap_{CAVITY}" in row["flags"]
    assert row[f"{CAVITY}_confidence"] == ""


def test_pseudonyms_hide_names_everywhere(bundle, volumes, monkeypatch, tmp_path, capfd):
    (volumes / "case_0.nii.gz").rename(volumes / "Doe_Jane.nii.gz")
    out = tmp_path / "out"
    predict(monkeypatch, bundle, volumes, out, "--pseudonym_salt", "a long secret")
    for path in out.rglob("*"):
        assert "Doe" not in path.name
        assert path.is_dir() or b"Doe" not in path.read_bytes()
    assert len(list((out / "masks").glob("*.nii.gz"))) == 3
    said = capfd.readouterr()
    assert "Doe" not in said.out + said.err


def test_the_table_of_studies_is_named_where_it_is_written(bundle, volumes, monkeypatch, tmp_path, capsys):
    out = tmp_path / "out"
    predict(monkeypatch, bundle, volumes, out)
    assert f"Studies  {out / 'function.csv'}" in capsys.readouterr().out
    assert json.loads((out / "summary.json").read_text())["studies"] == "function.csv"
    assert {row["status"] for row in table(out / "function.csv")} <= {"ok", "incomplete"}
    assert "Function of the left ventricle" in (out / "report.html").read_text(encoding="utf-8")


def test_frames_of_a_study_belong_together_behind_pseudonyms(bundle, volumes, monkeypatch, tmp_path):
    for frame in (1, 2):
        shutil.copy(volumes / "case_0.nii.gz", volumes / f"Doe_frame0{frame}.nii.gz")
    predict(monkeypatch, bundle, volumes, tmp_path / "out", "--pseudonym_salt", "a long secret")
    studies = table(tmp_path / "out" / "function.csv")
    assert sorted(study["frames"] for study in studies) == ["1", "1", "1", "2"]
    (study,) = [study for study in studies if study["frames"] == "2"]
    assert (study["stroke_volume_ml"], study["ejection_fraction_percent"]) == ("0.0", "0.0")


def test_a_dicom_series_is_segmented_as_nifti_and_as_a_dicom_segmentation_of_the_series(bundle, monkeypatch, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    pixels = np.zeros((48, 48), np.int16)
    pixels[10:20, 12:30] = 900
    for number, height in enumerate((0, 8, 16)):
        write_slice(tmp_path / "scan" / f"IM{number}", height, pixels + number, InstanceNumber=number + 1)
    out = tmp_path / "out"
    rows = predict(monkeypatch, bundle, tmp_path / "scan", out, "--formats", "dicom_seg")
    assert len(rows) == 1
    mask = nibabel.load(out / "masks" / rows[0]["mask"])
    found = int(np.count_nonzero(mask.dataobj))
    assert mask.shape == (48, 48, 3)
    assert found == int(rows[0][f"{CAVITY}_voxels"]) > 400
    (made,) = (out / "dicom_seg").rglob("*.dcm")
    volume = highdicom.seg.segread(made).get_volume(combine_segments=True)
    assert np.count_nonzero(volume.array) == found


def test_flips_are_compared_and_other_formats_refused(bundle, volumes, monkeypatch, tmp_path):
    rows = predict(monkeypatch, bundle, volumes, tmp_path / "out", "--flips")
    assert all(0 <= float(row[f"{CAVITY}_flip_agreement"]) <= 1 for row in rows)
    words = ("predict", bundle, volumes, "--output", tmp_path / "other", "--formats", "nifti")
    assert "--formats without nifti for volumes" in fails(monkeypatch, *words)


def test_tent_segments_volumes_and_a_denoiser_of_slices_is_refused(bundle, volumes, tmp_path):
    places = {"dataset_dir": str(volumes), "output_dir": str(tmp_path / "out"), "image_size": [160, 160]}
    run(bundle, "inference.json", "inference_tent.json", **places, batch_size=3)
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 3
    with pytest.raises(RuntimeError) as error:
        run(bundle, "inference.json", "inference_dae.json", **places)
    cause = error.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    assert "adapt the network with --method dae" in str(cause)


def test_evaluation_scores_volumes_in_mm(bundle, monkeypatch, tmp_path, capsys):
    dataset = write_volumes(tmp_path / "data", classes=1)
    command(monkeypatch, "evaluate", bundle, dataset, "--output", tmp_path / "scores", "--precision", "float32")
    printed = capsys.readouterr().out
    assert "3 volumes; ASSD (mean of the two directed means; pooled in summary.json) and HD95 in mm;" in printed
    rows = table(tmp_path / "scores" / "cases.csv")
    assert [row["case"] for row in rows] == [f"case_{number}.nii.gz" for number in range(3)]
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert summary["assd_unit"] == "mm"
    for row in rows:
        label = np.asarray(nibabel.load(dataset / "mask" / row["case"]).dataobj)
        assert int(row["cavity_reference_area"]) == np.count_nonzero(label)
        assert 2 > float(row["cavity_hd95"]) >= float(row["cavity_assd_pooled"]) >= 0


def test_masks_of_a_prediction_score_one_against_themselves(bundle, monkeypatch, tmp_path):
    """What evaluation compares are the masks that prediction saves."""
    images = write_volumes(tmp_path / "data" / "image")
    predict(monkeypatch, bundle, images, tmp_path / "out")
    shutil.copytree(tmp_path / "out" / "masks", tmp_path / "data" / "mask")
    words = ("evaluate", bundle, tmp_path / "data", "--output", tmp_path / "scores", "--precision", "float32")
    command(monkeypatch, *words)
    assert {row["cavity_dice"] for row in table(tmp_path / "scores" / "cases.csv")} == {"1.0"}


def test_a_network_of_windows_segments_volumes_too(monkeypatch, tmp_path):
    reader = {"_target_": "monai_sfda.volumes.VolumeReader", "spacing": [4, 2, 2], "z_score": 4}
    bundle = bright_bundle(tmp_path / "windows", image_size=[8, 16, 16], volumes=reader)
    volumes = write_volumes(tmp_path / "data", 2, classes=1)
    rows = predict(monkeypatch, bundle, volumes / "image", tmp_path / "out")
    assert all(float(row[f"{CAVITY}_ml"]) > 20 for row in rows)
    words = ("evaluate", bundle, volumes, "--output", tmp_path / "scores", "--precision", "float32")
    command(monkeypatch, *words)
    assert all(float(row["cavity_dice"]) > 0.9 for row in table(tmp_path / "scores" / "cases.csv"))


@pytest.mark.parametrize("spacing", [[2, 2], [4, 2, 2]], ids=["slices", "windows"])
def test_networks_for_volumes_are_compared_by_a_few_outlines(spacing, monkeypatch, tmp_path, capsys):
    """The source finds the core of a ball alone; with the statistics of the volumes it finds all of it."""
    reader = {"_target_": "monai_sfda.volumes.VolumeReader", "spacing": spacing, "percentiles": [0.5, 99.5]}
    bundle = bright_bundle(tmp_path / "bundle", image_size=[8, 48, 48][-len(spacing) :], volumes=reader)
    truth = write_balls(tmp_path / "volumes", 6)
    run = tmp_path / "run"
    command(
        monkeypatch, "adapt", bundle, tmp_path / "volumes", "--output", run, "--methods", "bn_stats",
        "--running_average", "exponential", "--frames", "all", "--precision", "float32",
    )  # fmt: skip
    command(monkeypatch, "choose", run)
    printed = capsys.readouterr().out
    assert "each as a label map on the voxels of its volume, NIfTI" in printed
    made = sorted(path.relative_to(run / "choice" / "masks").as_posix() for path in run.rglob("bn_stats/*/*_0.nii.gz"))
    assert made == ["bn_stats/at 0.75/case_0.nii.gz", "bn_stats/masks/case_0.nii.gz"]
    copies = sorted((run / "outline" / "image").iterdir())
    assert len(copies) == 6
    assert "cine_frame01.nii.gz" in {path.name[4:] for path in copies}
    outlines = tmp_path / "outlines"
    outlines.mkdir()
    for path in copies:
        image = nibabel.load(path)
        assert image.shape == (44, 40, 5)
        nibabel.save(nibabel.Nifti1Image(truth[path.name[4:]], image.affine), outlines / path.name)
    command(monkeypatch, "choose", run, "--outlines", outlines)
    printed = capsys.readouterr().out
    assert "2 of 3" not in printed
    assert "Verdict  Adopt bn_stats" in printed
    assert "ASSD and HD95 in mm" in printed
    assert "(HD95) in mm" in (run / "choice" / "report.html").read_text()
    found = json.loads((run / "choice.json").read_text())["measured"]
    row = found["gains"]["cavity"]["bn_stats"]
    assert row["dice"] == pytest.approx(np.mean([gain(run, case, truth) for case in truth]))
    assert row["assd"] < -2
    rows = predict(monkeypatch, run / "chosen", tmp_path / "volumes", tmp_path / "out", "--frames", "all")
    masks = [tmp_path / "out" / "masks" / row["mask"] for row in rows]
    of_choice = [run / "choice" / "masks" / "bn_stats" / "masks" / row["mask"] for row in rows]
    assert [ids_of(path).tolist() for path in masks] == [ids_of(path).tolist() for path in of_choice]


def write_balls(folder, count):
    """Balls with a bright core, the last two as frames of one file; returns name of a mask -> ids."""
    places = np.stack(np.mgrid[:44, :40, :5]) * np.reshape([2, 2, 8], (3, 1, 1, 1))
    volumes, truth = [], {}
    for number in range(count):
        centre = np.reshape([40 - 2 * number, 36 + 2 * number, 16], (3, 1, 1, 1))
        distance = np.linalg.norm(places - centre, axis=0)
        values = 100 + 160 * (distance < 22) + 240 * (distance < 12)
        volumes.append(nibabel.Nifti1Image(values.astype(np.int16), np.diag([-2.0, -2.0, 8.0, 1.0])))
        volumes[-1].header.set_xyzt_units("mm")
        name = f"case_{number}.nii.gz" if number < count - 2 else f"cine_frame{number - count + 2:02}.nii.gz"
        truth[name] = (distance < 22).astype(np.uint8)
    folder.mkdir()
    for number, volume in enumerate(volumes[:-2]):
        nibabel.save(volume, folder / f"case_{number}.nii.gz")
    nibabel.save(nibabel.concat_images(volumes[-2:]), folder / "cine.nii.gz")
    return truth


def ids_of(path):
    return np.asarray(nibabel.load(path).dataobj)


def gain(run, name, truth):
    """3-D Dice of bn_stats less that of the source."""
    dice = []
    for network in ("bn_stats", "source"):
        mask = ids_of(run / "choice" / "masks" / network / "masks" / name)
        dice.append(2 * (mask & truth[name]).sum() / (mask.sum() + truth[name].sum()))
    return dice[0] - dice[1]


@pytest.mark.parametrize("path", VOLUME_BUNDLES, ids=lambda path: path.name)
def test_the_masks_that_are_scored_are_those_that_are_written(path):
    """Layers that are fused, or not, round bfloat16 in other ways: 0.4 % of the voxels of a ventricle differed."""
    parser = ConfigParser()
    parser.read_config([path / "configs" / name for name in ("inference.json", "evaluate.json")])
    told = {name: value for name, value in parser["inferer"].items() if name != "_desc_"}
    writes = read_json(path / "configs" / "inference.json")["inferer"]
    assert told == {name: value for name, value in writes.items() if name != "_desc_"}
    for name in ("precision", "cutoff", "cutoffs", "largest_piece"):
        assert parser[name] == read_json(path / "configs" / "inference.json")[name]
