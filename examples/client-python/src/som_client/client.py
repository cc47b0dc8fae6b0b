"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import grpc

from som.v1 import catalog_pb2, catalog_pb2_grpc, som_pb2, som_pb2_grpc

from . import requests, types
from .connection import Connection
from .errors import SomError
from .images import ImageLike, Kept
from .requests import Params
from .types import Descriptor, Failure, Marking, Segmentation

Request = TypeVar("Request", som_pb2.SegmentRequest, som_pb2.MarkRequest)


class Client:
    """Calls a som server, from any number of threads.

    Calls that the server refuses for want of a place are repeated up to `retries` times, when it
    says so. All calls raise `SomError`.
    """

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
        self._channel = self._connection.open()
        self._som = som_pb2_grpc.SomServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._catalog = catalog_pb2_grpc.CatalogServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, and with it all calls in progress."""
        self._channel.close()

    def segment(
        self, image: ImageLike, segmenter: str = "", params: Params | None = None
    ) -> Segmentation:
        """The regions of an image. Hints go into `params` as "hints"."""
        request = requests.segment(image, segmenter, params)
        return Segmentation.of(self._send(self._som.Segment, request, image))

    def mark(self, image: ImageLike, **options: Any) -> Marking:
        """The marked image. `options` are those of `requests.mark`."""
        request = requests.mark(image, **options)
        return Marking.of(self._send(self._som.Mark, request, image))

    def mark_stream(self, images: Iterable[ImageLike], **options: Any) -> Iterator[Marking | Failure]:
        """The marked images of many images, in their order. What is wrong with one image is its
        `Failure`; `images` is read as fast as the server works."""
        wrapped = (
            som_pb2.MarkStreamRequest(mark=requests.mark(_whole(image), **options)) for image in images
        )
        answers = self._som.MarkStream(wrapped, metadata=self._connection.metadata())
        try:
            for answer in answers:
                yield types.outcome(answer)
        except grpc.RpcError as error:
            raise SomError.of(error) from error
        finally:
            answers.cancel()

    def segmenters(self) -> list[Descriptor]:
        """What there is to segment with."""
        request = catalog_pb2.ListSegmentersRequest()
        return types.segmenters(self._call(self._catalog.ListSegmenters, request))

    def mark_styles(self) -> list[Descriptor]:
        """What there is to mark with."""
        request = catalog_pb2.ListMarkStylesRequest()
        return types.mark_styles(self._call(self._catalog.ListMarkStyles, request))

    def _send(self, rpc: Callable[..., Any], request: Request, image: ImageLike) -> Any:
        """Calls, and sends the image itself where the server does not hold it."""
        try:
            return self._call(rpc, request)
        except SomError as error:
            if error.code != grpc.StatusCode.NOT_FOUND or not isinstance(image, Kept):
                raise
        request.image.CopyFrom(image.whole())
        return self._call(rpc, request)

    def _call(self, rpc: Callable[..., Any], request: Any) -> Any:
        for left in reversed(range(self._retries + 1)):
            try:
                return rpc(request, timeout=self._timeout, metadata=self._connection.metadata())
            except grpc.RpcError as failure:
                error = SomError.of(failure)
                if error.retry_after is None or left == 0:
                    raise error from failure
                time.sleep(error.retry_after)
        raise AssertionError("unreachable")


def _whole(image: ImageLike) -> ImageLike:
    """A stream cannot ask for the image again, so it is always sent."""
    return image.data if isinstance(image, Kept) else image
