"""Objects through a video: what is sent of each frame, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Unpack

from som.v1 import track_pb2

from . import images, requests
from .images import ImageLike, Kept
from .requests import Format, Params, Styles
from .types import Mark, MarkOptions, Page, Region, timings


@dataclass(frozen=True)
class Frame:
    """One image of a video, and what is said of objects in it."""

    image: ImageLike
    hints: Mapping[int, Params | None] = field(default_factory=dict)
    """By object, from 1, where it is, as `{"boxes": [{"x": 4, "y": 5, "width": 6, "height": 7}]}`, with
    points and masks likewise; None for an object that is to be forgotten."""
    index: int | None = None
    """Its place in the video, from 0; None for the one after the frame before."""
    backward: bool = False
    """Objects are carried towards the first frame."""


class TrackArguments(MarkOptions, total=False):
    """How a video is tracked; what is left out is the server's choice."""

    tracker: str
    """A tracker, or a segmenter, whose regions are then carried from frame to frame."""
    params: Params | None
    """Its parameters."""
    count: int
    """How many frames the video has, where that is known."""
    format: Format
    """Of the pages with marks: "none" if left out. Marks have the numbers of objects, and keep colour and
    place from frame to frame."""
    styles: Styles


@dataclass(frozen=True)
class TrackedFrame:
    """The objects of a frame."""

    index: int
    objects: dict[int, Region]
    """By their numbers; one that is out of sight is missing."""
    marks: list[Mark]
    """None with the format "none"."""
    page: Page | None
    """The marked frame; None with the format "none"."""
    scale: int
    """How many times as large as the frame the page is, along each side."""
    timings_ms: dict[str, float] = field(compare=False)
    """By stage; 0 for one that was not run."""

    @classmethod
    def of(cls, wire: track_pb2.TrackedFrame) -> TrackedFrame:
        return cls(
            index=wire.index,
            objects={it.object: Region.of(it.region) for it in wire.objects},
            marks=[Mark.of(mark) for mark in wire.marks],
            page=Page.of(wire.picture) if wire.HasField("picture") else None,
            scale=wire.scale,
            timings_ms=timings(wire.timings),
        )


class Session:
    """The requests of a session, made when they are sent, and what went wrong with them here."""

    def __init__(self, **options: Unpack[TrackArguments]) -> None:
        self._options = options
        self._next = 0
        self._error: BaseException | None = None

    def requests(self, frames: Iterable[ImageLike | Frame]) -> Iterator[track_pb2.TrackRequest]:
        """What is sent."""
        try:
            yield self._start()
            for frame in frames:
                yield self._frame(frame)
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error

    async def requests_async(
        self, frames: AsyncIterable[ImageLike | Frame]
    ) -> AsyncIterator[track_pb2.TrackRequest]:
        """What is sent."""
        try:
            yield self._start()
            async for frame in frames:
                yield self._frame(frame)
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error

    def check(self) -> None:
        """Raises what ended the requests here, if something did."""
        if self._error is not None:
            raise self._error

    def _start(self) -> track_pb2.TrackRequest:
        options = self._options
        start = track_pb2.TrackStart(
            tracker=options.get("tracker", ""),
            params=requests.struct(options.get("params")),
            format=requests.format_to_wire(options.get("format", "none")),
            styles=[requests.layer(style) for style in options.get("styles", ())],
            options=requests.mark_options(options),
        )
        return track_pb2.TrackRequest(start=start)

    def _frame(self, frame: ImageLike | Frame) -> track_pb2.TrackRequest:
        if not isinstance(frame, Frame):
            frame = Frame(frame)
        index = self._next if frame.index is None else frame.index
        self._next = max(0, index + (-1 if frame.backward else 1))
        # A stream cannot ask for the image again, so it is always sent.
        image = frame.image.file() if isinstance(frame.image, Kept) else frame.image
        sent = track_pb2.TrackFrame(
            image=images.to_wire(image),
            index=index,
            count=self._options.get("count", 0),
            backward=frame.backward,
            hints=[
                track_pb2.ObjectHints(
                    object=number, hints=requests.struct(hints), remove=hints is None
                )
                for number, hints in frame.hints.items()
            ],
        )
        return track_pb2.TrackRequest(frame=sent)
