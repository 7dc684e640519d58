from __future__ import annotations

import pytest
import torch
from monai.metrics import SurfaceDistanceMetric, compute_hausdorff_distance

from monai_sfda.metrics import (
    CONVENTIONS,
    SymmetricSurfaceDistanceMetric,
    average_symmetric_distance,
    surface_distances,
)


def pixels(*where: tuple[int, ...], shape: tuple[int, ...] = (9, 9)) -> torch.Tensor:
    mask = torch.zeros(1, 1, *shape)
    for index in where:
        mask[(0, 0, *index)] = 1
    return mask


def blobs(seed: int, shape: tuple[int, ...] = (3, 2, 24, 20)) -> torch.Tensor:
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(noise, 5, stride=1, padding=2)
    return (smooth > 0.5).float()


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_two_pixels_three_apart_are_three_apart(convention):
    distance = average_symmetric_distance(pixels((4, 1)), pixels((4, 4)))
    assert distance[convention].item() == 3


def test_the_conventions_differ_on_one_pixel_against_two():
    # Directed distances: {0} from the one, {0, 4} from the two; means 0 and 2.
    distance = average_symmetric_distance(pixels((4, 0)), pixels((4, 0), (4, 4)))
    assert distance["mean_of_directed"].item() == 1
    assert distance["pooled"].item() == pytest.approx(4 / 3)


def test_only_edges_count():
    # A filled and a hollow square have the same outer edge; the hollow one adds no edge pixel of its own.
    filled = torch.zeros(1, 1, 7, 7)
    filled[..., 1:4, 1:4] = 1
    hollow = filled.clone()
    hollow[..., 2, 2] = 0
    assert average_symmetric_distance(filled, hollow)["pooled"].item() == 0


@pytest.mark.parametrize(("spacing", "expected"), [((5.0, 1.0), 4.0), ((1.0, 5.0), 20.0), (0.5, 2.0)])
def test_spacing_stretches_each_axis(spacing, expected):
    # The pixels lie four apart along the last axis.
    distance = average_symmetric_distance(pixels((4, 0)), pixels((4, 4)), spacing=spacing)
    assert distance["pooled"].item() == expected


def test_spacing_chooses_the_nearest_pixel():
    # Seen from (4, 4) the reference lies 2 rows below and 3 columns beside: in pixels 2 is nearer, with rows of 10 it
    # is 3. Back: 2 and 3 pixels, or 20 and 3.
    pred, reference = pixels((4, 4)), pixels((6, 4), (4, 7))
    assert average_symmetric_distance(pred, reference)["mean_of_directed"].item() == (2 + 2.5) / 2
    assert average_symmetric_distance(pred, reference, spacing=(10, 1))["mean_of_directed"].item() == (3 + 11.5) / 2


def test_each_case_may_have_its_own_spacing():
    pred, reference = pixels((4, 0)).repeat(2, 1, 1, 1), pixels((4, 4)).repeat(2, 1, 1, 1)
    distance = average_symmetric_distance(pred, reference, spacing=[[1, 1], [1, 3]])
    assert distance["pooled"].flatten().tolist() == [4, 12]


def test_distance_works_in_three_dimensions():
    pred, reference = pixels((0, 0, 0), shape=(4, 4, 4)), pixels((3, 0, 0), shape=(4, 4, 4))
    assert average_symmetric_distance(pred, reference, spacing=(2, 1, 1))["pooled"].item() == 6


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_distance_is_symmetric_and_scales_with_spacing(convention):
    pred, reference = blobs(0), blobs(1)
    distance = average_symmetric_distance(pred, reference)[convention]
    # Single distances are float32 roots; their float64 means inherit 1e-7.
    swapped = average_symmetric_distance(reference, pred)[convention]
    torch.testing.assert_close(swapped, distance, rtol=1e-6, atol=0)
    tripled = average_symmetric_distance(pred, reference, spacing=3)[convention]
    torch.testing.assert_close(tripled, 3 * distance, rtol=1e-6, atol=0)
    assert (distance > 0).all()
    assert (average_symmetric_distance(pred, pred)[convention] == 0).all()


