"""Candidates that cost no adaptation."""

import json

from candidate_support import FUNDUS, NUCLEI, copy_bundle

from monai_sfda.candidates.candidate import Candidate
from monai_sfda.candidates.cheap import at_cutoffs, middle_networks, mixed_networks
from monai_sfda.candidates.structures import read_structures
from monai_sfda.passport import write_passport


def network(folder, name, *, bundle=FUNDUS, cutoff=None, options=None):
    copy = copy_bundle(bundle, folder / name, name.encode())
    if cutoff:
        write_passport(copy / "models" / "model.pt", cutoff=cutoff)
    return Candidate(name, copy, copy / "models" / "model.pt", options or {})


def test_cut_offs_that_a_network_has_already_are_not_made_twice(tmp_path):
    structures = read_structures(FUNDUS)
    names = [one.name for one in at_cutoffs(network(tmp_path, "dpl"), structures)]
    assert names == ["dpl at 0.75"]
    fitted = at_cutoffs(network(tmp_path, "fitted", cutoff={"disc": 0.5, "cup": 0.4}), structures)
    assert [one.cutoff for one in fitted] == [0.5, 0.75]
    assert fitted[1].cutoffs(["disc"], "sigmoid") == {"disc": 0.75}
    assert {one.network().name for one in fitted} == {"fitted"}


def test_one_number_for_classes_that_exclude_each_other_means_half(tmp_path):
    structures = read_structures(NUCLEI)
    given = network(tmp_path, "source", bundle=NUCLEI, options={"cutoff": 0.75})
    assert given.cutoffs(structures.names, "softmax") == {"nucleus": 0.5}
    assert given.cutoffs(structures.names, "sigmoid") == {"nucleus": 0.75}
    assert [one.name for one in at_cutoffs(given, structures)] == ["source at 0.75"]
    of_each = given._replace(options={"cutoff": {"nucleus": 0.3}})
    assert of_each.cutoffs(structures.names, "softmax") == {"nucleus": 0.3}


def test_half_of_the_epochs_is_a_candidate_at_the_cut_offs_of_all(tmp_path):
    structures = read_structures(FUNDUS)
    dpl, tent = (network(tmp_path / name, "bundle", cutoff={"disc": 0.5, "cup": 0.4}) for name in ("dpl", "tent"))
    (tmp_path / "dpl" / "epochs").mkdir()
    (tmp_path / "dpl" / "epochs" / "10.pt").write_bytes(b"middle")
    middle = middle_networks([dpl._replace(name="dpl"), tent], structures)
    assert [(one.name, one.epoch) for one in middle] == [("dpl epoch 10", 10)]
    assert middle[0].cutoffs(structures.names, "sigmoid") == {"disc": 0.5, "cup": 0.4}
    assert middle[0].made_of() != dpl.made_of()
    assert at_cutoffs(middle[0], structures) == []


def test_weights_are_mixed_only_where_the_method_kept_the_network(tmp_path):
    source, dpl, other = (network(tmp_path, name) for name in ("source", "dpl", "other"))
    path = other.bundle / "configs" / "inference.json"
    config = json.loads(path.read_text())
    config["network_def"]["dropout"] = 0.7
    path.write_text(json.dumps(config))
    mixed = mixed_networks(source, [dpl, other])
    assert [one.name for one in mixed] == ["between source and dpl", "mean of source and other"]
    assert [one.mixed.kind for one in mixed] == ["weights", "outputs"]
    assert at_cutoffs(mixed[0], read_structures(FUNDUS)) == []
    same = source._replace(options={"network_def::dropout": 0.7})
    assert [one.name for one in mixed_networks(same, [other])] == ["between source and other"]


def test_what_a_candidate_is_made_of_changes_with_either_network(tmp_path):
    source, dpl = (network(tmp_path, name) for name in ("source", "dpl"))
    half = mixed_networks(source, [dpl])[0]
    before = half.made_of()
    assert (before["mixed"], before["with"]) == ("weights", source.made_of())
    source.weights.write_bytes(b"trained again")
    assert half.made_of() != before
