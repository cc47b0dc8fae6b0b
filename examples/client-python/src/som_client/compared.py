"""Several ways to ask one question, side by side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypedDict

from som.v1 import som_pb2

from .answers import Answer, read
from .requests import Params, Styles, layer, mark_options, struct
from .types import Failure, Mark, MarkOptions, Page


class Row(MarkOptions, total=False):
    """One way to ask; what is left out is as in the question."""

    lmm: str
    """The model, by its name in the server's settings."""
    segmenter: str
    granularity: float | None
    params: Params | None
    styles: Styles


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
    """Milliseconds until the row was done."""

    @classmethod
    def of(cls, wire: som_pb2.CompareResponse) -> Compared:
        marks = {mark.id: Mark.of(mark) for marked in wire.marked for mark in marked.marks}
        pages = [[Page.of(page) for page in marked.pages] for marked in wire.marked]
        is_answer = wire.WhichOneof("outcome") == "answer"
        return cls(
            row=wire.row,
            segmenter=wire.segmenter,
            outcome=read(wire.answer, marks, pages) if is_answer else Failure.of(wire.failure),
            marks=marks,
            pages=pages,
            took=wire.took,
        )


def to_wire(row: Row) -> som_pb2.CompareRow:
    """A row as a request holds it."""
    return som_pb2.CompareRow(
        segmenter=row.get("segmenter", ""),
        params=struct(row.get("params")),
        granularity=row.get("granularity"),
        styles=[layer(style) for style in row.get("styles", ())],
        lmm=row.get("lmm", ""),
        options=mark_options(row),
    )
