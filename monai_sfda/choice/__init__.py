"""Choosing between networks with a handful of outlines: which images to outline, what is gained, what to do.

Arithmetic alone: no images, no PyTorch. A command goes through it in this order::

    draws = draw_order({case: disagreement in [0, 1]}, seed=0)      # once; kept beside the run
    order = [draw.case for draw in draws]                           # "outline these, in this order"

    n = Rule().reached(outlined, total)                             # those of the last look
    done = draws[:n]
    gains = {"dpl": case_gains(dice_of_dpl, dice_of_source).values, ...}  # of these n images, in this order
    pulled = pull(gains, weights=weights(done, total), total=total)
    gains = {name: estimate_gain(values, total=total) for name, values in pulled.items()}
    decision = decide("cup", gains, total=total, rule=Rule())
    decision.action, decision.candidate, decision.more              # "adopt", "dpl", 0
    decision.sentence()     # adopt dpl: the cup gained 3.6 points (-1.0 to 8.2) on 10 outlines

Structures that exclude each other (softmax) are decided together: `decide_jointly`. ``total`` is the number of images
that may be drawn; the gains hold for these.
"""

from monai_sfda.choice.bounds import Interval, interval, lower_bound, stated, upper_bound
from monai_sfda.choice.decide import Decision, decide, decide_jointly, is_safe
from monai_sfda.choice.draw import Draw, draw_order, drawn_in_order, weights
from monai_sfda.choice.estimate import Gain, estimate_gain
from monai_sfda.choice.gains import CaseGains, case_gains
from monai_sfda.choice.pull import pull
from monai_sfda.choice.rule import Rule

__all__ = [
    "CaseGains",
    "Decision",
    "Draw",
    "Gain",
    "Interval",
    "Rule",
    "case_gains",
    "decide",
    "decide_jointly",
    "draw_order",
    "drawn_in_order",
    "estimate_gain",
    "interval",
    "is_safe",
    "lower_bound",
    "pull",
    "stated",
    "upper_bound",
    "weights",
]
