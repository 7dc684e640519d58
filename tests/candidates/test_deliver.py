"""The bundle to use."""

import json

import pytest
from candidate_support import NUCLEI, copy_bundle

from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.deliver import deliver, withdraw
from monai_sfda.candidates.structures import read_structures

MEASURED = {"sentence": "Adopt.", "networks": {}, "gains": {}, "images": 9, "outlined": ["a.png"], "skipped": []}
STRUCTURES = read_structures(NUCLEI)


def delivered(run, candidate):
    return deliver(run, {"nucleus": candidate}, STRUCTURES, MEASURED)


def test_an_adapted_bundle_says_why_it_was_chosen(tmp_path):
    bundle = copy_bundle(NUCLEI, tmp_path / "bundle", b"dpl")
    metadata = bundle / "configs" / "metadata.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"adaptation": {"method": "dpl"}}))
    (bundle / "eval").mkdir()
    candidate = Candidate("dpl", bundle, bundle / "models" / "model.pt", {})
    chosen = delivered(tmp_path, candidate)
    assert chosen == tmp_path / "chosen"
    record = json.loads((chosen / "configs" / "metadata.json").read_text())["adaptation"]
    assert record["method"] == "dpl"
    lineage = record["choice"].pop("made_of")
    assert record["choice"] == {key: value for key, value in MEASURED.items() if key != "skipped"}
    assert lineage == {"dpl": {**candidate.made_of(), "method": "dpl"}}
    assert (chosen / "models" / "model.pt").read_bytes() == b"dpl"
    assert not (chosen / "eval").exists()
    withdraw(tmp_path)
    assert not chosen.exists()


@pytest.mark.parametrize("passport", [True, False])
def test_the_source_is_delivered_as_it_was_compared(tmp_path, passport):
    bundle = copy_bundle(NUCLEI, tmp_path / "bundle", b"own")
    (bundle / "models" / "passport.json").write_text("of its own weights")
    (tmp_path / "elsewhere").mkdir()
    other = tmp_path / "elsewhere" / "other.pt"
    other.write_bytes(b"other")
    options = {"checkpoint": other, "image_size": [64, 64], "network_def::dropout": 0.3}
    candidate = Candidate("source", bundle, other, options)
    if passport:
        facts = {"weights": candidate.made_of()["weights"], "cutoff": {"nucleus": 0.4}}
        other.with_name("passport.json").write_text(json.dumps(facts))
    chosen = delivered(tmp_path, candidate)
    assert (chosen / "models" / "model.pt").read_bytes() == b"other"
    assert (chosen / "models" / "passport.json").exists() == passport
    for name in ("inference", "task", "adapt"):
        config = json.loads((chosen / "configs" / f"{name}.json").read_text())
        assert config["image_size"] == [64, 64]
        assert config["network_def"]["dropout"] == 0.3
    assert "adaptation" not in json.loads((chosen / "configs" / "metadata.json").read_text())


def test_a_source_without_options_is_copied_as_it_is(tmp_path):
    bundle = copy_bundle(NUCLEI, tmp_path / "bundle", b"own")
    weights = bundle / "models" / "model.pt"
    chosen = delivered(tmp_path, Candidate("source", bundle, weights, {"checkpoint": weights}))
    for path in bundle.rglob("*.*"):
        if path.is_file():
            assert (chosen / path.relative_to(bundle)).read_bytes() == path.read_bytes()


def test_another_cut_off_goes_with_the_source(tmp_path):
    bundle = copy_bundle(NUCLEI, tmp_path / "bundle", b"own")
    weights = bundle / "models" / "model.pt"
    chosen = delivered(tmp_path, Candidate("source", bundle, weights, {"checkpoint": weights}).at(0.75))
    assert json.loads((chosen / "models" / "passport.json").read_text())["cutoff"] == {"nucleus": 0.75}
    record = json.loads((chosen / "configs" / "metadata.json").read_text())["adaptation"]
    assert record["method"] == "source at 0.75"
    assert list(record["choice"]["made_of"]) == ["source"]
