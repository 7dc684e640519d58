import torch

from monai_sfda.metrics import largest_component_share, soft_dice_confidence


def test_soft_dice_confidence_by_hand():
    probs = torch.tensor([[[0.9, 0.8, 0.1, 0.2]]])
    # 2 * (0.9 + 0.8) / (2.0 + 2)
    torch.testing.assert_close(soft_dice_confidence(probs, probs > 0.5), torch.tensor([[0.85]]))


def test_a_certain_prediction_has_confidence_one_and_an_empty_one_none():
    probs = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]])
    confidence = soft_dice_confidence(probs, probs > 0.5)
    assert confidence[0].item() == 1.0
    assert confidence[1].isnan()


def test_share_of_the_largest_piece_by_hand():
    mask = torch.zeros(1, 2, 5, 7, dtype=torch.bool)
    mask[0, 0, 0, :3] = True  # three pixels, and far from them
    mask[0, 0, 4, 6] = True  # one
    share = largest_component_share(mask)
    assert share[0, 0].item() == 0.75
    assert share[0, 1].isnan()
