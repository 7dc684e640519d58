import pytest
import torch

from monai_sfda.networks import track_stats
from monai_sfda.pseudo import (
    CachedEvidence,
    ClassThreshold,
    ConfidentCorrection,
    FitRefiners,
    LabelStore,
    MonteCarlo,
    Observe,
    PseudoLabeller,
    Threshold,
)


@pytest.fixture
def opinion(tmp_path, network):
    (tmp_path / "model.pt").write_bytes(b"weights")
    store = LabelStore(tmp_path / "labels", weights=tmp_path / "model.pt", images=[], parameters=None)
    return CachedEvidence(MonteCarlo(network), store)


def test_refiners_are_fitted_in_order_each_on_what_the_ones_before_made_of_the_labels(cbmt, network):
    seen = []

    class First:
        fitted = False

        def study(self, pseudo, evidence):
            seen.append(("first", pseudo.label.unique().numel() > 2))

        def fit(self):
            self.fitted = True

        def __call__(self, pseudo, evidence):
            assert self.fitted
            return pseudo._replace(label=torch.zeros_like(pseudo.label))

    class Second(First):
        def study(self, pseudo, evidence):
            seen.append(("second", pseudo.label.unique().tolist()))

    labeller = PseudoLabeller(Observe(network), refiners=[First(), Threshold(cutoff=0.5), Second()])
    trainer, *_ = cbmt(network)
    FitRefiners(labeller)(trainer)
    assert [name for name, _ in seen] == ["first"] * 2 + ["second"] * 2
    assert seen[0][1]


def test_reconstructed_denoising_runs_with_a_second_opinion(cbmt, network, opinion):
    coarse, fine = ClassThreshold(), ConfidentCorrection(opinion=opinion)
    source = MonteCarlo(network).network.eval()
    labeller = PseudoLabeller(Observe(source), refiners=[coarse, fine])
    trainer, *_ = cbmt(network, labeller=labeller, handlers=[opinion, FitRefiners(labeller)], epochs=2)
    trainer.run()
    assert coarse.cutoffs.shape == (2,)
    assert trainer.state.output["loss"] == trainer.state.output["loss"]


def test_errors_are_found_where_the_second_opinion_differs(cbmt, network, opinion):
    # Statistics of other images: the source in evaluation mode and with batch statistics disagree.
    network[1].running_mean += torch.linspace(-1, 1, 8)
    opinion.ask = MonteCarlo(network, mode=track_stats)
    fine = ConfidentCorrection(opinion=opinion)
    labeller = PseudoLabeller(Observe(MonteCarlo(network).network.eval()), refiners=[ClassThreshold(), fine])
    trainer, *_ = cbmt(network)
    opinion.fill(trainer)
    FitRefiners(labeller)(trainer)
    pseudo = next(trainer.observe_all(labeller))
    soft = (pseudo.label > 0) & (pseudo.label < 1)
    assert soft.any()
    assert ((pseudo.weight >= 0) & (pseudo.weight <= 1)).all()
