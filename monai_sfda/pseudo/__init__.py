"""Where pseudo-labels come from and how they get better."""

from monai_sfda.pseudo.balance import BalanceBackground, uncertain_sums
from monai_sfda.pseudo.labeller import PseudoLabeller
from monai_sfda.pseudo.observe import Observe
from monai_sfda.pseudo.threshold import Threshold

__all__ = ["BalanceBackground", "Observe", "PseudoLabeller", "Threshold", "uncertain_sums"]
