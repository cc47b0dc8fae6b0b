"""Requests, from what a Python caller gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, Unpack

from google.protobuf import json_format, struct_pb2

from som.v1 import ask_pb2, som_pb2, types_pb2

from . import images, tasks
from .images import ImageLike, Kept
from .tasks import Task
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


class AskOptions(TypedDict, total=False):
    """How a question is asked; what is left out is the server's choice."""

    lmm: str
    """The model, by its name in the server's settings."""
    segmenter: str
    params: Params | None
    """The segmenter's parameters, hints among them."""
    styles: Styles
    template: str
    """The words of the prompt, by name, such as "som-bench-labelling"."""
    clean: bool
    """Show the model each image without marks, too."""
    table: bool
    """Give the model a table of the regions, too."""
    votes: int
    """How often to ask, each time with other labels and colours."""
    max_tokens: int
    max_cost: float
    """In US dollars."""
    format: Format
    """Of the pages that come with the answer: "none" if left out."""


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
        format=_format(options.get("format", "png")),
    )


def ask(
    images_: Iterable[ImageLike], question: str | Task, **options: Unpack[AskOptions]
) -> som_pb2.AskRequest:
    return som_pb2.AskRequest(
        images=[
            ask_pb2.AskImage(
                # A stream cannot ask for the image again, so it is always sent.
                image=images.to_wire(image.data if isinstance(image, Kept) else image),
                segmenter=options.get("segmenter", ""),
                params=struct(options.get("params")),
            )
            for image in images_
        ],
        task=tasks.ask(question) if isinstance(question, str) else question,
        styles=[_layer(style) for style in options.get("styles", ())],
        lmm=options.get("lmm", ""),
        template=options.get("template", ""),
        clean=options.get("clean", False),
        table=options.get("table", False),
        votes=options.get("votes", 1),
        budget=ask_pb2.Budget(
            max_tokens=options.get("max_tokens", 0), max_cost=options.get("max_cost", 0.0)
        ),
        format=_format(options.get("format", "none")),
    )


def struct(params: Params | None) -> struct_pb2.Struct:
    """Parameters as they travel."""
    return json_format.ParseDict(dict(params or {}), struct_pb2.Struct())


def _format(name: Format) -> str:
    return f"PICTURE_FORMAT_{name.upper()}"


def _layer(style: str | tuple[str, Params]) -> types_pb2.StyleLayer:
    if isinstance(style, str):
        return types_pb2.StyleLayer(id=style)
    name, params = style
    return types_pb2.StyleLayer(id=name, params=struct(params))
