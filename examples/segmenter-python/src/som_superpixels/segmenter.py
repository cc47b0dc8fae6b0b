"""The algorithm: Felzenszwalb's graph-based segmentation, as scikit-image has it.

Felzenszwalb and Huttenlocher, "Efficient Graph-Based Image Segmentation", IJCV 2004.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import regionprops
from skimage.segmentation import felzenszwalb

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "scale": {
            "type": "number",
            "minimum": 1,
            "maximum": 100_000,
            "default": 300,
            "description": "Higher means larger regions.",
        },
        "sigma": {
            "type": "number",
            "minimum": 0,
            "maximum": 10,
            "default": 0.8,
            "description": "Standard deviation in pixels of the blur that comes first.",
        },
        "min_area": {
            "type": "integer",
            "minimum": 1,
            "default": 400,
            "description": "Smaller regions are joined to a neighbour.",
        },
    },
}
"""JSON Schema of the parameters."""


@dataclass(frozen=True)
class Segment:
    """One region: its box, and its pixels inside the box."""

    x: int
    y: int
    mask: npt.NDArray[np.bool_]


class Cancelled(Exception):
    """Nobody waits for the result any more."""


def segment(
    pixels: npt.NDArray[np.uint8],
    scale: float,
    sigma: float,
    min_area: int,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Segment]:
    """The regions of an RGB image of shape (height, width, 3), the largest first."""
    labels = felzenszwalb(pixels, scale=scale, sigma=sigma, min_size=min_area, channel_axis=2)
    if is_cancelled():
        raise Cancelled
    # regionprops leaves label 0 out.
    regions = regionprops(labels + 1)  # type: ignore[no-untyped-call]
    for region in sorted(regions, key=lambda region: -region.area):
        top, left, _, _ = region.bbox
        yield Segment(x=int(left), y=int(top), mask=region.image)
        if is_cancelled():
            raise Cancelled
