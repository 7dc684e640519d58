"""The denoiser of each bundle: trained on label maps, then used for adaptation and for prediction."""

import numpy as np
import pytest
import torch
from bundle_support import BUNDLES, classes, network_of, random_weights, recipe_id, run, write_images
from PIL import Image

ADAPT, PREDICT = ("adapt.json", "methods/dae.json"), ("inference.json", "inference_dae.json")
SCORE = ("inference.json", "evaluate.json", "inference_dae.json")


@pytest.fixture(params=BUNDLES, ids=recipe_id)
def bundle(request):
    return request.param


@pytest.fixture
def settings(bundle, tmp_path):
    """Images and weights of a source network."""
    images = write_images(tmp_path / "images")
    return {"dataset_dir": str(images), "checkpoint": str(random_weights(bundle, tmp_path / "model.pt"))}


@pytest.fixture
def denoiser(bundle, tmp_path):
    """Folder with a denoiser trained for an epoch."""
    dataset = write_images(tmp_path / "data", 6, classes=classes(bundle))
    ckpt_dir = tmp_path / "denoiser"
    small = {"epochs": 1, "batch_size": 2, "val_interval": 1, "val_share": 0.34}
    run(bundle, "train_denoiser.json", dataset_dir=str(dataset), ckpt_dir=str(ckpt_dir), **small)
    return ckpt_dir


def has_adapted(item):
    """Whether the last image of a run left its mark on the normaliser, whose last weights start at zero."""
    return item.parser.get_parsed_content("evaluator").inferer.normaliser.change[-1].weight.abs().sum() > 0


def cause(error):
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def test_training_also_leaves_the_mean_label_map(bundle, denoiser):
    atlas = torch.load(denoiser / "atlas.pt", weights_only=True)
    assert atlas.shape == (2, 128, 128)
    assert atlas.min() == 0
    assert atlas.max() == 1
    # Structures, from outer to inner, or a background that is all the rest.
    assert (atlas[1] <= atlas[0]).all() or torch.allclose(atlas.sum(0), torch.ones(128, 128))


def test_adaptation_delivers_a_bundle_that_has_the_normaliser_and_the_source_network(
    bundle, settings, denoiser, tmp_path
):
    output, masks = tmp_path / "run", tmp_path / "masks"
    own = {"denoiser_checkpoint": str(denoiser / "model.pt"), "output_dir": str(output)}
    run(bundle, *ADAPT, **settings, **own, epochs=2, batch_size=2)
    adapted, source = network_of(output / "bundle"), torch.load(settings["checkpoint"], weights_only=True)
    assert all(torch.equal(tensor, source[name]) for name, tensor in adapted.network.state_dict().items())
    assert adapted.normaliser.change[-1].weight.abs().sum() > 0
    run(output / "bundle", "inference.json", dataset_dir=settings["dataset_dir"], output_dir=str(masks))
    assert len(list(masks.glob("*.png"))) == 3
    # What was delivered can be adapted again, by another method or the same.
    for configs in (["adapt.json"], ADAPT):
        again = tmp_path / f"again with {len(configs)}"
        own |= {"dataset_dir": settings["dataset_dir"], "output_dir": str(again)}
        run(output / "bundle", *configs, **own, epochs=1, batch_size=2)
        network_of(again / "bundle")


@pytest.mark.parametrize("prior", ["@denoiser", "@denoiser_or_atlas"])
def test_prediction_adapts_to_each_image_and_repeats_itself(bundle, settings, denoiser, tmp_path, prior):
    own = {
        "denoiser_checkpoint": str(denoiser / "model.pt"),
        "denoiser_or_atlas::atlas": str(denoiser / "atlas.pt"),
        "prior": prior,
        "steps": 4,
        "refresh": 2,
    }
    masks = [tmp_path / name for name in ("one", "two")]
    for batch_size, folder in zip((1, 3), masks, strict=True):
        item = run(bundle, *PREDICT, **settings, **own, output_dir=str(folder), batch_size=batch_size)
        assert has_adapted(item)
    one, two = ([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))] for folder in masks)
    assert len(one) == 3
    assert all(np.array_equal(first, second) for first, second in zip(one, two, strict=True))


def test_prediction_with_adaptation_is_scored(bundle, settings, denoiser, tmp_path):
    settings["dataset_dir"] = str(tmp_path / "data")
    own = {"denoiser_checkpoint": str(denoiser / "model.pt"), "steps": 4, "refresh": 2}
    item = run(bundle, *SCORE, **settings, **own, output_dir=str(tmp_path / "scores"))
    assert has_adapted(item)
    assert len((tmp_path / "scores" / "cases.csv").read_text().splitlines()) == 7


@pytest.mark.parametrize("configs", [ADAPT, PREDICT], ids=["adapt", "predict"])
def test_without_a_denoiser_nothing_is_done_and_the_message_says_how_to_train_it(bundle, settings, tmp_path, configs):
    output = tmp_path / "out"
    settings |= {"output_dir": str(output), "denoiser_checkpoint": str(tmp_path / "none.pt")}
    with pytest.raises(RuntimeError) as error:
        run(bundle, *configs, **settings)
    assert isinstance(cause(error.value), FileNotFoundError)
    assert "configs/train_denoiser.json --dataset_dir LABELLED" in str(cause(error.value))
    assert not (output / "checkpoints").exists()
    assert not list(output.glob("*.png"))
