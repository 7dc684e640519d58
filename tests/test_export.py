"""TorchScript and ONNX files, exported by MONAI's own commands, segment as the bundle does."""

import numpy as np
import pytest
import torch
from bundle_support import BUNDLES, network_of, recipe_id, write_images
from monai.bundle import ConfigParser, ckpt_export, onnx_export
from PIL import Image

from monai_sfda.functional import decide, probabilities
from monai_sfda.organs.fundus.simulated import write_clinic

SIZE = [1, 3, 128, 128]  # scripts take any size, ONNX the one it was exported for


@pytest.fixture(scope="module", params=BUNDLES, ids=recipe_id)
def bundle(request):
    return request.param


@pytest.fixture(scope="module")
def image(bundle, tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    if bundle.name == "fundus_disc_cup":
        write_clinic(folder, camera="source", count=1, seed=1, size=SIZE[-1], progress=False)
        folder = folder / "image"
    else:
        write_images(folder, 1, size=(SIZE[-1], SIZE[-2]))
    pixels = np.asarray(Image.open(next(folder.iterdir())).convert("RGB"), np.float32)
    return torch.from_numpy(pixels / 127.5 - 1).movedim(-1, 0)[None]


@pytest.fixture(scope="module")
def expected(bundle, image):
    with torch.no_grad():
        return network_of(bundle).eval()(image)


def arguments(bundle, target):
    return {
        "net_id": "network_def",
        "filepath": str(target),
        "ckpt_file": str(bundle / "models" / "model.pt"),
        "meta_file": str(bundle / "configs" / "metadata.json"),
        "config_file": str(bundle / "configs" / "inference.json"),
    }


def masks(bundle, logits):
    parser = ConfigParser()
    parser.read_config(str(bundle / "configs" / "adapt.json"))
    parser["bundle_root"] = str(bundle)
    head = parser.get("head")
    return decide(probabilities(logits, head), head, parser.get_parsed_content("cutoffs"))


def assert_same(bundle, found, expected):
    # float32 in another order of summation; a pixel nearer to the cutoff than that would be a coincidence
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    assert torch.equal(masks(bundle, found), masks(bundle, expected))
    assert all(bool(channel.any()) for channel in masks(bundle, expected)[0])


def test_torchscript_gives_the_same_masks(tmp_path, bundle, image, expected):
    ckpt_export(**arguments(bundle, tmp_path / "model.ts"))
    with torch.no_grad():
        assert_same(bundle, torch.jit.load(tmp_path / "model.ts")(image), expected)


def test_onnx_gives_the_same_masks(tmp_path, bundle, image, expected):
    onnx = pytest.importorskip("onnx", reason="exporting to ONNX needs onnx")
    pytest.importorskip("onnxscript", reason="exporting to ONNX needs onnxscript")
    from onnx.reference import ReferenceEvaluator  # executes the file by the standard's own definitions

    onnx_export(**arguments(bundle, tmp_path / "model.onnx"), input_shape=SIZE)
    model = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(model)
    (found,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: image.numpy()})
    assert_same(bundle, torch.from_numpy(found), expected)
