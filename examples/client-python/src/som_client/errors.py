"""What can go wrong, as exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


class SomError(Exception):
    """A call that failed: the gRPC code, the server's message, and when to try again."""

    def __init__(
        self, code: grpc.StatusCode, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        """What a program can act on, such as `grpc.StatusCode.NOT_FOUND`."""
        self.message = message
        """The text for people."""
        self.retry_after = retry_after
        """Seconds after which another try makes sense; None if it does not."""

    @classmethod
    def of(cls, error: grpc.RpcError) -> SomError:
        """The error of a call, sync or async."""
        if not hasattr(error, "code"):
            return cls(grpc.StatusCode.UNKNOWN, str(error))
        code: grpc.StatusCode = error.code()
        details: str = error.details() or ""
        return cls(code, details, _retry_after(error))


def code_of(number: int) -> grpc.StatusCode:
    """The code with the given number."""
    return next((code for code in grpc.StatusCode if code.value[0] == number), grpc.StatusCode.UNKNOWN)


def _retry_after(error: grpc.RpcError) -> float | None:
    metadata = dict(cast(Iterable[tuple[str, Any]], error.trailing_metadata() or ()))
    for detail in status_pb2.Status.FromString(metadata.get(_DETAILS, b"")).details:
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(retry):
            return float(retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9)
    return None
