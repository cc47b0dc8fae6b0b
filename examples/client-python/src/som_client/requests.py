"""Requests, from what a Python caller gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, Unpack

import numpy as np
from google.protobuf import json_format, struct_pb2

from som.v1 import ask_pb2, som_pb2, types_pb2

from . import images, tasks
from .images import ImageLike, Kept
from .tasks import Task
from .types import MarkOptions, Region

Params: TypeAlias = Mapping[str, Any]
Styles: TypeAlias = Sequence[str | tuple[str, Params]]
"""Mark style ids, the lowest layer first; with parameters as `("number", {"font_size": 20})`."""
Format: TypeAlias = Literal["png", "jpeg", "webp", "raw", "none"]


@dataclass(frozen=True)
class Refinement:
    """Has each region cut anew by a segmenter, which gets it as a hint.

    Labels, scores and ids stay. A region of which the refiner finds nothing stays what it is.
    """

    segmenter: str
    """The id of the refiner: one that takes boxes, points or masks."""
    params: Params | None = None
    """Its parameters, without hints."""
    hint: Literal["", "box", "point", "mask"] = ""
    """What it is told of each region; empty for what suits."""


class MarkArguments(MarkOptions, total=False):
    """How an image is marked; what is left out is the server's choice."""

    segmenter: str
    granularity: float | None
    """In place of a segmenter, what chooses one and its level: 1, the coarsest, to 3."""
    params: Params | None
    """The segmenter's parameters, hints among them."""
    regions: Iterable[Region] | None
    """Marked in place of what the segmenter would find."""
    refine: str | Refinement | None
    """Who cuts each region anew, those of `regions` as well."""
    styles: Styles
    format: Format
    """Of the pages: "png" if left out."""


class AskArguments(MarkOptions, total=False):
    """How a question is asked; what is left out is the server's choice."""

    lmm: str
    """The model, by its name in the server's settings."""
    segmenter: str
    granularity: float | None
    """In place of a segmenter, what chooses one and its level: 1, the coarsest, to 3."""
    params: Params | None
    """The segmenter's parameters, hints among them."""
    regions: Sequence[Iterable[Region] | None]
    """By image, what is marked in place of what the segmenter would find; None for what it finds."""
    refine: str | Refinement | None
    """Who cuts each region anew, those of `regions` as well."""
    styles: Styles
    template: str | None
    """The words of the prompt by the name of a template, such as "som-bench-labelling"."""
    words: str | None
    """The words of the prompt themselves, with fields such as {question}; what stands above a line
    of "---" goes to the system."""
    clean: bool
    """Show the model each image without marks, too."""
    table: bool
    """Give the model a table of the regions, too."""
    history: Iterable[tuple[str, str]]
    """Questions and answers so far, about the same images."""
    structured: bool | None
    """Whether the answer keeps to a JSON schema; None for where that helps."""
    votes: int
    """How often to ask, each time with other labels and colours."""
    max_tokens: int
    """Of all answers together; 0 for the model's own limits."""
    max_rounds: int
    """How often to ask for one answer: 2, the default, lets the model mend one that names marks
    which are not there."""
    max_cost: float
    """The most that all requests may cost, in US dollars, estimated before each; 0 for no limit."""
    format: Format
    """Of the pages that come with the answer: "none" if left out."""


def segment(
    image: ImageLike,
    segmenter: str,
    params: Params | None,
    granularity: float | None = None,
    refine: str | Refinement | None = None,
) -> som_pb2.SegmentRequest:
    return som_pb2.SegmentRequest(
        image=images.to_wire(image),
        segmenter=segmenter,
        params=struct(params),
        granularity=granularity,
        refine=refinement(refine),
    )


def mark(image: ImageLike, **options: Unpack[MarkArguments]) -> som_pb2.MarkRequest:
    return som_pb2.MarkRequest(
        image=images.to_wire(image),
        segmenter=options.get("segmenter", ""),
        params=struct(options.get("params")),
        granularity=options.get("granularity"),
        regions=_regions(options.get("regions")),
        refine=refinement(options.get("refine")),
        styles=[layer(style) for style in options.get("styles", ())],
        options=mark_options(options),
        format=format_to_wire(options.get("format", "png")),
    )


def ask(
    images_: Iterable[ImageLike], question: str | Task, **options: Unpack[AskArguments]
) -> som_pb2.AskRequest:
    if options.get("template") is not None and options.get("words") is not None:
        raise ValueError("a prompt has a template or words, not both")
    given = list(images_)
    regions = options.get("regions", [None] * len(given))
    if len(regions) != len(given):
        raise ValueError(f"there are {len(given)} images, but regions for {len(regions)}")
    return som_pb2.AskRequest(
        images=[
            ask_pb2.AskImage(
                # A stream cannot ask for the image again, so it is always sent.
                image=images.to_wire(image.file() if isinstance(image, Kept) else image),
                segmenter=options.get("segmenter", ""),
                params=struct(options.get("params")),
                granularity=options.get("granularity"),
                regions=_regions(own),
                refine=refinement(options.get("refine")),
            )
            for image, own in zip(given, regions, strict=True)
        ],
        task=tasks.ask(question) if isinstance(question, str) else question,
        styles=[layer(style) for style in options.get("styles", ())],
        options=mark_options(options),
        history=[
            ask_pb2.Exchange(question=question, answer=answer)
            for question, answer in options.get("history", ())
        ],
        lmm=options.get("lmm", ""),
        template=options.get("template"),
        words=options.get("words"),
        clean=options.get("clean", False),
        table=options.get("table", False),
        structured=options.get("structured"),
        votes=options.get("votes", 1),
        budget=ask_pb2.Budget(
            max_tokens=options.get("max_tokens", 0),
            max_rounds=options.get("max_rounds", 0),
            max_cost=options.get("max_cost", 0.0),
        ),
        format=format_to_wire(options.get("format", "none")),
    )


def _regions(regions: Iterable[Region] | None) -> types_pb2.RegionList | None:
    if regions is None:
        return None
    return types_pb2.RegionList(regions=[region.to_wire() for region in regions])


def struct(params: Params | None) -> struct_pb2.Struct:
    """Parameters as they travel."""
    return json_format.ParseDict(_plain(dict(params or {})), struct_pb2.Struct())


def _plain(value: Any) -> Any:
    """`value` without numpy's numbers and arrays, which JSON does not know."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def refinement(refine: str | Refinement | None) -> types_pb2.Refinement | None:
    """How regions are refined, as it travels."""
    if refine is None:
        return None
    if isinstance(refine, str):
        refine = Refinement(refine)
    return types_pb2.Refinement(
        segmenter=refine.segmenter, params=struct(refine.params), hint=refine.hint
    )


def mark_options(given: Mapping[str, Any]) -> types_pb2.MarkOptions:
    """What of `given` is asked of marks."""
    names = [name for name in MarkOptions.__annotations__ if name in given]
    options = {name: _plain(given[name]) for name in names}
    if options.get("colors"):
        options["colors"] = [int(color.removeprefix("#"), 16) for color in options["colors"]]
    return types_pb2.MarkOptions(**options)


def format_to_wire(name: Format) -> str:
    """The form of pictures, as it travels."""
    return f"PICTURE_FORMAT_{name.upper()}"


def layer(style: str | tuple[str, Params]) -> types_pb2.StyleLayer:
    if isinstance(style, str):
        return types_pb2.StyleLayer(id=style)
    name, params = style
    return types_pb2.StyleLayer(id=name, params=struct(params))
