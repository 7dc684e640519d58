import torch

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import Observe, PseudoLabeller


class Ignore:
    def __init__(self, log):
        self.log = log

    def __call__(self, pseudo: PseudoLabel, evidence: Evidence) -> PseudoLabel:
        self.log.append(list(evidence.case))
        return pseudo._replace(weight=pseudo.weight * 0.5)


def test_refiners_run_in_order_on_soft_labels_of_weight_one():
    network = torch.nn.Conv2d(1, 2, 1)
    image, log = torch.rand(2, 1, 3, 3), []
    pseudo = PseudoLabeller(Observe(network), refiners=[Ignore(log), Ignore(log)])(image, ["a", "b"])
    torch.testing.assert_close(pseudo.label, network(image).sigmoid().detach())
    assert pseudo.weight.unique().tolist() == [0.25]
    assert log == [["a", "b"], ["a", "b"]]


def test_labels_carry_no_gradient_even_inside_a_training_step():
    network = torch.nn.Conv2d(1, 2, 1)
    with torch.enable_grad():
        pseudo = PseudoLabeller(Observe(network, head="softmax"))(torch.rand(1, 1, 3, 3), ["a"])
    assert not pseudo.label.requires_grad
    torch.testing.assert_close(pseudo.label.sum(1), torch.ones(1, 3, 3))
