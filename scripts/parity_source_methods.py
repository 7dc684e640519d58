"""MPSCL, AdvEnt and BEAL: losses, prototypes and post-processing of the released code and of this package, compared.

git clone https://github.com/TFboys-lzz/MPSCL; git clone https://github.com/valeoai/ADVENT; git clone https://github.com/emma-sjwang/BEAL
python scripts/parity_source_methods.py --mpscl MPSCL --advent ADVENT --beal BEAL

Of each file of a clone only the named functions and classes are run, on the CPU. Prints the largest number of each pair
and the largest difference, and ends with status 1 if one is above its tolerance.
"""

from __future__ import annotations

import argparse
import ast
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import scipy.ndimage
import scipy.signal
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_sfda.losses import (
    CrossEntropy,
    Domains,
    EntropyLoss,
    PrototypeContrast,
    SelfInformation,
    SelfPacedContrast,
    SingleTermEntropy,
    WeightedCrossEntropyDice,
    boundary_target,
    self_paced,
)
from monai_sfda.networks import Discriminator, PatchDiscriminator
from monai_sfda.pseudo import PrototypeBank
from monai_sfda.transforms import BealMasksd

CLASSES = ["background", "a", "b", "c", "d"]


class Compared(NamedTuple):
    what: str
    released: Any
    ours: Any
    tolerance: float = 1e-5