def test_pooled_is_monais_symmetric_distance_with_its_first_channel():
    pred, reference = blobs(2), blobs(3)
    monai = SurfaceDistanceMetric(include_background=True, symmetric=True)(pred, reference, spacing=(1.0, 2.0))
    ours = average_symmetric_distance(pred, reference, spacing=(1.0, 2.0))["pooled"]
    # MONAI averages in float32.
    torch.testing.assert_close(ours.float(), monai, rtol=1e-5, atol=0)


def test_mean_of_directed_is_the_mean_of_monais_two_directions():
    pred, reference = blobs(4), blobs(5)
    directed = SurfaceDistanceMetric(include_background=True, symmetric=False)
    monai = (directed(pred, reference) + directed(reference, pred)) / 2
    ours = average_symmetric_distance(pred, reference)["mean_of_directed"]
    torch.testing.assert_close(ours.float(), monai, rtol=1e-5, atol=0)


@pytest.mark.parametrize("shape", [(2, 2, 24, 20), (2, 2, 7, 24, 20)], ids=["2D", "3D"])
def test_all_distances_at_once_are_those_of_monai(shape):
    spacing = [8.0, 1.5, 1.25][-len(shape) + 2 :]
    generator = torch.Generator().manual_seed(3)
    pred, reference = ((torch.rand(shape, generator=generator) > 0.9).float() for _ in range(2))
    found = surface_distances(pred, reference, spacing=spacing)
    expected = compute_hausdorff_distance(pred, reference, include_background=True, percentile=95, spacing=spacing)
    torch.testing.assert_close(found["hd95"], expected.double(), atol=1e-5, rtol=1e-5)
    for name, value in average_symmetric_distance(pred, reference, spacing=spacing).items():
        assert torch.equal(found[f"assd_{name}"], value)


def test_hd95_is_the_farther_way():
    found = surface_distances(pixels((4, 0)), pixels((4, 0), (4, 4)))
    assert found["hd95"].item() == pytest.approx(0.95 * 4)
    assert surface_distances(pixels((4, 0), (4, 4)), pixels((4, 0)))["hd95"].item() == pytest.approx(0.95 * 4)
    assert surface_distances(pixels(), pixels((4, 0)))["hd95"].isnan().all()


def test_an_empty_mask_is_nan_never_a_number():
    empty, full = torch.zeros(1, 1, 5, 5), torch.ones(1, 1, 5, 5)
    for pred, reference in ((empty, full), (full, empty), (empty, empty)):
        assert all(value.isnan().all() for value in average_symmetric_distance(pred, reference).values())


def test_an_unknown_convention_is_refused():
    with pytest.raises(ValueError, match="pooled, mean_of_directed, found 'symmetric'"):
        SymmetricSurfaceDistanceMetric("symmetric")


def test_the_metric_averages_what_it_can_and_counts_what_it_skips():
    metric = SymmetricSurfaceDistanceMetric("pooled")
    metric(pixels((4, 1)), pixels((4, 4)))
    metric(pixels((4, 1)), pixels((4, 2)))
    metric(torch.zeros(1, 1, 9, 9), pixels((4, 2)))
    assert metric.aggregate().item() == 2
    assert metric.skipped == 1


def test_a_metric_that_skipped_everything_is_nan_not_zero():
    metric = SymmetricSurfaceDistanceMetric("pooled")
    metric(torch.zeros(2, 2, 5, 5), torch.ones(2, 2, 5, 5))
    assert metric.aggregate().isnan()
    assert metric.aggregate("mean_batch").isnan().all()
    assert metric.skipped == 4


def test_the_metric_takes_lists_of_cases_of_different_size_and_spacing():
    metric = SymmetricSurfaceDistanceMetric("mean_of_directed", reduction="none")
    pred = [pixels((0, 0))[0], pixels((0, 0), shape=(5, 6))[0]]
    reference = [pixels((3, 0))[0], pixels((0, 2), shape=(5, 6))[0]]
    metric(pred, reference, spacing=[[1.0, 1.0], [1.0, 0.5]])
    assert metric.aggregate().flatten().tolist() == [3, 1]


def test_the_first_channel_counts():
    pred = torch.cat([pixels((4, 1)), pixels((4, 4))], dim=1)
    reference = torch.cat([pixels((4, 4)), pixels((4, 4))], dim=1)
    metric = SymmetricSurfaceDistanceMetric("pooled", reduction="mean_batch")
    metric(pred, reference)
    assert metric.aggregate().tolist() == [3, 0]
