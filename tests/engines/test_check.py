"""What does not fit is refused when the engine is made, in one sentence."""

import copy
from functools import partial

import pytest
import torch
from conftest import tiny_cbmt, tiny_network
from ignite.metrics import Average
from monai.handlers import LrScheduleHandler
from monai.losses import DiceLoss
from torch import nn
from torch.nn.parallel import DataParallel

from monai_sfda.engines import AdaptTrainer
from monai_sfda.handlers import EpochSeed, FollowStudent, History, MeanTeacher, Resume, ShrinkageStop
from monai_sfda.losses import CosineDisalignment, EntropyLoss, MaskedBCE, NoLoss, WeightedSum
from monai_sfda.networks import learn_nothing
from monai_sfda.pseudo import (
    BalanceBackground,
    Cached,
    ClassThreshold,
    FitRefiners,
    GradCam,
    LabelStore,
    MonteCarlo,
    Observe,
    PseudoLabeller,
    Threshold,
)


def engine(network, *, handlers=(), criterion=None, labeller=None, optimizer=None, **more):
    """An engine with nothing but what a test is about."""
    return AdaptTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[],
        network=network,
        optimizer=optimizer or torch.optim.Adam(network.parameters()),
        criterion=criterion or (MaskedBCE() if labeller else EntropyLoss()),
        labeller=labeller,
        train_handlers=handlers,
        **more,
    )


def asks(network, *refiners, head="sigmoid"):
    return PseudoLabeller(Observe(network, head=head), refiners=[Threshold(cutoff=0.5, head=head), *refiners])


@pytest.fixture
def store(tmp_path, network):
    torch.save(network.state_dict(), tmp_path / "model.pt")
    return LabelStore(tmp_path / "labels", weights=tmp_path / "model.pt", images=[], parameters=[])


def test_a_teacher_that_is_attached_to_nothing_is_refused(network):
    teacher = MeanTeacher(network)
    with pytest.raises(ValueError, match="Expected the MeanTeacher that moves a network of the labeller among"):
        engine(network, labeller=asks(teacher.network))
    engine(network, labeller=asks(teacher.network), handlers=[teacher])


def test_a_teacher_of_which_only_the_network_is_left_is_refused(network):
    labeller = asks(MeanTeacher(network).network)
    with pytest.raises(ValueError, match="attached to nothing: that network would never change"):
        engine(network, labeller=labeller)


def test_a_second_teacher_does_not_stand_in_for_the_first(network):
    asked, attached = MeanTeacher(network), MeanTeacher(network)
    with pytest.raises(ValueError, match="attached to nothing"):
        engine(network, labeller=asks(asked.network), handlers=[attached])


def test_a_teacher_is_found_behind_a_function(network):
    teacher = MeanTeacher(network)
    ask = asks(teacher.network)
    with pytest.raises(ValueError, match="attached to nothing"):
        engine(network, labeller=lambda image, case: ask(image, case))
    with pytest.raises(ValueError, match="attached to nothing"):
        engine(network, labeller=partial(ask))


def test_a_frozen_source_and_a_copy_of_a_teacher_may_label(network):
    engine(network, labeller=asks(copy.deepcopy(network).eval()))
    engine(network, labeller=asks(copy.deepcopy(MeanTeacher(network).network)))


@pytest.mark.parametrize("place", ["labeller", "cached"])
def test_a_refiner_that_is_attached_to_nothing_is_refused(network, store, place):
    balance = BalanceBackground(channels=[1], first_look=Observe(network))
    labeller = asks(network, balance)
    handlers = []
    if place == "cached":
        labeller = Cached(labeller, store)
        handlers = [labeller]
    with pytest.raises(ValueError, match="Expected BalanceBackground, which is part of the labeller, among"):
        engine(network, labeller=labeller, handlers=handlers)
    engine(network, labeller=labeller, handlers=[balance, *handlers])


def test_a_store_of_labels_that_is_attached_to_nothing_is_refused(network, store):
    with pytest.raises(ValueError, match="Expected Cached, which is part of the labeller, among train_handlers"):
        engine(network, labeller=Cached(asks(network), store))


def test_refiners_to_be_fitted_need_their_handler(network, store):
    labeller = PseudoLabeller(Observe(network), refiners=[ClassThreshold()])
    with pytest.raises(ValueError, match="Expected a FitRefiners in train_handlers for ClassThreshold"):
        engine(network, labeller=labeller)
    engine(network, labeller=labeller, handlers=[FitRefiners(labeller)])
    with pytest.raises(ValueError, match="Expected a labeller with refiners, found Cached"):
        FitRefiners(Cached(labeller, store))


