"""What a run of several methods holds, and what happens when it has lost something."""

import json
import shutil

import pytest
from candidate_support import NUCLEI, copy_bundle, make_run

from monai_sfda.candidates.run import find_candidates, find_images_folder, find_source, record_source

SHIFTS = {"source": (6,), "dpl": (1,), "tent": (9,)}


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path, SHIFTS, count=2)


def test_the_source_is_found_again_with_the_options_of_the_adaptation(tmp_path):
    bundle = copy_bundle(NUCLEI, tmp_path / "bundle", b"weights")
    (tmp_path / "other.pt").write_bytes(b"other")
    given = {"epochs": 3, "image_size": (64, 64), "network_def::dropout": 0.3, "checkpoint": str(tmp_path / "other.pt")}
    record_source(tmp_path / "run", bundle=bundle, images=tmp_path, overrides={**given, "precision": "float32"})
    source = find_source(tmp_path / "run")
    assert source.bundle == bundle
    assert source.options == {
        "image_size": [64, 64],
        "network_def::dropout": 0.3,
        "checkpoint": tmp_path / "other.pt",
    }
    assert json.loads((tmp_path / "run" / "choice.json").read_text())["running"] == {"precision": "float32"}


def test_all_is_found_again_after_it_was_moved_together(tmp_path, run):
    moved = shutil.move(tmp_path, tmp_path.with_name(f"{tmp_path.name}_moved"))
    run = type(run)(moved) / "run"
    assert find_source(run).bundle == run.parent / "bundle"
    assert find_images_folder(run) == run.parent / "data" / "image"


def test_the_source_is_found_again_after_the_run_was_moved(tmp_path, run):
    (tmp_path / "far").mkdir()
    moved = shutil.move(run, tmp_path / "far" / "away")
    assert find_source(moved).bundle == tmp_path / "bundle"


def test_a_source_that_has_gone_or_changed_is_one_sentence(tmp_path, run):
    weights = tmp_path / "bundle" / "models" / "model.pt"
    weights.write_bytes(b"trained again")
    with pytest.raises(ValueError, match="weights that were adapted, found other weights; put it back"):
        find_source(run)
    shutil.move(tmp_path / "bundle", tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError, match="found none; put it back, or repeat the adapt command"):
        find_source(run)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(FileNotFoundError, match="Expected the images of"):
        find_images_folder(run)


def test_a_run_is_of_one_source_and_one_folder(tmp_path, run):
    bundle, images = tmp_path / "bundle", tmp_path / "data" / "image"
    record_source(run, bundle=bundle, images=images, overrides={})
    with pytest.raises(ValueError, match="was begun with, found others"):
        record_source(run, bundle=bundle, images=tmp_path / "data" / "mask", overrides={})
    (bundle / "models" / "model.pt").write_bytes(b"others")
    with pytest.raises(ValueError, match="was begun with, found others"):
        record_source(run, bundle=bundle, images=images, overrides={})


def test_a_run_has_one_way_to_read_and_to_cut(tmp_path, run):
    """Else the source network that methods are compared with would be another one for each."""
    bundle, images = tmp_path / "bundle", tmp_path / "data" / "image"
    with pytest.raises(ValueError, match=r"Expected the options that .* was begun with, found others \(cutoff\); give"):
        record_source(run, bundle=bundle, images=images, overrides={"cutoff": 0.9})
    record_source(run, bundle=bundle, images=images, overrides={"device": "cpu"})


def test_candidates_that_are_unfinished_or_incomplete_are_told_apart(run):
    assert [candidate.name for candidate in find_candidates(run)[0]] == ["dpl", "tent"]
    (run / "candidates" / "cbmt").mkdir()
    (run / "candidates" / "tent" / "bundle" / "models" / "model.pt").unlink()
    finished, others = find_candidates(run)
    assert [candidate.name for candidate in finished] == ["dpl"]
    assert others[0] == "cbmt is not finished and is left out; repeat the adapt command to finish it."
    assert others[1].startswith("tent has lost files of its bundle")
    (run / "candidates" / "dpl" / "report.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"Expected a finished candidate in .*, found none \(cbmt is not"):
        find_candidates(run)


@pytest.mark.parametrize("record", ["{}", '{"source": 1, "images": {}}'])
def test_a_record_of_something_else_is_one_sentence(tmp_path, record):
    (tmp_path / "choice.json").write_text(record)
    with pytest.raises(ValueError, match=r"choice\.json as monai-sfda adapt --methods wrote it, found other content"):
        find_source(tmp_path)
