"""Answers of a multimodal model, every mark in them tied to its region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import json_format

from som.v1 import ask_pb2, som_pb2, types_pb2

from . import types
from .errors import SomError
from .types import Box, Granularity, ImageNote, Mark, Page, Region, Unmarked


@dataclass(frozen=True)
class Location:
    """Where a box or point of an answer lies, in pixels of the original image."""

    image: int
    """Index of the image in the request."""
    box: Box | None
    point: tuple[int, int] | None
    """This, if there is no box."""
    iou: float
    """The box's intersection over union with that of the region it is taken for; 1 for a point
    inside a region."""

    @classmethod
    def of(cls, wire: ask_pb2.Location) -> Location:
        is_box = wire.HasField("box")
        return cls(
            image=wire.image,
            box=types.box(wire.box) if is_box else None,
            point=None if is_box else (wire.point.x, wire.point.y),
            iou=wire.iou,
        )


@dataclass(frozen=True)
class Mention:
    """A place in the answer that names marks."""

    span: tuple[int, int]
    """Start and end in the answer, in characters."""
    status: str
    """"resolved", "ambiguous", "out_of_range" or "unknown"."""
    marks: list[Mark]
    unresolved: list[str]
    """Names of marks that are not there."""
    location: Location | None
    """Of a box or a point."""
    polarity: str = "asserted"
    """What is meant is "asserted"; else "denied", "replaced", "compared" or "excepted"."""


@dataclass(frozen=True)
class Finding:
    """One result of the task: a description, an expression, a phrase, or a tracked mark."""

    text: str
    span: tuple[int, int] | None
    """Where the phrase stands in the sentence, in bytes of UTF-8."""
    of: int | None
    """The mark that it is about, if the task is about marks."""
    marks: list[Mark]
    status: str
    agreement: float | None
    """The share of the votes that found the same."""
    match: str | None = None
    """How the name was found in the vocabulary: "exact", "normalised" or "synonym"."""


@dataclass(frozen=True)
class Thought:
    """What the model thought before it answered; nothing in it counts."""

    span: tuple[int, int]
    """Start and end in the answer, in characters."""
    closed: bool
    """False if the answer breaks off in it."""


@dataclass
class AskedImage:
    """An image of a question: what the server made of it, and what is on it."""

    size: tuple[int, int]
    """Width and height of the image."""
    notes: list[ImageNote]
    """What is odd about the file; mostly nothing."""
    segmenter: str = ""
    """Empty if the regions came with the request."""
    version: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    """What the segmenter was told, defaults filled in."""
    granularity: Granularity | None = None
    """What chose the segmenter, if a granularity did."""
    regions: list[Region] = field(default_factory=list, repr=False)
    """Those that the segmenter found."""
    marks: list[Mark] = field(default_factory=list, repr=False)
    unmarked: list[Unmarked] = field(default_factory=list, repr=False)
    """Regions that got no mark."""

    @classmethod
    def of(cls, wire: types_pb2.ImageInfo) -> AskedImage:
        return cls(
            size=(wire.size.width, wire.size.height),
            notes=[ImageNote.of(note) for note in wire.notes],
        )

    def mark(self, marked: som_pb2.AskMarked) -> None:
        """Adds what was marked."""
        self.marks = [Mark.of(mark) for mark in marked.marks]
        self.unmarked = [Unmarked.of(region) for region in marked.unmarked]


@dataclass(frozen=True)
class Answer:
    """What a model said about marked images."""

    lmm: str
    """The model's name in the server's settings."""
    text: str
    finish: str
    """"stop"; else part of it is missing: "length", "refusal" or "partial"."""
    reason: str
    """Why part of it is missing, in words."""
    mentions: list[Mention]
    findings: list[Finding]
    agreement: dict[int, float]
    """By id of a mark: the share of the votes that named it. Empty for one vote."""
    marks: dict[int, Mark] = field(repr=False)
    """By id, those of all images."""
    pages: list[list[Page]] = field(repr=False)
    """By image, what the model was shown."""
    tokens: tuple[int, int] | None
    """Of prompts and of answers."""
    cost: float | None
    """In US dollars, where the server knows prices."""
    cut_short: str
    """Why less was asked than was wanted, such as a budget that was used up; else empty."""
    rounds: int
    """Requests to the model."""
    best: int | None
    """Which of several answers this is, from 0; `None` for a single one."""
    timings_ms: dict[str, float] = field(compare=False)
    """By stage."""
    thoughts: list[Thought] = field(default_factory=list)
    images: list[AskedImage] = field(default_factory=list, repr=False)
    """In the order of the request: their notes, regions and marks."""


class Listener:
    """Takes the stages of an answer as they come in."""

    def __init__(self, on_text: Callable[[str], None] | None) -> None:
        self._on_text = on_text
        self._marks: dict[int, Mark] = {}
        self._pages: list[list[Page]] = []
        self._images: dict[int, AskedImage] = {}
        self._answer: Answer | None = None

    def complete(self) -> Answer:
        """The answer; raises `SomError` if the server did not send it."""
        if self._answer is None:
            raise SomError(grpc.StatusCode.INTERNAL, "the server sent no answer")
        return self._answer

    def take(self, stage: som_pb2.AskResponse) -> None:
        """The next stage."""
        kind = stage.WhichOneof("stage")
        if kind == "regions":
            cut = stage.regions
            image = self._images.setdefault(cut.image, AskedImage.of(cut.info))
            image.segmenter = cut.segmentation.segmenter
            image.version = cut.segmentation.version
            image.params = json_format.MessageToDict(cut.segmentation.params)
            image.granularity = Granularity.of(cut.segmentation)
            image.regions = [Region.of(region) for region in cut.regions]
        elif kind == "marked":
            marked = stage.marked
            image = self._images.setdefault(marked.image, AskedImage.of(marked.info))
            image.mark(marked)
            self._marks.update((mark.id, mark) for mark in image.marks)
            self._pages.append([Page.of(page) for page in marked.pages])
        elif kind == "text" and self._on_text is not None:
            self._on_text(stage.text)
        elif kind == "answer":
            self._answer = read(stage.answer, self._marks, self._pages, self._images)


def read(
    wire: ask_pb2.Answer,
    marks: Mapping[int, Mark],
    pages: Sequence[Sequence[Page]],
    images: Mapping[int, AskedImage],
) -> Answer:
    """An answer about images, by their indices, with these marks."""
    usage = wire.usage
    tokens = (usage.input_tokens, usage.output_tokens) if wire.HasField("usage") else None
    return Answer(
        lmm=wire.lmm.name,
        text=wire.text,
        finish=_name(ask_pb2.Finish.Name(wire.finish)),
        reason=wire.reason,
        mentions=[_mention(mention, wire.text, marks) for mention in wire.mentions],
        findings=[_finding(finding, marks) for finding in wire.findings],
        agreement={region.mark: region.share for region in wire.agreement},
        marks=dict(marks),
        pages=[list(page) for page in pages],
        tokens=tokens,
        cost=wire.cost if wire.HasField("cost") else None,
        cut_short=wire.cut_short,
        rounds=wire.rounds,
        best=wire.best if wire.HasField("best") else None,
        timings_ms=types.timings(wire.timings),
        thoughts=[
            Thought(_characters(thought.span, wire.text), thought.closed)
            for thought in wire.thoughts
        ],
        images=[images[index] for index in sorted(images)],
    )


def _mention(wire: ask_pb2.Mention, text: str, marks: Mapping[int, Mark]) -> Mention:
    return Mention(
        span=_characters(wire.span, text),
        polarity=_polarity(wire.polarity),
        status=_name(ask_pb2.MentionStatus.Name(wire.status)),
        marks=_known(wire.marks, marks),
        unresolved=list(wire.unresolved),
        location=Location.of(wire.location) if wire.HasField("location") else None,
    )


def _finding(wire: ask_pb2.Finding, marks: Mapping[int, Mark]) -> Finding:
    return Finding(
        text=wire.text,
        span=(wire.span.start, wire.span.end) if wire.HasField("span") else None,
        of=wire.of if wire.HasField("of") else None,
        marks=_known(wire.marks, marks),
        status=_name(ask_pb2.MentionStatus.Name(wire.status)),
        agreement=wire.agreement if wire.HasField("agreement") else None,
        match=_match(wire.match),
    )


def _known(ids: Iterable[int], marks: Mapping[int, Mark]) -> list[Mark]:
    return [marks[id] for id in ids if id in marks]


def _characters(span: ask_pb2.Span, text: str) -> tuple[int, int]:
    """On the wire spans count bytes of UTF-8."""
    data = text.encode()
    return len(data[: span.start].decode()), len(data[: span.end].decode())


def _polarity(polarity: int) -> str:
    """An older server does not say; then it is asserted."""
    name = ask_pb2.Polarity.Name(polarity).removeprefix("POLARITY_").lower()
    return "asserted" if name == "unspecified" else name


def _match(match: int) -> str | None:
    name = ask_pb2.NameMatch.Name(match).removeprefix("NAME_MATCH_").lower()
    return None if name == "unspecified" else name


def _name(constant: str) -> str:
    """FINISH_STOP as "stop"."""
    return constant.removeprefix("MENTION_STATUS_").removeprefix("FINISH_").lower()