def test_what_a_handler_reads_must_be_attached_before_it(network, tmp_path):
    optimizer = torch.optim.Adam(network.parameters())
    history = History(tmp_path / "history.csv", optimizer=optimizer, structures={"disc": 0})
    stop = ShrinkageStop(network, history=history)
    with pytest.raises(ValueError, match="Expected History, which is part of the ShrinkageStop, among train_handlers"):
        engine(network, handlers=[stop])
    with pytest.raises(ValueError, match="Expected History before ShrinkageStop in train_handlers, found it after"):
        engine(network, handlers=[stop, history])
    engine(network, optimizer=optimizer, handlers=[history, stop])


def test_a_run_is_saved_after_its_teacher_has_learnt(network, tmp_path):
    teacher = MeanTeacher(network)
    resume = Resume(tmp_path / "latest.pt", objects={"teacher": teacher.network}, settings={})
    with pytest.raises(ValueError, match="Expected MeanTeacher before Resume in train_handlers"):
        engine(network, labeller=asks(teacher.network), handlers=[resume, teacher])


def test_a_continued_run_finds_all_that_had_learnt(network, tmp_path):
    teacher, optimizer = MeanTeacher(network), torch.optim.Adam(network.parameters())
    balance = BalanceBackground(channels=[1], first_look=Observe(network))
    complete = {"network": network, "optimizer": optimizer, "teacher": teacher.network, "balance": balance}
    names = ["the network that adapts", "the optimizer", "the network of MeanTeacher", "BalanceBackground"]

    def run(objects):
        resume = Resume(tmp_path / "latest.pt", objects=objects, settings={})
        labeller = asks(teacher.network, balance)
        engine(network, labeller=labeller, optimizer=optimizer, handlers=[teacher, balance, resume])

    run(complete)
    for left_out, name in zip(complete, names, strict=True):
        with pytest.raises(ValueError, match=f"Expected Resume to keep {name}, found it left out"):
            run({key: part for key, part in complete.items() if key != left_out})


def test_a_teacher_that_nobody_asks_is_refused(network):
    teacher = MeanTeacher(network)
    with pytest.raises(ValueError, match="to ask the network of MeanTeacher, found that it asks the student; use"):
        engine(network, labeller=asks(network), handlers=[teacher])
    engine(network, handlers=[teacher])  # without a labeller it is an average to deliver


def test_a_teacher_of_another_student_is_refused(network):
    teacher = MeanTeacher(tiny_network())
    with pytest.raises(ValueError, match="Expected MeanTeacher to follow the network that adapts, found another"):
        engine(network, labeller=asks(teacher.network), handlers=[teacher])


def test_labels_cannot_be_asked_anew_of_a_copy_that_stays(network, store):
    observe = MonteCarlo(network, passes=2)
    cached = Cached(PseudoLabeller(observe), store, refresh_every=1)
    with pytest.raises(ValueError, match="a network that changes, found copies that stay as they are; add FollowStu"):
        engine(network, labeller=cached, handlers=[cached])
    follow = FollowStudent(network, copies=[observe.network])
    engine(network, labeller=cached, handlers=[follow, cached])
    with pytest.raises(ValueError, match="Expected FollowStudent before Cached"):
        engine(network, labeller=cached, handlers=[cached, follow])


def test_what_cannot_be_attached_is_no_handler(network):
    with pytest.raises(ValueError, match=r"with a method attach\(engine\), found PseudoLabeller; give it to"):
        engine(network, handlers=[asks(network)])


def test_a_metric_of_another_engine_may_be_used_by_a_criterion(network):
    average = Average()

    def criterion(*, pred, **_):
        loss = pred.mean()
        average.update(float(loss))
        return loss

    engine(network, criterion=criterion)


@pytest.mark.parametrize("part", ["labeller", "criterion", "sum", "history"])
def test_mixed_heads_are_refused_wherever_they_are(network, part, tmp_path):
    criterion = MaskedBCE(head="sigmoid" if part == "criterion" else "softmax")
    optimizer = torch.optim.Adam(network.parameters())
    wrong = "sigmoid" if part == "history" else "softmax"
    history = History(tmp_path / "history.csv", optimizer=optimizer, structures={"cup": 1}, head=wrong)
    settings = {
        "labeller": asks(network, head="sigmoid" if part == "labeller" else "softmax"),
        "criterion": WeightedSum({"entropy": EntropyLoss(), "ce": criterion}) if part == "sum" else criterion,
        "handlers": [history],
        "optimizer": optimizer,
    }
    with pytest.raises(ValueError, match=r"Expected one head in all parts of a run, found 'sigmoid' in .* 'softmax'"):
        engine(network, **settings)


def test_one_head_everywhere_is_taken(network):
    engine(network, labeller=asks(network, head="softmax"), criterion=MaskedBCE(head="softmax"))


def test_an_optimizer_of_another_network_is_refused(network):
    with pytest.raises(ValueError, match="found one over those of another; make it from network"):
        engine(network, optimizer=torch.optim.Adam(tiny_network().parameters()))


