"""Requests, from what a Python caller gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from google.protobuf import json_format, struct_pb2

from som.v1 import som_pb2, types_pb2

from . import images
from .images import ImageLike
from .types import Region

Params: TypeAlias = Mapping[str, Any]
Styles: TypeAlias = Sequence[str | tuple[str, Params]]
"""Mark style ids, the lowest layer first; with parameters as `("number", {"font_size": 20})`."""
Format: TypeAlias = Literal["png", "jpeg", "webp", "raw", "none"]


class MarkOptions(TypedDict, total=False):
    """How an image is marked; what is left out is the server's choice."""

    segmenter: str
    params: Params | None
    """The segmenter's parameters, hints among them."""
    regions: Iterable[Region] | None
    """Marked in place of what the segmenter would find."""
    styles: Styles
    page_size: int | None
    """Marks on one page at most; 0 for as many as fit."""
    max_marks: int | None
    """Marks altogether at most."""
    format: Format
    """Of the pages: "png" if left out."""


def segment(image: ImageLike, segmenter: str, params: Params | None) -> som_pb2.SegmentRequest:
    return som_pb2.SegmentRequest(
        image=images.to_wire(image), segmenter=segmenter, params=struct(params)
    )


def mark(image: ImageLike, **options: Unpack[MarkOptions]) -> som_pb2.MarkRequest:
    regions = options.get("regions")
    given = None
    if regions is not None:
        given = types_pb2.RegionList(regions=[region.to_wire() for region in regions])
    return som_pb2.MarkRequest(
        image=images.to_wire(image),
        segmenter=options.get("segmenter", ""),
        params=struct(options.get("params")),
        regions=given,
        styles=[_layer(style) for style in options.get("styles", ())],
        page_size=options.get("page_size"),
        max_marks=options.get("max_marks"),
        format=f"PICTURE_FORMAT_{options.get('format', 'png').upper()}",
    )


def struct(params: Params | None) -> struct_pb2.Struct:
    """Parameters as they travel."""
    return json_format.ParseDict(dict(params or {}), struct_pb2.Struct())


def _layer(style: str | tuple[str, Params]) -> types_pb2.StyleLayer:
    if isinstance(style, str):
        return types_pb2.StyleLayer(id=style)
    name, params = style
    return types_pb2.StyleLayer(id=name, params=struct(params))