def functions_of(file: Path, *names: str, **given: Any) -> SimpleNamespace:
    """Run the named functions and classes of a file, and nothing else of it; ``given`` are names that they use."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [node for node in tree.body if getattr(node, "name", None) in names]
    missing = set(names) - {node.name for node in found}  # type: ignore[attr-defined]
    if missing:
        raise SystemExit(f"Expected {', '.join(sorted(missing))} in {file}, found none; check out the released commit.")
    space = {
        "torch": torch,
        "nn": nn,
        "F": F,
        "np": np,
        "math": math,
        "scipy": scipy,
        "ndimage": scipy.ndimage,
        **given,
    }
    exec(compile(ast.Module(found, []), str(file), "exec"), space)
    return SimpleNamespace(**{name: space[name] for name in names})


@contextmanager
def on_the_cpu() -> Iterator[None]:
    """The clones ask for a graphics card by name."""
    kept = torch.Tensor.cuda, torch.Tensor.get_device
    torch.Tensor.cuda = lambda self, *_: self  # type: ignore[method-assign, assignment]
    torch.Tensor.get_device = lambda self: self.device  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        torch.Tensor.cuda, torch.Tensor.get_device = kept  # type: ignore[method-assign]


def one_hot(classes: Tensor) -> Tensor:
    return F.one_hot(classes, len(CLASSES)).movedim(-1, 1).float()


def mpscl(clone: Path) -> Iterator[Compared]:
    losses = functions_of(clone / "utils" / "loss.py", "MPCL", "cross_entropy_2d", "dice_loss")
    func = functions_of(clone / "utils" / "func.py", "mpcl_loss_calc", "prob_2_entropy")
    train = functions_of(
        clone / "domain_adaptation" / "train_UDA.py",
        *("generate_pseudo_label", "pixel_selection", "label_downsample", "update_class_center_iter"),
    )
    model = functions_of(clone / "model" / "discriminator.py", "NLayerDiscriminator", functools=__import__("functools"))
    features, other = torch.randn(2, 2, 16, 9, 9).unbind(0)
    labels, centres = torch.randint(5, (2, 36, 36)), torch.randn(5, 16)
    bank = PrototypeBank(CLASSES, head="softmax", prototypes=centres)
    for temperature, margin in ((1.0, 0.4), (2.0, 0.2)):
        settings = {"temperature": temperature, "base_temperature": 1.0}
        theirs = losses.MPCL("cpu", num_class=5, m=margin, **settings)
        yield Compared(
            f"contrast of the source, margin {margin}, temperature {temperature}",
            func.mpcl_loss_calc(features, labels, centres, theirs, tag="source"),
            PrototypeContrast(bank, margin=margin, form="released", **settings)(
                features=features, label=one_hot(labels)
            ),
        )
        for gap in (0.25, 0.05):
            cfg = SimpleNamespace(TRAIN=SimpleNamespace(PIXEL_SEL_TH=gap))
            label, selected = train.generate_pseudo_label(other, centres, cfg)
            mine = self_paced(bank.cosine(other), gap)
            yield Compared(f"label of the target, gap {gap}", label.view(2, 9, 9), mine[0], 0)
            yield Compared(f"selection of the target, gap {gap}", selected.view(2, 9, 9), mine[1].float(), 0)
            yield Compared(
                f"contrast of the target, margin {margin}, temperature {temperature}, gap {gap}",
                func.mpcl_loss_calc(other, label, centres, theirs, pixel_sel_loc=selected, tag="target"),
                SelfPacedContrast(bank, gap=gap, margin=margin, form="released", **settings)(features=other),
            )
    part = labels.clamp(max=3)  # the last class is absent
    moved = train.update_class_center_iter(features, part, centres, m=0.2)
    bank.update(features, one_hot(part))
    yield Compared("prototypes after a batch without the last class", moved, bank.prototypes)
    logits = 3 * torch.randn(2, 5, 36, 36)
    both = losses.cross_entropy_2d(logits, part, None, None) + losses.dice_loss(logits, part, None)
    ours = WeightedCrossEntropyDice(head="softmax")(pred=logits, label=one_hot(part))
    yield Compared("weighted cross-entropy + Dice", both, ours)
    shown = func.prob_2_entropy(logits.softmax(1))
    yield Compared("self-information", shown, SelfInformation(head="softmax")(pred=logits), 1e-6)
    theirs, patch = model.NLayerDiscriminator(5), PatchDiscriminator(5)
    copy_in_order(theirs, patch)
    maps = torch.rand(2, 5, 64, 64)
    yield Compared("patch discriminator", theirs(maps), patch(maps))


def advent(clone: Path) -> Iterator[Compared]:
    losses = functions_of(clone / "advent" / "utils" / "loss.py", "entropy_loss")
    func = functions_of(clone / "advent" / "utils" / "func.py", "bce_loss", "prob_2_entropy", "lr_poly")
    model = functions_of(clone / "advent" / "model" / "discriminator.py", "get_fc_discriminator")
    logits, classes = 3 * torch.randn(2, 19, 64, 64), torch.randint(19, (2, 64, 64))
    probs = logits.softmax(1)
    label = F.one_hot(classes, 19).movedim(-1, 1)
    yield Compared("entropy", losses.entropy_loss(probs), EntropyLoss(head="softmax", share=True)(pred=logits))
    yield Compared("self-information", func.prob_2_entropy(probs), SelfInformation(head="softmax")(pred=logits), 1e-6)
    cross_entropy = F.cross_entropy(logits, classes)
    yield Compared("cross-entropy", cross_entropy, CrossEntropy(head="softmax")(pred=logits, label=label))
    theirs, ours = model.get_fc_discriminator(19), Discriminator(19)
    copy_in_order(theirs, ours)
    source, target = torch.rand(2, 2, 19, 64, 64).unbind(0)
    yield Compared("discriminator", theirs(source), ours(source))
    domains = Domains(lambda *, pred, **_: pred)
    told = (func.bce_loss(theirs(source), 0) + func.bce_loss(theirs(target), 1)) / 2
    yield Compared("telling", told, domains.tell(ours, source={"pred": source}, target={"pred": target}))
    yield Compared("fooling", func.bce_loss(theirs(target), 0), domains.fool(ours, pred=target))
    optimizer = torch.optim.SGD(ours.parameters(), lr=2.5e-4)
    poly = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=250, power=0.9)
    for _ in range(120):
        optimizer.step()
        poly.step()
    rate = torch.tensor(func.lr_poly(2.5e-4, 120, 250, 0.9))
    yield Compared("learning rate", rate, torch.tensor(poly.get_last_lr()[0]), 1e-9)


def beal(clone: Path) -> Iterator[Compared]:
    transforms = functions_of(clone / "dataloaders" / "custom_transforms.py", "GetBoundary")
    model = functions_of(clone / "networks" / "GAN.py", "UncertaintyDiscriminator")
    cup, disc = (blob(radius) for radius in (20, 45))
    band = transforms.GetBoundary()(np.stack([cup, disc], -1)) * 255
    released = torch.from_numpy(scipy.ndimage.gaussian_filter(band, sigma=3) / 255.0).float()
    masks = torch.from_numpy(np.stack([cup, disc]))[None].float()
    yield Compared("boundary target (one of 255 steps)", released, boundary_target(masks)[0, 0], 1.01 / 255)
    logits = 3 * torch.randn(2, 2, 64, 64)
    shown = -torch.sigmoid(logits) * torch.log(torch.sigmoid(logits) + 1e-7)
    yield Compared("uncertainty", shown, SingleTermEntropy()(pred=logits))
    theirs, ours = model.UncertaintyDiscriminator(), Discriminator(2, padding=2, bias=False)
    copy_in_order(theirs, ours)
    yield Compared("discriminator", theirs(shown), ours(shown))
    try:
        from skimage import measure, morphology
    except ImportError:
        print("post-processing: not compared, scikit-image is missing")
        return
    utils = functions_of(
        clone / "utils" / "Utils.py",
        *("postprocessing", "get_largest_fillhole"),
        **{"morphology": morphology, "label": measure.label, "regionprops": measure.regionprops},
    )
    probs = torch.from_numpy(np.stack([blob(30), blob(50) | blob(12, (20, 20))])).float() * 0.9
    cleaned = BealMasksd("pred")({"pred": probs > 0.75})["pred"]
    yield Compared("post-processing", torch.from_numpy(utils.postprocessing(probs)), cleaned.float(), 0)


def blob(radius: float, centre: tuple[int, int] = (64, 70)) -> np.ndarray:
    rows, columns = np.mgrid[:128, :128]
    return (np.hypot(rows - centre[0], 0.8 * (columns - centre[1])) < radius).astype(np.uint8)


def copy_in_order(theirs: nn.Module, ours: nn.Module) -> None:
    """Give ours the weights of theirs, which has the same layers under other names."""
    mine = [tensor for tensor in ours.state_dict().values() if tensor.ndim]
    for tensor, own in zip((t for t in theirs.state_dict().values() if t.ndim), mine, strict=True):
        own.copy_(tensor)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare with every clone that is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    methods = {"mpscl": mpscl, "advent": advent, "beal": beal}
    for name in methods:
        parser.add_argument(f"--{name}", type=Path, help="folder of the clone")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    given = {name: getattr(options, name) for name in methods if getattr(options, name)}
    if not given:
        parser.error("Expected at least one clone, found none; give --mpscl, --advent or --beal.")
    torch.manual_seed(options.seed)
    failed = 0
    with on_the_cpu(), torch.no_grad():
        for name, clone in given.items():
            for pair in methods[name](clone):
                off = float((pair.released.double() - pair.ours.double()).abs().max())
                failed += not off <= pair.tolerance  # also if it is no number
                size = float(pair.released.double().abs().max())
                print(f"{name:7} {pair.what:62} {size:9.3g} {off:9.2e} {'ok' if off <= pair.tolerance else 'DIFFERS'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
