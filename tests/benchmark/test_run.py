"""A matrix on a handful of drawings, in processes of their own."""

import json
import subprocess
import sys

import nibabel
import numpy as np
import pytest
from bundle_support import ROOT, classes, random_weights, write_images
from PIL import Image
from volume_files import write_volumes

from monai_sfda import cli
from monai_sfda.benchmark import Method, job, read_matrix, run, run_matrix, write_table
from monai_sfda.benchmark.job import Cost, JobFailed, carry_out
from monai_sfda.benchmark.matrix import Matrix, Pair
from monai_sfda.benchmark.run import Cell, _protocol, _score, _scored
from monai_sfda.benchmark.source import source_ratios
from monai_sfda.json_file import read_json
from monai_sfda.passport import write_passport

FUNDUS = ROOT / "bundles" / "fundus_disc_cup"
NUCLEI = ROOT / "bundles" / "nuclei_fluorescence"


@pytest.mark.slow
def test_cells_are_computed_once_and_one_that_fails_stops_no_other(tmp_path):
    write_images(tmp_path / "labelled", classes=classes(NUCLEI))
    small = {"image_size": [64, 64], "precision": "float32"}
    settings = {"adapt": {**small, "epochs": 2}, "evaluate": small}
    pair = {"bundle": str(NUCLEI), "source": "labelled", "target": "labelled", **settings}
    pair["checkpoint"] = str(random_weights(NUCLEI, tmp_path / "weights.pt"))
    broken = {"name": "broken", "configs": ["cbmt"], "settings": {"batch_size": "many"}}
    content = {"pairs": {"drawings": pair}, "methods": ["adami", broken], "seeds": [1], "oracle": True}
    (tmp_path / "matrix.json").write_text(json.dumps(content))
    matrix = read_matrix([tmp_path / "matrix.json"])
    matrix = matrix._replace(methods=[*matrix.methods, Method("no_such", ["no_such"])])  # of another pair's bundle
    source, adapted, failed, absent = run_matrix(matrix, tmp_path / "out")
    assert (source.failure, adapted.failure) == ("", "")
    assert "whole number" in failed.failure
    assert "methods/no_such.json" in absent.failure
    assert (adapted.folder / "scores" / "summary.json").exists()
    assert len(list((adapted.folder / "epochs").glob("*/summary.json"))) == 2
    assert json.loads((tmp_path / "out" / "drawings" / "source_ratios.json").read_text())["images"] == 3
    assert adapted.cost.seconds > 0
    assert adapted.cost.megabytes > 100
    done = (adapted.folder / "scores" / "cost.json").stat().st_mtime_ns
    again = list(run_matrix(matrix._replace(methods=matrix.methods[:1]), tmp_path / "out"))[1]
    assert again == adapted
    assert (adapted.folder / "scores" / "cost.json").stat().st_mtime_ns == done


