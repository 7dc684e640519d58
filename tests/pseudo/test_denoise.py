import torch
from torch import nn

from monai_sfda.protocols import Evidence, PseudoLabel
from monai_sfda.pseudo import Denoise, Observe, PseudoLabeller


def test_the_label_is_denoised_the_weight_is_kept_and_no_gradient_flows():
    denoiser = nn.Conv2d(2, 2, 1)
    before = {name: tensor.clone() for name, tensor in denoiser.state_dict().items()}
    label, weight = torch.rand(1, 2, 4, 4, requires_grad=True), torch.rand(1, 2, 4, 4)
    refined = Denoise(denoiser)(PseudoLabel(label, weight), Evidence(["a"], label))
    assert torch.equal(refined.label, denoiser(label))
    assert refined.weight is weight
    assert not refined.label.requires_grad
    assert all(torch.equal(before[name], tensor) for name, tensor in denoiser.state_dict().items())


def test_it_denoises_the_networks_own_prediction(network):
    network.eval()
    image = torch.randn(2, 3, 8, 8)
    pseudo = PseudoLabeller(Observe(network), refiners=[Denoise(nn.Identity())])(image, ["a", "b"])
    assert torch.equal(pseudo.label, network(image).sigmoid())
