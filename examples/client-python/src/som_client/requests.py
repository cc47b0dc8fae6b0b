"""Requests, from what a Python caller gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from google.protobuf import json_format, struct_pb2

from som.v1 import som_pb2, types_pb2

from . import images
from .images import ImageLike
from .types import Region

Params: TypeAlias = Mapping[str, Any]
Styles: TypeAlias = Sequence[str | tuple[str, Params]]
"""Mark style ids, the lowest layer first; with parameters as `("number", {"font_size": 20})`."""
Format: TypeAlias = Literal["png", "jpeg", "webp", "raw", "none"]


def segment(image: ImageLike, segmenter: str, params: Params | None) -> som_pb2.SegmentRequest:
    return som_pb2.SegmentRequest(
        image=images.to_wire(image), segmenter=segmenter, params=struct(params)
    )


def mark(
    image: ImageLike,
    segmenter: str = "",
    params: Params | None = None,
    regions: Iterable[Region] | None = None,
    styles: Styles = (),
    page_size: int | None = None,
    max_marks: int | None = None,
    format: Format = "png",
) -> som_pb2.MarkRequest:
    """A request to mark an image.

    `regions` are marked in place of what the segmenter would find; `page_size` and `max_marks`
    limit the marks on one page and altogether.
    """
    given = None
    if regions is not None:
        given = types_pb2.RegionList(regions=[region.to_wire() for region in regions])
    return som_pb2.MarkRequest(
        image=images.to_wire(image),
        segmenter=segmenter,
        params=struct(params),
        regions=given,
        styles=[_layer(style) for style in styles],
        page_size=page_size,
        max_marks=max_marks,
        format=f"PICTURE_FORMAT_{format.upper()}",
    )


def struct(params: Params | None) -> struct_pb2.Struct:
    """Parameters as they travel."""
    return json_format.ParseDict(dict(params or {}), struct_pb2.Struct())


def _layer(style: str | tuple[str, Params]) -> types_pb2.StyleLayer:
    if isinstance(style, str):
        return types_pb2.StyleLayer(id=style)
    name, params = style
    return types_pb2.StyleLayer(id=name, params=struct(params))