def test_a_cell_that_cannot_be_written_stops_no_other(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(run, "carry_out", full)
    pair = Pair("drawings", NUCLEI, tmp_path)
    method = Method("bn_stats", ["bn_stats"])
    cell = run._cell(pair, method, 0, tmp_path / "w.pt", tmp_path, protocol={}, oracle=False)
    assert cell.failure == "No space left on device"


def test_a_failed_job_says_its_last_line_and_is_not_done(tmp_path):
    with pytest.raises(JobFailed, match=r"Expected a file at .*no\.json"):
        carry_out(tmp_path, NUCLEI, [(["no.json"], {})])
    assert not (tmp_path / "cost.json").exists()


def test_a_finished_job_of_other_settings_is_not_taken_for_this_one(tmp_path):
    (tmp_path / "cost.json").write_text('{"seconds": 1.0, "megabytes": 2.0}')
    (tmp_path / "spec.json").write_text("{}")
    with pytest.raises(ValueError, match="delete that folder"):
        carry_out(tmp_path, NUCLEI, [])


@pytest.mark.parametrize("changed", ["weights.pt", "images/a.png"])
def test_a_finished_job_of_other_contents_is_not_taken_for_this_one(tmp_path, monkeypatch, changed):
    for name in ("weights.pt", "images/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"before")
    runs = [([], {"checkpoint": tmp_path / "weights.pt", "dataset_dir": tmp_path / "images"})]
    monkeypatch.setattr(job, "_spend", lambda *_: Cost(1.0, 2.0))
    carry_out(tmp_path / "record", NUCLEI, runs)
    assert carry_out(tmp_path / "record", NUCLEI, runs) == Cost(1.0, 2.0)
    (tmp_path / changed).write_bytes(b"afterwards")
    with pytest.raises(ValueError, match="same settings, weights, configs and images"):
        carry_out(tmp_path / "record", NUCLEI, runs)


def test_a_job_that_was_stopped_before_does_not_say_how_long_it_took(tmp_path, monkeypatch):
    tmp_path.joinpath("log.txt").touch()
    monkeypatch.setattr(job, "_spend", lambda *_: Cost(1.0, 2.0))
    assert carry_out(tmp_path, NUCLEI, []) == carry_out(tmp_path, NUCLEI, []) == Cost(None, 2.0)


def test_a_job_ends_with_the_benchmark_that_began_it(tmp_path):
    (tmp_path / "spec.json").write_text(json.dumps({"bundle": "", "runs": []}))
    waiting = f"import sys, time; from monai_sfda.benchmark import job; job.main({str(tmp_path / 'spec.json')!r}); "
    child = f"{waiting} print('up', flush=True); time.sleep(600)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"up\n"
    process.kill()
    assert process.stdout.read() == b""  # ends once the child, which holds the other end, is gone, not after 600 s


def test_every_network_of_a_pair_is_scored_at_the_same_size_and_cut_off(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "carry_out", lambda record, bundle, runs: seen.append(runs[0][1]))
    pair = Pair("p", NUCLEI, tmp_path, adapt={"image_size": [64, 64]}, evaluate={"cutoff": 0.4})
    _score(tmp_path, pair, _protocol(pair, tmp_path / "model.pt"), [{}], NUCLEI)
    assert (seen[0]["image_size"], seen[0]["cutoff"]) == ([64, 64], 0.4)
    pair = Pair("p", NUCLEI, tmp_path)
    _score(
        tmp_path, pair, _protocol(pair, tmp_path / "model.pt"), [{}], tmp_path
    )  # another bundle, adapted at any size
    assert seen[1]["image_size"] == read_json(NUCLEI / "configs" / "inference.json")["image_size"]
    assert seen[1]["cutoff"] == {"nucleus": 0.5}


def test_networks_are_scored_at_the_cut_offs_of_the_source_and_at_that_of_the_papers(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "carry_out", lambda record, bundle, runs: seen.extend(values for _, values in runs))
    weights = tmp_path / "model.pt"
    weights.write_bytes(b"weights")
    write_passport(weights, cutoff={"disc": 0.45, "cup": 0.4})
    pair = Pair("p", FUNDUS, tmp_path)
    _scored(Cell("p", "m", "method", 0, tmp_path), pair, tmp_path / "adapted.pt", _protocol(pair, weights))
    assert [values["cutoff"] for values in seen] == [{"disc": 0.45, "cup": 0.4}, 0.75]
    assert [values["output_dir"].name for values in seen] == ["scores", "scores_published"]


def test_class_ratios_are_measured_again_when_the_source_changes(tmp_path):
    pair = Pair("p", NUCLEI, tmp_path, source=write_images(tmp_path, 1, classes=1, size=(64, 64)))
    before = read_json(source_ratios(pair, tmp_path / "out"))["ratios"]
    write_images(tmp_path, 1, classes=1, size=(48, 48))
    assert read_json(source_ratios(pair, tmp_path / "out"))["ratios"] != before


def test_every_recipe_of_a_pair_is_told_what_the_masks_of_its_source_cover(tmp_path):
    pair = Pair("p", NUCLEI, tmp_path, source=write_images(tmp_path, 1, classes=1, size=(64, 64)))
    needed = run._needed(pair, ["adapt.json", "methods/bn_stats.json"], tmp_path / "out")
    assert read_json(needed["source_ratios"])["images"] == 1


@pytest.mark.parametrize("ids", [[1], [1, 2]])
def test_a_bundle_that_was_never_trained_learns_its_class_ratios_from_the_source(ids, tmp_path):
    bundle = tmp_path / "heart"
    cli.new(str(bundle), bundle=str(ROOT / "bundles" / "heart_cine_mri"), structures="cavity", image_size=[32, 32])
    source = write_volumes(tmp_path / "labelled", 2, classes=len(ids))
    found = read_json(
        source_ratios(Pair("p", bundle, tmp_path, source=source, train={"mask_ids": [ids]}), tmp_path / "out")
    )
    assert found["channels"] == {"background": [0], "cavity": ids}
    assert 0 < found["ratios"]["cavity"] < 1
    assert found["images"] == 2 * 5  # slices


def test_class_ratios_of_volumes_are_of_the_frames_that_train(tmp_path):
    source = tmp_path / "source"
    values = np.random.default_rng(0).random((8, 8, 3, 2)).astype(np.float32)
    for name, kept in (("image", values), ("mask", (values > 0.5).astype(np.uint8))):
        (source / name).mkdir(parents=True)
        nibabel.save(nibabel.Nifti1Image(kept, np.diag([1.5, 1.5, 8, 1])), source / name / "p.nii.gz")
    pair = Pair("p", ROOT / "bundles" / "heart_cine_mri", tmp_path, source=source, train={"frames": "all"})
    assert read_json(source_ratios(pair, tmp_path / "out"))["images"] == 2 * 3


def test_a_bundle_that_cannot_be_trained_is_asked_for_its_own_class_ratios(tmp_path):
    assert source_ratios(Pair("p", tmp_path, tmp_path, source=tmp_path), tmp_path / "out") is None


@pytest.mark.parametrize("source", [None, "labelled"])
def test_a_source_network_that_fails_costs_its_pair_alone(tmp_path, monkeypatch, source):
    def fail(*_):
        raise JobFailed("Expected weights that fit, found others.")

    monkeypatch.setattr(job, "_spend", fail)
    labelled = write_images(tmp_path / "labelled", classes=2)
    pairs = [Pair(name, NUCLEI, labelled, source=source and labelled) for name in ("first", "second")]
    cells = list(run_matrix(Matrix(pairs, [Method("cbmt", ["cbmt"])]), tmp_path / "out"))
    assert [(cell.pair, cell.kind) for cell in cells] == [("first", "source"), ("second", "source")]
    assert {cell.failure for cell in cells} == {"Expected weights that fit, found others."}
    assert "failed: Expected weights that fit" in write_table(cells, tmp_path / "out")


def test_a_source_mask_with_unknown_ids_costs_the_methods_that_count_them(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "carry_out", lambda *_: None)
    source = write_images(tmp_path / "source", 2, classes=1, size=(64, 64))
    Image.fromarray(np.full((64, 64), 7, np.uint8)).save(next((source / "mask").iterdir()))
    method, more = Method("adami", ["adami"]), {"protocol": {}, "oracle": False}
    pair = Pair("p", NUCLEI, tmp_path, source=source)
    cell = run._cell(pair, method, 0, tmp_path / "model.pt", tmp_path / "out", **more)
    assert "Expected the class ids" in cell.failure


def test_a_method_that_uses_the_source_is_given_that_of_the_pair(tmp_path, monkeypatch):
    seen = []

    def stop(record, bundle, runs):
        seen.append(runs[0])
        raise JobFailed("Expected no more.")

    monkeypatch.setattr(run, "carry_out", stop)
    source = write_images(tmp_path / "source", 1, classes=1, size=(64, 64))
    more = {"protocol": {}, "oracle": False}
    for pair in (Pair("p", NUCLEI, tmp_path, source=source), Pair("p", NUCLEI, tmp_path)):
        cell = run._cell(pair, Method("mpscl", ["mpscl"]), 0, tmp_path / "model.pt", tmp_path / "out", **more)
    assert [configs for configs, _ in seen] == [["adapt_with_source.json", "methods/mpscl.json"]]
    assert seen[0][1]["source_dir"] == source
    assert cell.failure == "it learns from labelled source images too; give the source of this pair"
    run._cell(Pair("p", NUCLEI, tmp_path, source=source), Method("tent", ["tent"]), 0, tmp_path, tmp_path, **more)
    assert seen[1][0][0] == "adapt.json"
    assert "source_dir" not in seen[1][1]


@pytest.mark.slow
def test_a_pair_of_volumes_is_scored_before_and_after(tmp_path):
    heart = ROOT / "bundles" / "heart_cine_mri"
    write_volumes(tmp_path / "source", classes=1)
    write_volumes(tmp_path / "target", classes=1)
    small = {"image_size": [64, 64], "precision": "float32"}
    pair = {"bundle": str(heart), "source": "source", "target": "target", "evaluate": small}
    pair |= {"adapt": {**small, "epochs": 1}, "checkpoint": str(random_weights(heart, tmp_path / "weights.pt"))}
    content = {"pairs": {"scanners": pair}, "methods": ["bn_stats"], "seeds": [1]}
    (tmp_path / "matrix.json").write_text(json.dumps(content))
    source, adapted = run_matrix(read_matrix([tmp_path / "matrix.json"]), tmp_path / "out")
    assert (source.failure, adapted.failure) == ("", "")
    for cell in (source, adapted):
        summary = json.loads((cell.folder / "scores" / "summary.json").read_text())
        assert (summary["cases"], summary["noun"], summary["assd_unit"]) == (3, "volumes", "mm")
        lines = (cell.folder / "scores" / "cases.csv").read_text().splitlines()
        assert [line.split(",")[0] for line in lines[1:]] == [f"case_{number}.nii.gz" for number in range(3)]
