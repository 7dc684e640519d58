import pytest
import torch
from ignite.engine import Engine

from monai_sfda.pseudo import PrototypeBank

NAMES = ["background", "nucleus"]


def one_hot(*classes, count=2):
    return torch.nn.functional.one_hot(torch.tensor(classes), count).T.reshape(1, count, 1, -1).float()


def maps(*values):
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, -1)


def test_a_prototype_moves_to_the_mean_of_the_batch_and_an_absent_class_stays():
    bank = PrototypeBank(NAMES, head="softmax", momentum=0.2, prototypes=torch.tensor([[5.0], [1.0]]))
    bank.update(maps(2, 4), one_hot(1, 1))
    assert bank.prototypes.flatten().tolist() == pytest.approx([5.0, 2.6])  # 0.2 * 1 + 0.8 * 3


@pytest.mark.parametrize(("momentum", "expected"), [(0.0, 3.0), (1.0, 1.0)])
def test_the_ends_of_the_momentum(momentum, expected):
    bank = PrototypeBank(NAMES, head="softmax", momentum=momentum, prototypes=torch.ones(2, 1))
    bank.update(maps(3), one_hot(1))
    assert bank.prototypes[1].item() == expected


def test_before_the_first_step_prototypes_are_the_means_over_all_of_the_source():
    bank = PrototypeBank(NAMES, head="softmax")
    streams = [
        {"features": maps(1, 10), "label": one_hot(0, 1)},
        {"features": maps(2, 6), "label": one_hot(0, 0)},
    ]
    engine = Engine(lambda engine, batch: None)
    engine.observe_source = lambda: streams
    bank.attach(engine)
    engine.run([0])
    assert bank.prototypes.flatten().tolist() == [3.0, 10.0]


def test_a_run_that_is_continued_does_not_look_again():
    bank, other = (
        PrototypeBank(NAMES, head="softmax"),
        PrototypeBank(NAMES, head="softmax", prototypes=torch.ones(2, 3)),
    )
    bank.load_state_dict(other.state_dict())
    engine = Engine(lambda engine, batch: None)
    bank.attach(engine)
    engine.run([0])
    assert torch.equal(bank.prototypes, torch.ones(2, 3))


def test_a_class_that_the_source_does_not_show_is_named():
    with pytest.raises(ValueError, match="found none of nucleus at the size of the features; add images"):
        PrototypeBank(NAMES, head="softmax").see([{"features": maps(1, 2), "label": one_hot(0, 0)}])


def test_disc_and_cup_are_background_rim_and_cup():
    bank = PrototypeBank(["disc", "cup"], nested=[(0, 1)])
    label = torch.tensor([[0, 0], [1, 0], [1, 1]]).T.reshape(1, 2, 1, 3).float()
    bank.see([{"features": maps(7, 8, 9), "label": label}])
    assert bank.names == ["background", "disc", "cup"]
    assert bank.prototypes.flatten().tolist() == [7.0, 8.0, 9.0]


def test_labels_are_taken_at_the_size_of_the_features_by_nearest_neighbour():
    label = torch.zeros(1, 2, 4, 4)
    label[:, 1, :2] = 1
    label[:, 0] = 1 - label[:, 1]
    assert PrototypeBank(NAMES, head="softmax").classes(label, (2, 2)).tolist() == [[[1, 1], [0, 0]]]


def test_prototypes_of_other_features_or_none_are_refused():
    with pytest.raises(ValueError, match="Expected prototypes, found none; add the bank to the handlers"):
        PrototypeBank(NAMES, head="softmax").cosine(maps(1))
    bank = PrototypeBank(NAMES, head="softmax", prototypes=torch.ones(2, 3))
    with pytest.raises(ValueError, match="of features with 1 channels, found 3; make them with this network"):
        bank.cosine(maps(1))
    with pytest.raises(ValueError, match=r"a prototype \(D\) for each of background, disc, cup, found \(2, 3\); make"):
        PrototypeBank(["disc", "cup"], prototypes=torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"found \(3,\); make"):
        PrototypeBank(["disc", "cup"], prototypes=torch.ones(3))
    with pytest.raises(ValueError, match="Expected a momentum between 0"):
        PrototypeBank(NAMES, momentum=1.5)
