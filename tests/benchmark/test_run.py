"""A matrix on a handful of drawings, in processes of their own."""

import json

import pytest
from bundle_support import ROOT, classes, random_weights, write_images

from monai_sfda.benchmark import Method, job, read_matrix, run_matrix
from monai_sfda.benchmark.job import Cost, JobFailed, carry_out
from monai_sfda.benchmark.matrix import Matrix, Pair
from monai_sfda.benchmark.source import class_ratios

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


def test_a_source_network_that_cannot_be_scored_is_the_end(tmp_path, monkeypatch):
    def fail(*_):
        raise JobFailed("Expected weights that fit, found others.")

    monkeypatch.setattr(job, "_spend", fail)
    pair = Pair("drawings", NUCLEI, write_images(tmp_path / "labelled", classes=2))
    with pytest.raises(ValueError, match="source network of pair drawings, found: Expected weights that fit"):
        list(run_matrix(Matrix([pair], [Method("cbmt", ["cbmt"])]), tmp_path / "out"))


def test_class_ratios_by_hand(tmp_path):
    labelled = write_images(tmp_path, 1, classes=2, size=(64, 64))
    ratios, images = class_ratios(labelled, {"disc": [1, 2], "cup": [2]})
    assert images == 1
    # discs of radius 20 and 9 in 64 x 64 pixels; the count of pixels is within a pixel of the border's length
    assert ratios["disc"] == pytest.approx(3.14159 * 20**2 / 64**2, abs=0.01)
    assert ratios["cup"] == pytest.approx(3.14159 * 9**2 / 64**2, abs=0.01)
