from __future__ import annotations

import pytest
import torch
from monai.metrics import SurfaceDistanceMetric, compute_hausdorff_distance

from monai_sfda.metrics import surface_distances

CONVENTIONS = ("assd_pooled", "assd_mean_of_directed")


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
    distance = surface_distances(pixels((4, 1)), pixels((4, 4)))
    assert distance[convention].item() == 3


def test_the_conventions_differ_on_one_pixel_against_two():
    # Directed distances: {0} from the one, {0, 4} from the two; means 0 and 2.
    distance = surface_distances(pixels((4, 0)), pixels((4, 0), (4, 4)))
    assert distance["assd_mean_of_directed"].item() == 1
    assert distance["assd_pooled"].item() == pytest.approx(4 / 3)


def test_only_edges_count():
    # A filled and a hollow square have the same outer edge; the hollow one adds no edge pixel of its own.
    filled = torch.zeros(1, 1, 7, 7)
    filled[..., 1:4, 1:4] = 1
    hollow = filled.clone()
    hollow[..., 2, 2] = 0
    assert surface_distances(filled, hollow)["assd_pooled"].item() == 0


@pytest.mark.parametrize(("spacing", "expected"), [((5.0, 1.0), 4.0), ((1.0, 5.0), 20.0), (0.5, 2.0)])
def test_spacing_stretches_each_axis(spacing, expected):
    # The pixels lie four apart along the last axis.
    distance = surface_distances(pixels((4, 0)), pixels((4, 4)), spacing=spacing)
    assert distance["assd_pooled"].item() == expected


def test_spacing_chooses_the_nearest_pixel():
    # Seen from (4, 4) the reference lies 2 rows below and 3 columns beside: in pixels 2 is nearer, with rows of 10 it
    # is 3. Back: 2 and 3 pixels, or 20 and 3.
    pred, reference = pixels((4, 4)), pixels((6, 4), (4, 7))
    assert surface_distances(pred, reference)["assd_mean_of_directed"].item() == (2 + 2.5) / 2
    assert surface_distances(pred, reference, spacing=(10, 1))["assd_mean_of_directed"].item() == (3 + 11.5) / 2


def test_distance_works_in_three_dimensions():
    pred, reference = pixels((0, 0, 0), shape=(4, 4, 4)), pixels((3, 0, 0), shape=(4, 4, 4))
    assert surface_distances(pred, reference, spacing=(2, 1, 1))["assd_pooled"].item() == 6


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_distance_is_symmetric_and_scales_with_spacing(convention):
    pred, reference = blobs(0), blobs(1)
    distance = surface_distances(pred, reference)[convention]
    # Single distances are float32 roots; their float64 means inherit 1e-7.
    swapped = surface_distances(reference, pred)[convention]
    torch.testing.assert_close(swapped, distance, rtol=1e-6, atol=0)
    tripled = surface_distances(pred, reference, spacing=3)[convention]
    torch.testing.assert_close(tripled, 3 * distance, rtol=1e-6, atol=0)
    assert (distance > 0).all()
    assert (surface_distances(pred, pred)[convention] == 0).all()


def test_pooled_is_monais_symmetric_distance_with_its_first_channel():
    pred, reference = blobs(2), blobs(3)
    monai = SurfaceDistanceMetric(include_background=True, symmetric=True)(pred, reference, spacing=(1.0, 2.0))
    ours = surface_distances(pred, reference, spacing=(1.0, 2.0))["assd_pooled"]
    # MONAI averages in float32.
    torch.testing.assert_close(ours.float(), monai, rtol=1e-5, atol=0)


def test_mean_of_directed_is_the_mean_of_monais_two_directions():
    pred, reference = blobs(4), blobs(5)
    directed = SurfaceDistanceMetric(include_background=True, symmetric=False)
    monai = (directed(pred, reference) + directed(reference, pred)) / 2
    ours = surface_distances(pred, reference)["assd_mean_of_directed"]
    torch.testing.assert_close(ours.float(), monai, rtol=1e-5, atol=0)


@pytest.mark.parametrize("shape", [(2, 2, 24, 20), (2, 2, 7, 24, 20)], ids=["2D", "3D"])
def test_hd95_is_that_of_monai(shape):
    spacing = [8.0, 1.5, 1.25][-len(shape) + 2 :]
    generator = torch.Generator().manual_seed(3)
    pred, reference = ((torch.rand(shape, generator=generator) > 0.9).float() for _ in range(2))
    found = surface_distances(pred, reference, spacing=spacing)
    expected = compute_hausdorff_distance(pred, reference, include_background=True, percentile=95, spacing=spacing)
    torch.testing.assert_close(found["hd95"], expected.double(), atol=1e-5, rtol=1e-5)


def test_hd95_is_the_farther_way():
    found = surface_distances(pixels((4, 0)), pixels((4, 0), (4, 4)))
    assert found["hd95"].item() == pytest.approx(0.95 * 4)
    assert surface_distances(pixels((4, 0), (4, 4)), pixels((4, 0)))["hd95"].item() == pytest.approx(0.95 * 4)
    assert surface_distances(pixels(), pixels((4, 0)))["hd95"].isnan().all()


def test_an_empty_mask_is_nan_never_a_number():
    empty, full = torch.zeros(1, 1, 5, 5), torch.ones(1, 1, 5, 5)
    for pred, reference in ((empty, full), (full, empty), (empty, empty)):
        assert all(value.isnan().all() for value in surface_distances(pred, reference).values())


def test_the_first_channel_counts():
    pred = torch.cat([pixels((4, 1)), pixels((4, 4))], dim=1)
    reference = torch.cat([pixels((4, 4)), pixels((4, 4))], dim=1)
    assert surface_distances(pred, reference)["assd_pooled"].tolist() == [[3, 0]]
