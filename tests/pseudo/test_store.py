import pickle

import pytest
import torch

from monai_sfda.pseudo import LabelStore


@pytest.fixture
def build(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"weights")

    def build(parameters=None, begin=1):
        store = LabelStore(tmp_path / "labels", weights=tmp_path / "model.pt", images=[], parameters=parameters)
        if begin:
            store.begin(begin)
        return store

    return build


def maps(seed, *, shape=(2, 9, 11)):
    generator = torch.Generator().manual_seed(seed)
    label = (torch.rand(shape, generator=generator) > 0.5).float()
    return {"label": label, "weight": torch.rand(shape, generator=generator)}


def test_maps_come_back_by_case_in_any_order_and_shape(build):
    store = build()
    cases = {"a": (2, 9, 11), "folder/b": (3, 5), "c ü\n": (1, 4, 4, 4)}
    for seed, (case, shape) in enumerate(cases.items()):
        store.write(case, maps(seed, shape=shape))
    for seed, (case, shape) in reversed(list(enumerate(cases.items()))):
        assert torch.equal(store.read(case)["label"], maps(seed, shape=shape)["label"])
        assert store.read(case)["weight"].shape == shape


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, 0.3, 2.25])
def test_maps_of_zero_and_one_other_value_are_exact(build, value):
    store = build()
    label = maps(0)["label"] * value
    store.write("a", {"label": label})
    assert torch.equal(store.read("a")["label"], label)


def test_soft_maps_are_within_half_a_step_and_keep_zero_and_maximum(build):
    store = build()
    weight = maps(0)["weight"] * 3
    weight[0, 0, 0] = 0
    store.write("a", {"weight": weight})
    found = store.read("a")["weight"]
    # Half a step, and float32 rounding of values up to 3.
    assert (found - weight).abs().max() <= weight.max() / 255 / 2 + 1e-6
    assert found[0, 0, 0] == 0
    assert float(found.max()) == pytest.approx(float(weight.max()), abs=1e-6)


def test_a_label_takes_one_bit_and_a_soft_map_one_byte(build, tmp_path):
    store = build()
    shape = (2, 128, 128)
    pixels = 2 * 128 * 128
    for case, name, size in (("a", "label", pixels // 8), ("b", "weight", pixels)):
        store.write(case, {name: maps(0, shape=shape)[name]})
        (path,) = (tmp_path / "labels").glob("*/*.npz")
        # A file's header and names take about half a kilobyte.
        assert size <= path.stat().st_size <= size + 1024
        path.unlink()


def test_nothing_is_kept_in_memory(build):
    store = build()
    empty = len(pickle.dumps(store))
    for case in range(50):
        store.write(str(case), maps(case))
        store.read(str(case))
    assert len(pickle.dumps(store)) == empty


def test_a_new_process_finds_what_was_written(build):
    store = build()
    store.write("a", maps(0))
    store.finish()
    again = build(begin=None)
    assert again.round == 1
    assert again.complete
    assert "a" in again
    assert "b" not in again
    assert torch.equal(again.read("a")["label"], maps(0)["label"])


def test_other_parameters_find_nothing_and_delete_the_old_when_they_begin(build, tmp_path):
    store = build()
    store.write("a", maps(0))
    store.finish()
    other = build("other", begin=None)
    assert other.round is None
    assert not other.complete
    assert "a" in store
    other.begin(1)
    assert "a" not in other
    assert build(begin=None).round is None
    assert len(list((tmp_path / "labels").iterdir())) == 1


def test_a_round_replaces_the_one_before_and_nothing_else_in_the_folder(build, tmp_path):
    store = build()
    store.write("a", maps(0))
    store.finish()
    (tmp_path / "labels" / "notes").mkdir()
    store.begin(6)
    assert store.round == 6
    assert not store.complete
    assert "a" not in store
    assert (tmp_path / "labels" / "notes").exists()


def test_beginning_the_same_round_again_keeps_it(build):
    store = build()
    store.write("a", maps(0))
    store.begin(1)
    assert "a" in store


def test_writing_leaves_whole_files_only(build, tmp_path, monkeypatch):
    store = build()
    store.write("a", maps(0))

    def fail(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(KeyboardInterrupt):
        store.write("a", maps(1))
    with pytest.raises(KeyboardInterrupt):
        store.write("b", maps(1))
    assert torch.equal(store.read("a")["label"], maps(0)["label"])
    assert "b" not in store


def test_an_unknown_case_and_a_damaged_file_are_named(build, tmp_path):
    store = build()
    with pytest.raises(FileNotFoundError, match=r"Expected the maps of 'a'.*found none"):
        store.read("a")
    for content in (b"", b"PK\x03\x04 cut off", b"something else"):
        store.write("a", maps(0))
        next((tmp_path / "labels").glob("*/*.npz")).write_bytes(content)
        with pytest.raises(OSError, match="damaged file; delete the folder"):
            store.read("a")


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), -float("inf")])
def test_values_without_a_meaning_are_refused(build, value):
    with pytest.raises(ValueError, match="Expected finite values >= 0 in map 'weight'"):
        build().write("a", {"weight": torch.tensor([[0.5, value]])})
