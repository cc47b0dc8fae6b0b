"""The algorithm alone."""

import numpy as np
import pytest

from som_superpixels.segmenter import Cancelled, segment


def halves() -> np.ndarray:
    """A dark half and a bright half."""
    pixels = np.full((40, 60, 3), 20, np.uint8)
    pixels[:, 24:] = 220
    return pixels


def test_two_flat_halves_are_two_regions() -> None:
    regions = list(segment(halves(), scale=100, sigma=0, min_area=20))
    assert [(region.x, region.y, region.mask.shape) for region in regions] == [
        (24, 0, (40, 36)),
        (0, 0, (40, 24)),
    ]
    assert all(region.mask.all() for region in regions)


def test_regions_cover_the_image_once() -> None:
    pixels = np.random.default_rng(7).integers(0, 255, (50, 70, 3), np.uint8)
    covered = np.zeros(pixels.shape[:2], int)
    for region in segment(pixels, scale=50, sigma=0.5, min_area=10):
        height, width = region.mask.shape
        covered[region.y : region.y + height, region.x : region.x + width] += region.mask
    assert (covered == 1).all()


def test_a_cancelled_call_stops() -> None:
    with pytest.raises(Cancelled):
        list(segment(halves(), scale=100, sigma=0, min_area=20, is_cancelled=lambda: True))
