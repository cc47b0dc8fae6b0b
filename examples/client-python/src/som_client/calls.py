"""What both clients send and read: every call, without a connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Unpack

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from som.v1 import catalog_pb2, catalog_pb2_grpc, som_pb2, som_pb2_grpc

from . import compared, requests, types
from .compared import Row
from .errors import SomError
from .images import ImageLike, Kept
from .requests import AskArguments, MarkArguments, Params, Refinement
from .tasks import Task
from .types import Descriptor, Failure, GranularityStep, Marking, Model, Segmentation

T = TypeVar("T")

LONGEST_WAIT = 10.0
"""Longer than this nobody is made to wait: a budget of a day may be used up."""


class Stubs:
    """The services of a channel, blocking or not."""

    def __init__(self, channel: Any) -> None:
        self.som: Any = som_pb2_grpc.SomServiceStub(channel)  # type: ignore[no-untyped-call]
        self.catalog: Any = catalog_pb2_grpc.CatalogServiceStub(channel)  # type: ignore[no-untyped-call]
        self.health: Any = health_pb2_grpc.HealthStub(channel)


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, the rpc that takes it, and what to make of its answer."""

    rpc: Callable[[Stubs], Any]
    request: Any
    read: Callable[[Any], T]
    kept: Kept | None = None
    """The image, if the request only names it."""


def segment(
    image: ImageLike,
    segmenter: str,
    params: Params | None,
    granularity: float | None = None,
    refine: str | Refinement | None = None,
) -> Call[Segmentation]:
    request = requests.segment(image, segmenter, params, granularity, refine)
    return Call(lambda stubs: stubs.som.Segment, request, Segmentation.of, _kept(image))


def mark(image: ImageLike, **options: Unpack[MarkArguments]) -> Call[Marking]:
    request = requests.mark(image, **options)
    return Call(lambda stubs: stubs.som.Mark, request, Marking.of, _kept(image))


def segmenters() -> Call[list[Descriptor]]:
    request = catalog_pb2.ListSegmentersRequest()
    return Call(lambda stubs: stubs.catalog.ListSegmenters, request, types.segmenters)


def granularity_steps() -> Call[list[GranularityStep]]:
    request = catalog_pb2.ListSegmentersRequest()
    return Call(lambda stubs: stubs.catalog.ListSegmenters, request, types.granularity_steps)


def mark_styles() -> Call[list[Descriptor]]:
    request = catalog_pb2.ListMarkStylesRequest()
    return Call(lambda stubs: stubs.catalog.ListMarkStyles, request, types.mark_styles)


def models() -> Call[list[Model]]:
    request = catalog_pb2.ListLmmsRequest()
    return Call(lambda stubs: stubs.catalog.ListLmms, request, types.models)


def health(service: str) -> Call[bool]:
    request = health_pb2.HealthCheckRequest(service=service)
    serving = health_pb2.HealthCheckResponse.SERVING
    return Call(lambda stubs: stubs.health.Check, request, lambda answer: answer.status == serving)


def compare(
    images: Iterable[ImageLike],
    question: str | Task,
    rows: Iterable[Row],
    **options: Unpack[AskArguments],
) -> som_pb2.CompareRequest:
    ask = requests.ask(images, question, **options)
    return som_pb2.CompareRequest(ask=ask, rows=[compared.to_wire(row) for row in rows])


class Stream:
    """The requests of a stream, made when they are sent, and what went wrong with them here.

    An image that cannot be sent, such as a file that is not there, has its `Failure` between the
    answers of the others. An exception of `images` itself ends the requests, and reaches the caller
    after the answers to those before.
    """

    def __init__(self, options: MarkArguments) -> None:
        self._options = options
        self._outcomes: deque[Failure | None] = deque()
        self._error: BaseException | None = None

    def requests(self, images: Iterable[ImageLike]) -> Iterator[som_pb2.MarkStreamRequest]:
        """What is sent."""
        try:
            for image in images:
                yield from self._request(image)
        except GeneratorExit:
            raise
        except BaseException as error:
            self._error = error

    async def requests_async(
        self, images: AsyncIterable[ImageLike]
    ) -> AsyncIterator[som_pb2.MarkStreamRequest]:
        """What is sent."""
        try:
            async for image in images:
                for request in self._request(image):
                    yield request
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            self._error = error

    def _request(self, image: ImageLike) -> Iterator[som_pb2.MarkStreamRequest]:
        try:
            # A stream cannot ask for the image again, so it is always sent.
            whole = image.file() if isinstance(image, Kept) else image
            request = som_pb2.MarkStreamRequest(mark=requests.mark(whole, **self._options))
        except (OSError, TypeError, ValueError) as error:
            self._outcomes.append(Failure.here(error))
        else:
            self._outcomes.append(None)
            yield request

    def before(self) -> Iterator[Failure]:
        """The failures before the next answer, which is taken to be there."""
        yield from self._failures()
        if self._outcomes:
            self._outcomes.popleft()

    def after(self) -> Iterator[Failure]:
        """The failures after the last answer, and what ended the requests."""
        yield from self._failures()
        if self._error is not None:
            raise self._error

    def _failures(self) -> Iterator[Failure]:
        while self._outcomes and (failure := self._outcomes[0]) is not None:
            self._outcomes.popleft()
            yield failure


class Attempts:
    """Which request to send next, and when to stop."""

    def __init__(self, call: Call[Any], retries: int) -> None:
        self.request = call.request
        self._kept = call.kept
        self._left = retries

    def pause(self, failure: grpc.RpcError) -> float:
        """The seconds to wait before `request` is sent again; raises `SomError` if that is of no
        use."""
        error = SomError.of(failure)
        if error.code == grpc.StatusCode.NOT_FOUND and self._kept is not None:
            # The server does not hold the image: this time it is sent itself.
            self.request.image.CopyFrom(self._kept.whole())
            self._kept = None
            return 0.0
        if error.retry_after is None or error.retry_after > LONGEST_WAIT or self._left == 0:
            raise error from failure
        self._left -= 1
        return error.retry_after


def _kept(image: ImageLike) -> Kept | None:
    return image if isinstance(image, Kept) else None
