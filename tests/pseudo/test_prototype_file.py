import pytest
import torch
from conftest import tiny_network
from monai.data import MetaTensor

from monai_sfda.pseudo import PrototypeBank, load_prototypes, measure_prototypes, prototype_place
from monai_sfda.transforms import WeakStrongViews

NAMES = ["background", "disc", "cup"]


@pytest.fixture
def made(tmp_path):
    """Prototypes of a network, its weights and the batches that they are of."""
    network, weights = tiny_network(), tmp_path / "model.pt"
    torch.save(network.state_dict(), weights)
    label = torch.zeros(2, 2, 8, 8)
    label[:, 0, 2:], label[:, 1, 5:] = 1, 1
    batches = [{"image": torch.randint(256, (2, 3, 8, 8), dtype=torch.uint8), "label": label}]
    bank = PrototypeBank(["disc", "cup"], nested=[(0, 1)])
    path = measure_prototypes(
        bank, batches, network=network, checkpoint=weights, layer="2", views=WeakStrongViews(), device="cpu"
    )
    return network, weights, batches, path


def test_they_are_the_mean_features_of_the_classes_in_evaluation_mode(made):
    network, weights, batches, path = made
    assert str(path) == prototype_place(weights)
    found = load_prototypes(path, checkpoint=weights, layer="2", names=NAMES)
    with torch.no_grad():
        maps = network.eval()[:3](batches[0]["image"] / 127.5 - 1)
    rows = [maps[:, :, part].mean((0, 2, 3)) for part in (slice(0, 2), slice(2, 5), slice(5, 8))]
    assert torch.allclose(found, torch.stack(rows), atol=1e-5)


@pytest.mark.parametrize("kind", [torch.as_tensor, MetaTensor], ids=["plain", "with metadata"])
def test_class_ids_of_a_softmax_head_are_labels_too(kind, tmp_path):
    network, weights = tiny_network(), tmp_path / "model.pt"
    torch.save(network.state_dict(), weights)
    ids = torch.zeros(2, 1, 8, 8)
    ids[..., 4:] = 1
    bank = PrototypeBank(["background", "nucleus"], head="softmax")
    batches = [{"image": kind(torch.zeros(2, 3, 8, 8, dtype=torch.uint8)), "label": kind(ids)}]
    views = WeakStrongViews()
    path = measure_prototypes(bank, batches, network=network, checkpoint=weights, layer="2", views=views, device="cpu")
    assert load_prototypes(path, checkpoint=weights, layer="2", names=["background", "nucleus"]).shape == (2, 8)
    assert type(torch.load(path, weights_only=False)["prototypes"]) is torch.Tensor  # metadata may be refused later


def test_those_of_another_network_layer_or_task_are_refused(made, tmp_path):
    _, weights, _, path = made
    other = tmp_path / "other.pt"
    torch.save({}, other)
    with pytest.raises(ValueError, match="found some of other weights; make it with the labelled source images: pyth"):
        load_prototypes(path, checkpoint=other, layer="2", names=NAMES)
    with pytest.raises(ValueError, match="found some with layer '2'"):
        load_prototypes(path, checkpoint=weights, layer="0", names=NAMES)
    with pytest.raises(ValueError, match=r"found some with names \['background', 'disc', 'cup'\]"):
        load_prototypes(path, checkpoint=weights, layer="2", names=NAMES[:2])
    with pytest.raises(FileNotFoundError, match=r"the prototypes of the source at .* found no such file; make"):
        load_prototypes(tmp_path / "none.pt", checkpoint=weights, layer="2", names=NAMES)
    with pytest.raises(ValueError, match="found another or a damaged file"):
        load_prototypes(other, checkpoint=weights, layer="2", names=NAMES)


def test_numbers_that_are_not_finite_are_refused(made):
    _, weights, _, path = made
    content = torch.load(path)
    content["prototypes"][0, 0] = float("nan")
    torch.save(content, path)
    with pytest.raises(ValueError, match=r"Expected finite prototypes in .*, found others; make it with"):
        load_prototypes(path, checkpoint=weights, layer="2", names=NAMES)
