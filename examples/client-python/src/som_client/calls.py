"""What both clients send and read: every call, without a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, Unpack

import grpc

from som.v1 import catalog_pb2, catalog_pb2_grpc, som_pb2, som_pb2_grpc

from . import requests, types
from .errors import SomError
from .images import ImageLike, Kept
from .requests import MarkArguments, Params, Refinement
from .types import Descriptor, GranularityStep, Marking, Segmentation

T = TypeVar("T")


class Stubs:
    """The services of a channel, blocking or not."""

    def __init__(self, channel: Any) -> None:
        self.som: Any = som_pb2_grpc.SomServiceStub(channel)  # type: ignore[no-untyped-call]
        self.catalog: Any = catalog_pb2_grpc.CatalogServiceStub(channel)  # type: ignore[no-untyped-call]


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


def stream(
    images: Iterable[ImageLike], **options: Unpack[MarkArguments]
) -> Iterator[som_pb2.MarkStreamRequest]:
    """The requests of a stream, made when they are sent."""
    for image in images:
        # A stream cannot ask for the image again, so it is always sent.
        whole = image.file() if isinstance(image, Kept) else image
        yield som_pb2.MarkStreamRequest(mark=requests.mark(whole, **options))


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
        if error.retry_after is None or self._left == 0:
            raise error from failure
        self._left -= 1
        return error.retry_after


def _kept(image: ImageLike) -> Kept | None:
    return image if isinstance(image, Kept) else None
