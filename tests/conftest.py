"""A source network, some images and a trainer, as small as they can be."""

import logging
import multiprocessing
from multiprocessing import forkserver

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

from monai_sfda.data import EpochBatches
from monai_sfda.engines import AdaptTrainer
from monai_sfda.handlers import EpochSeed, MeanTeacher
from monai_sfda.losses import MaskedBCE
from monai_sfda.pseudo import BalanceBackground, Observe, PseudoLabeller, Threshold
from monai_sfda.transforms import Gamma, WeakStrongViews


def tiny_network(channels=2):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.3), nn.Conv2d(8, channels, 1)
    )


def tiny_images(count=5):
    generator = torch.Generator().manual_seed(1)
    return [
        {"image": torch.randint(256, (3, 16, 16), generator=generator, dtype=torch.uint8), "case": f"image {index}"}
        for index in range(count)
    ]


def tiny_cbmt(network=None, *, images=None, epochs=2, handlers=(), **kwargs):
    """CBMT on random images, wired as the recipe wires it."""
    network = network or tiny_network()
    images = images if images is not None else tiny_images()
    teacher = MeanTeacher(network)
    balance = BalanceBackground(channels=[1], first_look=Observe(network))
    settings = {
        "device": "cpu",
        "max_epochs": epochs,
        "train_data_loader": DataLoader(images, batch_sampler=EpochBatches(images, batch_size=2)),
        "network": network,
        "optimizer": torch.optim.Adam(network.parameters(), lr=1e-2),
        "criterion": MaskedBCE(),
        "views": WeakStrongViews(strong=[Gamma(prob=1.0)]),
        "labeller": PseudoLabeller(Observe(teacher.network), refiners=[Threshold(cutoff=0.5), balance]),
    }
    trainer = AdaptTrainer(**settings | kwargs, train_handlers=[EpochSeed(0), teacher, balance, *handlers])
    return trainer, teacher, balance


@pytest.fixture
def cbmt():
    return tiny_cbmt


@pytest.fixture
def network():
    return tiny_network()


@pytest.fixture
def images():
    return tiny_images()


@pytest.fixture(scope="session")
def fork():
    """Processes that have imported everything already, so that many start in no time; of one thread, without a GPU."""
    context = multiprocessing.get_context("forkserver")
    parts = [f"monai_sfda.{part}" for part in ("cli", "clinic", "handlers", "inferers", "networks")]
    context.set_forkserver_preload([*parts, "monai.bundle", "matplotlib.backends.backend_svg"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        forkserver.ensure_running()  # which keeps what the environment is now
    return context.Process


@pytest.fixture(autouse=True)
def no_handler_is_left_behind():
    """A bundle's logging.conf binds handlers to the streams of the test that ran it, which are closed after it."""
    for handler in list(logging.root.handlers):  # of a fixture that several tests share
        if getattr(getattr(handler, "stream", None), "closed", False):
            logging.root.removeHandler(handler)
    before = list(logging.root.handlers)
    yield
    for handler in [handler for handler in logging.root.handlers if handler not in before]:
        logging.root.removeHandler(handler)
