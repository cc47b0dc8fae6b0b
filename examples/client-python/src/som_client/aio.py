"""The client for coroutines: the methods of `Client`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
import grpc.aio

from som.v1 import catalog_pb2, catalog_pb2_grpc, som_pb2, som_pb2_grpc

from . import requests, types
from .client import Request, _whole
from .connection import Connection
from .errors import SomError
from .images import ImageLike, Kept
from .requests import Params
from .types import Descriptor, Failure, Marking, Segmentation


class AsyncClient:
    """Calls a som server from coroutines. See `Client`."""

    def __init__(
        self,
        connection: Connection | str,
        *,
        timeout: float | None = 60.0,
        retries: int = 5,
    ) -> None:
        self._connection = Connection(connection) if isinstance(connection, str) else connection
        self._timeout = timeout
        self._retries = retries
        self._channel = self._connection.open_async()
        self._som = som_pb2_grpc.SomServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._catalog = catalog_pb2_grpc.CatalogServiceStub(self._channel)  # type: ignore[no-untyped-call]

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection, and with it all calls in progress."""
        await self._channel.close()

    async def segment(
        self, image: ImageLike, segmenter: str = "", params: Params | None = None
    ) -> Segmentation:
        """As `Client.segment`."""
        request = requests.segment(image, segmenter, params)
        return Segmentation.of(await self._send(self._som.Segment, request, image))

    async def mark(self, image: ImageLike, **options: Any) -> Marking:
        """As `Client.mark`."""
        request = requests.mark(image, **options)
        return Marking.of(await self._send(self._som.Mark, request, image))

    async def mark_stream(
        self, images: Iterable[ImageLike], **options: Any
    ) -> AsyncIterator[Marking | Failure]:
        """As `Client.mark_stream`."""
        wrapped = (
            som_pb2.MarkStreamRequest(mark=requests.mark(_whole(image), **options)) for image in images
        )
        answers = self._som.MarkStream(wrapped, metadata=self._connection.metadata())
        try:
            async for answer in answers:
                yield types.outcome(answer)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    async def segmenters(self) -> list[Descriptor]:
        """As `Client.segmenters`."""
        request = catalog_pb2.ListSegmentersRequest()
        return types.segmenters(await self._call(self._catalog.ListSegmenters, request))

    async def mark_styles(self) -> list[Descriptor]:
        """As `Client.mark_styles`."""
        request = catalog_pb2.ListMarkStylesRequest()
        return types.mark_styles(await self._call(self._catalog.ListMarkStyles, request))

    async def _send(self, rpc: Callable[..., Any], request: Request, image: ImageLike) -> Any:
        try:
            return await self._call(rpc, request)
        except SomError as error:
            if error.code != grpc.StatusCode.NOT_FOUND or not isinstance(image, Kept):
                raise
        request.image.CopyFrom(image.whole())
        return await self._call(rpc, request)

    async def _call(self, rpc: Callable[..., Any], request: Any) -> Any:
        for left in reversed(range(self._retries + 1)):
            try:
                return await rpc(request, timeout=self._timeout, metadata=self._connection.metadata())
            except grpc.RpcError as failure:
                error = SomError.of(failure)
                if error.retry_after is None or left == 0:
                    raise error from failure
                await asyncio.sleep(error.retry_after)
        raise AssertionError("unreachable")
