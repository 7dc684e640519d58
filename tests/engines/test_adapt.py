import re
from functools import partial

import numpy as np
import pytest
import torch
from conftest import tiny_cbmt, tiny_images, tiny_network
from monai.data import DataLoader as MonaiLoader
from monai.data import Dataset, MetaTensor
from monai.networks.nets import UNet
from monai.transforms import LoadImaged
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from monai_sfda.data import EpochBatches
from monai_sfda.networks import eval_mode
from monai_sfda.pseudo import Observe, PseudoLabeller, Threshold, uncertain_sums
from monai_sfda.transforms import WeakStrongViews


def parameters(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def test_a_run_moves_the_student_and_the_teacher_follows(cbmt, network):
    source = parameters(network).clone()
    trainer, teacher, _ = cbmt(network)
    trainer.run()
    student, mean = parameters(network) - source, parameters(teacher.network) - source
    assert student.abs().max() > 1e-3
    assert 0 < mean.abs().max() < student.abs().max()


def test_same_seed_same_weights(cbmt):
    results = []
    for _ in range(2):
        trainer, teacher, _ = cbmt()
        trainer.run()
        results.append(parameters(teacher.network))
    assert torch.equal(*results)


def test_a_label_is_refused(cbmt, images):
    trainer, *_ = cbmt(images=[image | {"label": torch.zeros(2, 16, 16)} for image in images])
    with pytest.raises(ValueError, match="must not reach adaptation"):
        trainer.run()


def test_a_loss_that_is_not_finite_stops_before_the_update(cbmt, network):
    def criterion(*, pred, **_):
        return pred.sum() * float("nan")

    trainer, *_ = cbmt(network, criterion=criterion)
    source = parameters(network).clone()
    with pytest.raises(FloatingPointError, match="in epoch 1, step 1, found nan first in the loss"):
        trainer.run()
    assert torch.equal(parameters(network), source)


def test_a_gradient_that_is_not_finite_stops_before_the_update(cbmt, network):
    def criterion(*, pred, **_):
        return (pred.mean() * 0).abs().sqrt()

    trainer, *_ = cbmt(network, criterion=criterion)
    source = parameters(network).clone()
    with pytest.raises(FloatingPointError, match=r"found nan first in the gradient of 0\.weight .*a root at 0"):
        trainer.run()
    assert torch.equal(parameters(network), source)


def test_a_datalist_as_monai_writes_it_needs_no_case(cbmt, tmp_path):
    generator = np.random.default_rng(0)
    for index in range(3):
        pixels = generator.integers(0, 256, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    paths = sorted(map(str, tmp_path.glob("*.png")))
    images = Dataset([{"image": path} for path in paths], LoadImaged("image", ensure_channel_first=True))
    loader = MonaiLoader(images, batch_sampler=EpochBatches(images, batch_size=2))
    trainer, _, balance = cbmt(train_data_loader=loader, epochs=1)
    trainer.run()
    assert sorted(balance.sums) == paths


def test_images_of_a_size_that_does_not_fit_are_told_the_sizes_that_do(cbmt):
    network = UNet(2, 3, 2, channels=(4, 4, 4), strides=(2, 2), norm="batch")
    images = [{"image": torch.full((3, 30, 30), 200, dtype=torch.uint8), "case": str(index)} for index in range(4)]
    for labeller in (None, PseudoLabeller(Observe(network))):
        trainer, *_ = cbmt(network, images=images)
        trainer.labeller = labeller
        with pytest.raises(
            ValueError, match=r"found \(3, 30, 30\) \(Sizes.*; resize them to multiples of 4, such as 28"
        ):
            trainer.run()


class Picky(UNet):
    """Asks for its size in words of its own, as Swin networks do."""

    def forward(self, image):
        if any(side % 8 for side in image.shape[2:]):
            raise ValueError("sides must be divisible by 2**3.")
        return super().forward(image)


@pytest.mark.parametrize(
    ("network", "shape", "advice"),
    [
        (
            partial(UNet, in_channels=1),
            (3, 16, 16),
            r"; wrap it, as in monai_sfda\.networks\.with_input\(network, grey",
        ),
        (partial(UNet, in_channels=3), (1, 16, 16), r"; give images of 3 channels\.$"),
        (partial(UNet, in_channels=3), (16, 16, 3), r"; move their channels before their rows, as EnsureChannelFirstd"),
        (
            partial(UNet, in_channels=3, spatial_dims=3),
            (3, 16, 16),
            r"; give a network with 2 spatial dimensions, because this one",
        ),
        (
            partial(UNet, in_channels=3, norm="instance"),
            (3, 4, 4),
            r"; resize them to multiples of 8, such as 8 x 8\.$",
        ),
        (
            partial(Picky, in_channels=3),
            (3, 20, 20),
            r"\(sides must be divisible by 2\*\*3\); resize them to multiples of 8, such as 16 x 16 or",
        ),
    ],
    ids=["grey network", "grey images", "channels last", "volumes", "instance norm", "own check"],
)
def test_images_of_a_shape_that_does_not_fit_are_told_what_to_do(network, shape, advice):
    layers = {"spatial_dims": 2, "out_channels": 2, "channels": (4, 4, 4), "strides": (2, 2), "norm": "batch"}
    layers |= network.keywords
    images = [{"image": torch.full(shape, 200, dtype=torch.uint8), "case": str(index)} for index in range(4)]
    trainer, *_ = tiny_cbmt(network.func(**layers), images=images)
    before = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    found = re.escape(str(shape))
    with pytest.raises(
        ValueError, match=rf"Expected images \(C, H, W\) that fit the network, found {found} .*{advice}"
    ):
        trainer.run()
    assert all(torch.equal(value, before[name]) for name, value in trainer.network.state_dict().items())


def test_images_without_channels_are_told_to_have_them(cbmt):
    images = [{"image": torch.full((16, 16), 200, dtype=torch.uint8), "case": str(index)} for index in range(4)]
    with pytest.raises(ValueError, match=r"found shape \(\d, 16, 16\); add the dimension of channels"):
        cbmt(images=images)[0].run()


def test_a_loader_without_images_is_refused(cbmt):
    with pytest.raises(ValueError, match="Expected images to adapt to, found an empty data loader"):
        cbmt(train_data_loader=[])[0].run()


@pytest.mark.parametrize("change", [lambda logits: torch.stack([logits, logits], 1), lambda logits: logits[..., ::2]])
def test_maps_that_are_stacked_or_of_another_size_are_no_logits(cbmt, network, change):
    """DynUNet stacks the maps of deep supervision while it trains, and each of them would count as a class."""
    network.register_forward_hook(lambda _, __, logits: change(logits))
    trainer, *_ = cbmt(network)
    trainer.labeller = None
    with pytest.raises(
        ValueError, match=r"logits of the size of the images, \(\d, K, 16, 16\), found .*; switch deep su"
    ):
        trainer.run()


def test_views_that_do_not_show_the_same_pixels_are_refused(cbmt):
    with pytest.raises(ValueError, match=r"Expected two views that show the same pixels, found \(\d, 3, 16, 16\) and"):
        cbmt(views=lambda image: (image.float(), image.float()[..., :8]))[0].run()


@pytest.mark.parametrize("last", [nn.Sigmoid(), nn.Softmax(1), nn.Identity()])
def test_a_network_that_ends_in_probabilities_is_told_once(cbmt, caplog, last):
    network = nn.Sequential(*tiny_network(), nn.Hardtanh(-0.3, 0.7), last)
    cbmt(network)[0].run()
    assert caplog.text.count("Expected logits, found predictions from 0.") == (not isinstance(last, nn.Identity))


def test_a_step_of_monai_images_is_one_of_plain_tensors(cbmt):
    images = [{"image": MetaTensor(item["image"]), "case": item["case"]} for item in tiny_images()]
    seen = []

    def criterion(*, pred, **step):
        seen.extend(type(step[name]) for name in ("image", "weak", "strong"))
        return pred.mean()

    cbmt(images=images, criterion=criterion)[0].run()
    assert set(seen) == {torch.Tensor}


def test_an_error_of_the_network_that_is_none_of_size_stays(cbmt):
    class Failing(nn.Conv2d):
        def forward(self, image):
            if self.training:
                raise RuntimeError("something else")
            return super().forward(image)

    trainer, *_ = cbmt(Failing(3, 2, 1))
    trainer.labeller = None
    with pytest.raises(RuntimeError, match="something else"):
        trainer.run()


def test_stored_images_need_views(cbmt, network):
    trainer, *_ = cbmt(network, views=lambda image: (image, image))
    with pytest.raises(ValueError, match=r"views in floating point of \d images, found torch\.uint8"):
        trainer.run()


def test_an_observer_in_place_of_a_labeller_is_told_how_to_become_one(cbmt, network):
    trainer, *_ = cbmt(network)
    trainer.labeller = Observe(network)
    with pytest.raises(ValueError, match="Expected a labeller that gives a PseudoLabel, found Evidence; wrap an obs"):
        trainer.run()


def test_labels_of_another_shape_are_not_stretched(cbmt, network):
    trainer, *_ = cbmt(network)
    trainer.labeller = PseudoLabeller(Observe(tiny_network(channels=1)))
    with pytest.raises(ValueError, match=r"shape of the prediction, \(\d, 2, 16, 16\), found \(\d, 1, 16, 16\)"):
        trainer.run()


@pytest.mark.parametrize(
    ("criterion", "sentence"),
    [
        (
            lambda *, pred, **_: pred.mean((1, 2, 3)),
            r"one number as a tensor, found shape \(\d,\); take the mean",
        ),
        (lambda *, pred, **_: float(pred.detach().mean()), "found a float; take the mean"),
        (lambda *, pred, **_: (pred > 0).float().mean(), "Expected a loss with a gradient, found one without"),
    ],
)
def test_a_loss_that_cannot_be_minimised_is_named(cbmt, criterion, sentence):
    trainer, *_ = cbmt(criterion=criterion)
    with pytest.raises(ValueError, match=sentence):
        trainer.run()


def test_several_maps_of_deep_supervision_are_named(cbmt):
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = tiny_network()

        def forward(self, image):
            return [self.body(image)] * 2 if self.training else self.body(image)

    trainer, *_ = cbmt(Deep())
    trainer.labeller = None
    with pytest.raises(ValueError, match="one tensor of logits, found a list; switch deep supervision off"):
        trainer.run()


def test_every_image_is_observed_once_in_evaluation_mode(cbmt, network, images):
    seen = []

    def observer(image, case):
        assert not network.training
        seen.extend(case)
        return case

    trainer, *_ = cbmt(network)
    list(trainer.observe_all(observer))
    assert sorted(seen) == [image["case"] for image in images]


def test_balance_remembers_every_image_before_the_first_step(cbmt):
    trainer, _, balance = cbmt(epochs=1)
    trainer.run()
    assert sorted(balance.sums) == [f"image {i}" for i in range(5)]


def test_criterion_gets_the_named_layer_as_features(cbmt, network):
    shapes = []

    def criterion(*, pred, features, **_):
        shapes.append(tuple(features.shape))
        return pred.mean() + features.mean()

    trainer, *_ = cbmt(network, criterion=criterion, feature_layer="2", epochs=1)
    trainer.run()
    assert set(shapes) == {(2, 8, 16, 16), (3, 8, 16, 16)}


def test_methods_without_labels_and_views_run(cbmt, network, images):
    floats = [image | {"image": image["image"].float()} for image in images]
    trainer, *_ = cbmt(
        network,
        images=floats,
        labeller=None,
        views=lambda image: (image, image),
        criterion=lambda *, pred, **_: pred.square().mean(),
    )
    trainer.run()


def test_mode_decides_what_the_student_learns_of_the_images(cbmt, network):
    trainer, *_ = cbmt(network, mode=eval_mode)
    statistics = network[1].running_mean.clone()
    trainer.run()
    assert torch.equal(network[1].running_mean, statistics)


def test_only_the_student_has_gradients(cbmt):
    trainer, teacher, _ = cbmt(epochs=1)
    trainer.run()
    assert all(p.grad is None for p in teacher.network.parameters())


def test_bfloat16_keeps_weights_and_loss_in_float32(cbmt, network):
    trainer, *_ = cbmt(network, precision="bfloat16", epochs=1)
    trainer.run()
    assert parameters(network).dtype == torch.float32
    assert isinstance(trainer.state.output["loss"], float)


def test_bfloat16_trains_every_weight_where_the_student_labels_itself(cbmt, network):
    """Fails on PyTorch 2.10 without care for its cache of cast weights."""
    trainer, *_ = cbmt(network, precision="bfloat16", epochs=1)
    trainer.labeller = PseudoLabeller(Observe(network), refiners=[Threshold(cutoff=0.5)])
    trainer.run()
    assert all(p.grad is not None for p in network.parameters())


def test_cbmt_without_all_its_parts_is_online_pseudo_labelling(cbmt):
    """A teacher that equals the student, no balance, equal views, no dropout: labels are the student's own."""

    def results(*, online):
        student = nn.Sequential(*(layer for layer in tiny_network() if not isinstance(layer, nn.Dropout)))
        trainer, teacher, _ = cbmt(student, epochs=3, views=WeakStrongViews(strong=[]))
        teacher.decay = 0.0
        observed = student if online else teacher.network
        trainer.labeller = PseudoLabeller(Observe(observed), refiners=[Threshold(cutoff=0.5)])
        trainer.run()
        assert torch.equal(parameters(teacher.network), parameters(student))
        return parameters(student)

    assert torch.equal(results(online=False), results(online=True))


def test_the_balance_remembers_what_the_teacher_said_before_it_learnt_of_the_step(cbmt, network):
    trainer, teacher, balance = cbmt(network, epochs=1)
    expected, told = {}, trainer.labeller.observe

    def spy(image, case):
        before = parameters(teacher.network).clone()
        evidence = told(image, case)
        sums = uncertain_sums(evidence.probs[:, [1]].flatten(2), cutoff=balance.cutoff, margin=balance.margin)
        expected.update(zip(case, sums, strict=True))
        assert torch.equal(parameters(teacher.network), before)
        return evidence

    trainer.labeller.observe = spy
    trainer.run()
    assert expected.keys() == balance.sums.keys()
    assert all(torch.equal(expected[case], balance.sums[case]) for case in expected)


def test_images_may_come_from_any_loader(cbmt, images):
    trainer, *_ = cbmt(train_data_loader=DataLoader(images, batch_size=5), epochs=1)
    trainer.run()
    assert trainer.state.iteration == 1
