"""Make pseudo-labels and refine them."""

from monai_sfda.pseudo.balance import BalanceBackground, WeighBackground, uncertain_sums
from monai_sfda.pseudo.cached import Cached, CachedEvidence
from monai_sfda.pseudo.cam_weights import ChannelWeights, FixedWeights, GradCam, RandomWeights
from monai_sfda.pseudo.class_threshold import ClassThreshold, class_thresholds
from monai_sfda.pseudo.confident_learning import ConfidentCorrection, certainty, confident_joint, error_bins
from monai_sfda.pseudo.confident_only import ConfidentOnly
from monai_sfda.pseudo.denoise import Denoise
from monai_sfda.pseudo.fit import FitRefiners, Fitted
from monai_sfda.pseudo.gradient_guided import GradientGuided
from monai_sfda.pseudo.histogram import histogram, probability_bin
from monai_sfda.pseudo.labeller import PseudoLabeller
from monai_sfda.pseudo.low_spread_only import LowSpreadOnly
from monai_sfda.pseudo.monte_carlo import MonteCarlo
from monai_sfda.pseudo.observe import Observe
from monai_sfda.pseudo.prototype import PrototypeAgreement, prototype_label, prototypes
from monai_sfda.pseudo.prototype_bank import PrototypeBank, class_sums
from monai_sfda.pseudo.prototype_file import load_prototypes, measure_prototypes, prototype_place
from monai_sfda.pseudo.store import LabelStore
from monai_sfda.pseudo.threshold import Threshold

__all__ = [
    "BalanceBackground",
    "Cached",
    "CachedEvidence",
    "ChannelWeights",
    "ClassThreshold",
    "ConfidentCorrection",
    "ConfidentOnly",
    "Denoise",
    "FitRefiners",
    "Fitted",
    "FixedWeights",
    "GradCam",
    "GradientGuided",
    "LabelStore",
    "LowSpreadOnly",
    "MonteCarlo",
    "Observe",
    "PrototypeAgreement",
    "PrototypeBank",
    "PseudoLabeller",
    "RandomWeights",
    "Threshold",
    "WeighBackground",
    "certainty",
    "class_sums",
    "class_thresholds",
    "confident_joint",
    "error_bins",
    "histogram",
    "load_prototypes",
    "measure_prototypes",
    "probability_bin",
    "prototype_label",
    "prototype_place",
    "prototypes",
    "uncertain_sums",
]