@pytest.mark.parametrize("part", ["history", "schedule"])
def test_a_handler_that_uses_another_optimizer_is_refused(network, part, tmp_path):
    ours, other = torch.optim.Adam(network.parameters()), torch.optim.Adam(network.parameters())

    def using(optimizer):
        if part == "history":
            return History(tmp_path / "history.csv", optimizer=optimizer, structures={"disc": 0})
        return LrScheduleHandler(torch.optim.lr_scheduler.StepLR(optimizer, 1), print_lr=False)

    with pytest.raises(ValueError, match="to use the optimizer that is given to the engine, found another Adam; give"):
        engine(network, optimizer=ours, handlers=[using(other)])
    engine(network, optimizer=ours, handlers=[using(ours)])


def test_an_optimizer_of_frozen_parameters_needs_a_criterion_that_learns_nothing(network):
    learn_nothing(network)
    with pytest.raises(ValueError, match=r"parameters that require a gradient, found that all 6 are frozen"):
        engine(network)
    engine(network, criterion=NoLoss())


def test_a_network_in_a_parallel_wrapper_is_the_network(network):
    teacher = MeanTeacher(network)
    engine(DataParallel(network), labeller=asks(teacher.network), handlers=[teacher], adapted=teacher.network)
    engine(DataParallel(network), adapted=network)


def test_a_criterion_is_told_what_the_step_lacks(network):
    disalignment = CosineDisalignment(weighting=GradCam())
    with pytest.raises(ValueError, match=r"found MaskedBCE: missing .*'pseudo'; give the engine a labeller"):
        engine(network, criterion=MaskedBCE())
    with pytest.raises(ValueError, match=r"found CosineDisalignment: missing .*'features'; give the engine a feat"):
        engine(network, labeller=asks(network), criterion=WeightedSum({"cosine": disalignment}))
    engine(network, labeller=asks(network), criterion=disalignment, feature_layer="2")


def test_a_loss_of_another_library_is_told_how_to_be_wrapped(network):
    with pytest.raises(ValueError, match=r"found DiceLoss: missing .*'input'; wrap it, as in lambda \*, pred"):
        engine(network, labeller=asks(network), criterion=DiceLoss(sigmoid=True))
    with pytest.raises(ValueError, match=r"ignores the rest \(\*\*_\), found .* unexpected keyword argument 'image'"):
        engine(network, criterion=lambda *, pred: pred.mean())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("labeller", "Expected labeller to be a call that takes images and their cases, found MeanTeacher; use Pseudo"),
        ("views", "Expected views to be a call that takes images, found MeanTeacher; use WeakStrongViews"),
        ("mode", "Expected mode to be a call that takes a network, found MeanTeacher"),
        ("criterion", "Expected a criterion that can be called, found MeanTeacher"),
    ],
)
def test_what_cannot_be_called_is_no_part_of_a_step(network, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        engine(network, **{name: MeanTeacher(network)})


def test_the_delivered_network_must_be_in_the_run(network):
    teacher = MeanTeacher(network)
    engine(network, adapted=network)
    with pytest.raises(ValueError, match=r"Expected the network to deliver \(adapted\) to be the one that adapts"):
        engine(network, adapted=teacher.network)
    with pytest.raises(ValueError, match="found a Conv2d that this run does not change"):
        engine(network, adapted=network[0])


def test_a_network_elsewhere_is_refused(network):
    with pytest.raises(ValueError, match="on the device of the engine, cpu, found Sequential on meta; move it there"):
        engine(network.to("meta"))


def test_the_recipe_of_the_tests_is_taken():
    tiny_cbmt(handlers=[EpochSeed(1)])


def test_an_observer_is_no_network_and_a_network_no_observer(network):
    class Asked(nn.Module):
        def forward(self, image, case):
            return image

    PseudoLabeller(Asked())
    with pytest.raises(ValueError, match=r"found Sequential; wrap a network in Observe\(network\)"):
        PseudoLabeller(network)
    with pytest.raises(ValueError, match=r"found MeanTeacher; give its network, as in teacher\.network"):
        Observe(MeanTeacher(network))
    with pytest.raises(ValueError, match=r"which take a pseudo-label and its evidence, found float; use one such as"):
        PseudoLabeller(Observe(network), refiners=[0.75])


def test_what_is_no_network_and_no_optimizer_is_named(network):
    with pytest.raises(
        ValueError, match="Expected a torch Module, found the class Conv2d; give a network that was made"
    ):
        engine(nn.Conv2d, optimizer=torch.optim.Adam(network.parameters()))
    with pytest.raises(ValueError, match=r"Expected a torch Optimizer, found the class Adam; give one such as"):
        engine(network, optimizer=torch.optim.Adam)
