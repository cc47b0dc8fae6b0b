"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, Unpack

import grpc

from . import calls, requests, types
from .answers import Answer, Listener
from .calls import Attempts, Call, Stubs
from .compared import Compared, Row
from .connection import Connection
from .errors import SomError
from .images import ImageLike
from .requests import AskArguments, MarkArguments, Params, Refinement
from .tasks import Task
from .tracked import Frame, Session, TrackArguments, TrackedFrame
from .types import Descriptor, Failure, GranularityStep, Marking, Model, Segmentation

T = TypeVar("T")


class Client:
    """Calls a som server, from any number of threads.

    A call may take `timeout` seconds. Calls that a full server refuses are repeated up to `retries`
    times, when it says so; with `wait_for_ready` a call waits for a server that is not there yet.

    All calls raise `SomError` for what the server refuses and for one that is not reached. What is
    wrong with an image or an argument here, before anything is sent, is raised as it is: `OSError`
    for a file that cannot be read, `ValueError` or `TypeError` for what is no image.
    """

    def __init__(
        self,
        connection: Connection | str,
        *,
        timeout: float | None = 60.0,
        retries: int = 5,
        wait_for_ready: bool = False,
    ) -> None:
        self._connection = Connection.to(connection)
        self._call = {"timeout": timeout, "wait_for_ready": wait_for_ready}
        self._retries = retries
        self._channel = self._connection.open()
        self._stubs = Stubs(self._channel)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and with it all calls in progress."""
        self._channel.close()

    def segment(
        self,
        image: ImageLike,
        segmenter: str = "",
        params: Params | None = None,
        *,
        granularity: float | None = None,
        refine: str | Refinement | None = None,
    ) -> Segmentation:
        """The regions of an image. Hints go into `params` as "hints": points, boxes, or text, as in
        `{"hints": {"text": "the spoon"}}`. A `granularity`, from 1 to 3, chooses segmenter and level in
        place of a segmenter's name; `refine` has each region cut anew by another segmenter."""
        return self._run(calls.segment(image, segmenter, params, granularity, refine))

    def mark(self, image: ImageLike, **options: Unpack[MarkArguments]) -> Marking:
        """The marked image."""
        return self._run(calls.mark(image, **options))

    def mark_stream(
        self, images: Iterable[ImageLike], **options: Unpack[MarkArguments]
    ) -> Iterator[Marking | Failure]:
        """The marked images of many images, in their order. What is wrong with one image, there or
        here, is its `Failure`; `images` is read as fast as the server works. An exception that
        `images` raises ends the stream after the answers to the images before it."""
        stream = calls.Stream(options)
        answers = self._stubs.som.MarkStream(
            stream.requests(images),
            metadata=self._connection.metadata(),
            wait_for_ready=self._call["wait_for_ready"],
        )
        try:
            for answer in answers:
                yield from stream.before()
                yield types.outcome(answer)
            yield from stream.after()
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    def track(
        self, frames: Iterable[ImageLike | Frame], **options: Unpack[TrackArguments]
    ) -> Iterator[TrackedFrame]:
        """The objects of each frame of a video, in the order of `frames`, which is read as fast as the
        server works. What is wrong with a frame ends the session; so does an exception of `frames`, after
        the answers to those before."""
        session = Session(**options)
        answers = self._stubs.som.Track(
            session.requests(frames),
            metadata=self._connection.metadata(),
            wait_for_ready=self._call["wait_for_ready"],
        )
        try:
            for answer in answers:
                if answer.HasField("frame"):
                    yield TrackedFrame.of(answer.frame)
            session.check()
        except grpc.RpcError as error:
            session.check()
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    def ask(
        self,
        images: Iterable[ImageLike],
        question: str | Task,
        on_text: Callable[[str], None] | None = None,
        **options: Unpack[AskArguments],
    ) -> Answer:
        """The answer of a multimodal model to a question about images. `on_text` gets its text
        as it comes in; it begins anew if the model has to mend its answer."""
        listener = Listener(on_text)
        stages = self._stubs.som.Ask(
            requests.ask(images, question, **options),
            metadata=self._connection.metadata(),
            **self._call,
        )
        try:
            for stage in stages:
                listener.take(stage)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            stages.cancel()
        return listener.complete()

    def compare(
        self,
        images: Iterable[ImageLike],
        question: str | Task,
        rows: Iterable[Row],
        **options: Unpack[AskArguments],
    ) -> Iterator[Compared]:
        """The same question in several ways: each row as soon as it is done. A row that fails does not
        disturb the others."""
        answers = self._stubs.som.Compare(
            calls.compare(images, question, rows, **options),
            metadata=self._connection.metadata(),
            **self._call,
        )
        try:
            for answer in answers:
                yield Compared.of(answer)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    def models(self) -> list[Model]:
        """What there is to ask with."""
        return self._run(calls.models())

    def health(self, service: str = "") -> bool:
        """True if the server serves: all of it, or a service or segmenter by its name, such as
        "som.v1.SomService" or "classic"."""
        return self._run(calls.health(service))

    def segmenters(self) -> list[Descriptor]:
        """What there is to segment with."""
        return self._run(calls.segmenters())

    def granularity_steps(self) -> list[GranularityStep]:
        """Who answers to which granularity: the slider, from its coarse end to its fine one."""
        return self._run(calls.granularity_steps())

    def mark_styles(self) -> list[Descriptor]:
        """What there is to mark with."""
        return self._run(calls.mark_styles())

    def _run(self, call: Call[T]) -> T:
        rpc, attempts = call.rpc(self._stubs), Attempts(call, self._retries)
        while True:
            try:
                answer = rpc(
                    attempts.request, metadata=self._connection.metadata(), **self._call
                )
            except grpc.RpcError as failure:
                time.sleep(attempts.pause(failure))
            else:
                return call.read(answer)
