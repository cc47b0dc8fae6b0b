"""The client for coroutines: the methods of `Client`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any, TypeVar, Unpack

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


class AsyncClient:
    """Calls a som server from coroutines. See `Client`."""

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
        self._channel = self._connection.open_async()
        self._stubs = Stubs(self._channel)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and with it all calls in progress."""
        await self._channel.close()

    async def segment(
        self,
        image: ImageLike,
        segmenter: str = "",
        params: Params | None = None,
        *,
        granularity: float | None = None,
        refine: str | Refinement | None = None,
    ) -> Segmentation:
        """As `Client.segment`."""
        return await self._run(calls.segment(image, segmenter, params, granularity, refine))

    async def mark(self, image: ImageLike, **options: Unpack[MarkArguments]) -> Marking:
        """As `Client.mark`."""
        return await self._run(calls.mark(image, **options))

    async def mark_stream(
        self,
        images: Iterable[ImageLike] | AsyncIterable[ImageLike],
        **options: Unpack[MarkArguments],
    ) -> AsyncIterator[Marking | Failure]:
        """As `Client.mark_stream`; `images` may be an asynchronous iterable."""
        stream = calls.Stream(options)
        if isinstance(images, AsyncIterable):
            sent: Any = stream.requests_async(images)
        else:
            sent = stream.requests(images)
        answers = self._stubs.som.MarkStream(
            sent,
            metadata=self._connection.metadata(),
            wait_for_ready=self._call["wait_for_ready"],
        )
        try:
            async for answer in answers:
                for failure in stream.before():
                    yield failure
                yield types.outcome(answer)
            for failure in stream.after():
                yield failure
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    async def track(
        self,
        frames: Iterable[ImageLike | Frame] | AsyncIterable[ImageLike | Frame],
        **options: Unpack[TrackArguments],
    ) -> AsyncIterator[TrackedFrame]:
        """As `Client.track`; `frames` may be an asynchronous iterable."""
        session = Session(**options)
        if isinstance(frames, AsyncIterable):
            sent: Any = session.requests_async(frames)
        else:
            sent = session.requests(frames)
        answers = self._stubs.som.Track(
            sent,
            metadata=self._connection.metadata(),
            wait_for_ready=self._call["wait_for_ready"],
        )
        try:
            async for answer in answers:
                if answer.HasField("frame"):
                    yield TrackedFrame.of(answer.frame)
            session.check()
        except grpc.RpcError as error:
            session.check()
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    async def ask(
        self,
        images: Iterable[ImageLike],
        question: str | Task,
        on_text: Callable[[str], None] | None = None,
        **options: Unpack[AskArguments],
    ) -> Answer:
        """As `Client.ask`."""
        listener = Listener(on_text)
        stages = self._stubs.som.Ask(
            requests.ask(images, question, **options),
            metadata=self._connection.metadata(),
            **self._call,
        )
        try:
            async for stage in stages:
                listener.take(stage)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            stages.cancel()
        return listener.complete()

    async def compare(
        self,
        images: Iterable[ImageLike],
        question: str | Task,
        rows: Iterable[Row],
        **options: Unpack[AskArguments],
    ) -> AsyncIterator[Compared]:
        """As `Client.compare`."""
        answers = self._stubs.som.Compare(
            calls.compare(images, question, rows, **options),
            metadata=self._connection.metadata(),
            **self._call,
        )
        try:
            async for answer in answers:
                yield Compared.of(answer)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    async def models(self) -> list[Model]:
        """As `Client.models`."""
        return await self._run(calls.models())

    async def health(self, service: str = "") -> bool:
        """As `Client.health`."""
        return await self._run(calls.health(service))

    async def segmenters(self) -> list[Descriptor]:
        """As `Client.segmenters`."""
        return await self._run(calls.segmenters())

    async def granularity_steps(self) -> list[GranularityStep]:
        """As `Client.granularity_steps`."""
        return await self._run(calls.granularity_steps())

    async def mark_styles(self) -> list[Descriptor]:
        """As `Client.mark_styles`."""
        return await self._run(calls.mark_styles())

    async def _run(self, call: Call[T]) -> T:
        rpc, attempts = call.rpc(self._stubs), Attempts(call, self._retries)
        while True:
            try:
                answer = await rpc(
                    attempts.request, metadata=self._connection.metadata(), **self._call
                )
            except grpc.RpcError as failure:
                await asyncio.sleep(attempts.pause(failure))
            else:
                return call.read(answer)
