"""The client for coroutines: the methods of `Client`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar, Unpack

import grpc

from . import calls, requests, types
from .answers import Answer, Listener
from .calls import Attempts, Call, Stubs
from .connection import Connection
from .errors import SomError
from .images import ImageLike
from .requests import AskArguments, MarkArguments, Params, Refinement
from .tasks import Task
from .types import Descriptor, Failure, GranularityStep, Marking, Segmentation

T = TypeVar("T")


class AsyncClient:
    """Calls a som server from coroutines. See `Client`."""

    def __init__(
        self,
        connection: Connection | str,
        *,
        timeout: float | None = 60.0,
        retries: int = 5,
    ) -> None:
        self._connection = Connection.to(connection)
        self._timeout = timeout
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
        self, images: Iterable[ImageLike], **options: Unpack[MarkArguments]
    ) -> AsyncIterator[Marking | Failure]:
        """As `Client.mark_stream`."""
        answers = self._stubs.som.MarkStream(
            calls.stream(images, **options), metadata=self._connection.metadata()
        )
        try:
            async for answer in answers:
                yield types.outcome(answer)
        except grpc.RpcError as error:
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
            timeout=self._timeout,
            metadata=self._connection.metadata(),
        )
        try:
            async for stage in stages:
                listener.take(stage)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            stages.cancel()
        return listener.complete()

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
                    attempts.request, timeout=self._timeout, metadata=self._connection.metadata()
                )
            except grpc.RpcError as failure:
                await asyncio.sleep(attempts.pause(failure))
            else:
                return call.read(answer)
