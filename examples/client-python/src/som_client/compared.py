"""Several ways to ask one question, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from som.v1 import som_pb2

from .answers import Answer, AskedImage, read
from .requests import Params, Refinement, Styles, layer, mark_options, refinement, struct
from .types import Failure, Mark, MarkOptions, Page


class Row(MarkOptions, total=False):
    """One way to ask; what is left out is as in the question."""

    lmm: str
    """The model, by its name in the server's settings."""
    segmenter: str
    granularity: float | None
    params: Params | None
    refine: str | Refinement | None
    styles: Styles
    template: str | None
    """As of `ask`, and so are the following."""
    words: str | None
    clean: bool | None
    table: bool | None
    votes: int


@dataclass(frozen=True)
class Compared:
    """What a row comes to."""

    row: int
    """Its index in the request."""
    segmenter: str
    """Empty if no image was cut."""
    outcome: Answer | Failure
    marks: dict[int, Mark] = field(repr=False)
    """By id, those of all images, as far as they were marked."""
    pages: list[list[Page]] = field(repr=False)
    took: float = field(compare=False)
    """Milliseconds that its stages took, waiting left out; of a failure, until it failed."""

    @classmethod
    def of(cls, wire: som_pb2.CompareResponse) -> Compared:
        images: dict[int, AskedImage] = {}
        for marked in wire.marked:
            images[marked.image] = AskedImage.of(marked.info)
            images[marked.image].mark(marked)
        marks = {mark.id: mark for image in images.values() for mark in image.marks}
        pages = [[Page.of(page) for page in marked.pages] for marked in wire.marked]
        is_answer = wire.WhichOneof("outcome") == "answer"
        outcome = read(wire.answer, marks, pages, images) if is_answer else Failure.of(wire.failure)
        return cls(
            row=wire.row,
            segmenter=wire.segmenter,
            outcome=outcome,
            marks=marks,
            pages=pages,
            took=wire.took,
        )


def to_wire(row: Row) -> som_pb2.CompareRow:
    """A row as a request holds it; raises ValueError for one that has a template and words."""
    if row.get("template") is not None and row.get("words") is not None:
        raise ValueError("a row has a template or words, not both")
    return som_pb2.CompareRow(
        segmenter=row.get("segmenter", ""),
        params=struct(row.get("params")),
        granularity=row.get("granularity"),
        refine=refinement(row.get("refine")),
        styles=[layer(style) for style in row.get("styles", ())],
        lmm=row.get("lmm", ""),
        options=mark_options(row),
        template=row.get("template"),
        words=row.get("words"),
        clean=row.get("clean"),
        table=row.get("table"),
        votes=row.get("votes", 0),
    )
