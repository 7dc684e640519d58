import math

import torch

from monai_sfda.losses.means import Means


def test_a_mean_is_of_the_steps_since_it_was_last_asked():
    means = Means()
    means.add(gap=torch.tensor(1.0, requires_grad=True), share=torch.tensor(0.5))
    means.add(gap=torch.tensor(2.0))
    assert means.take("gap") == 1.5
    assert means.take("share") == 0.5
    assert math.isnan(means.take("gap"))
