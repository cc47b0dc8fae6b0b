"""How a server is reached."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

MESSAGE_BYTES = 64 << 20
"""The largest message, as the server has it unless it is set otherwise."""


@dataclass(frozen=True)
class Connection:
    """An address, and what it takes to get in."""

    address: str
    """`HOST:PORT` or `unix:PATH`; or as the command takes it, `http://HOST:PORT` and
    `https://HOST:PORT`, which encrypts."""
    token: str | None = None
    """Bearer token."""
    tls: bool = False
    """Encrypt, and trust the authorities of `authorities` or of the system."""
    authorities: str | PathLike[str] | None = None
    """PEM file with the authorities that sign the server's certificate."""
    certificate: str | PathLike[str] | None = None
    """PEM file with the certificate to show to the server."""
    key: str | PathLike[str] | None = None
    """PEM file with its key."""
    host: str | None = None
    """The name in the server's certificate, if it is not the address's."""
    compression: bool = False
    """Compress requests, and get answers compressed."""
    keepalive: float | None = None
    """Seconds of silence after which the server is asked for a sign of life, which may take as
    long; None never asks."""
    attempts: int = 1
    """How often a call is tried whose server cannot be reached: 2 to 5, after pauses that grow."""
    options: Sequence[tuple[str, Any]] = ()
    """Further options of gRPC's channel; they go before those that are made of the above."""

    @classmethod
    def to(cls, server: Connection | str) -> Connection:
        """A connection, or one without more than an address; raises ValueError for an address of
        no kind that there is."""
        connection = cls(server) if isinstance(server, str) else server
        scheme, divider, rest = connection.address.partition("://")
        if not divider or scheme in ("unix", "dns", "ipv4", "ipv6"):
            return connection
        if scheme not in ("http", "https") or not rest.rstrip("/"):
            raise ValueError(
                f"{connection.address}: not an address like host:50051, http://host:50051, "
                "https://host:50051 or unix:/run/som.sock"
            )
        return replace(
            connection, address=rest.rstrip("/"), tls=connection.tls or scheme == "https"
        )

    def open(self) -> grpc.Channel:
        """A channel for blocking calls."""
        if self._is_encrypted():
            return grpc.secure_channel(self.address, self._credentials(), **self._arguments())
        return grpc.insecure_channel(self.address, **self._arguments())

    def open_async(self) -> grpc.aio.Channel:
        """A channel for coroutines."""
        if self._is_encrypted():
            return grpc.aio.secure_channel(self.address, self._credentials(), **self._arguments())
        return grpc.aio.insecure_channel(self.address, **self._arguments())

    def metadata(self) -> Sequence[tuple[str, str]]:
        """What every call carries."""
        return [] if self.token is None else [("authorization", f"Bearer {self.token}")]

    def _is_encrypted(self) -> bool:
        return self.tls or self.authorities is not None

    def _credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(
            root_certificates=_read(self.authorities),
            private_key=_read(self.key),
            certificate_chain=_read(self.certificate),
        )

    def _arguments(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "grpc.max_send_message_length": MESSAGE_BYTES,
            "grpc.max_receive_message_length": MESSAGE_BYTES,
        }
        if self.host is not None:
            options["grpc.ssl_target_name_override"] = self.host
        if self.keepalive is not None:
            options["grpc.keepalive_time_ms"] = int(self.keepalive * 1000)
            options["grpc.keepalive_timeout_ms"] = int(self.keepalive * 1000)
        if self.attempts > 1:
            options["grpc.service_config"] = json.dumps(_retrying(self.attempts))
        options.update(self.options)
        compression = grpc.Compression.Gzip if self.compression else None
        return {"options": list(options.items()), "compression": compression}


def _retrying(attempts: int) -> dict[str, Any]:
    """A service config that tries calls again whose server cannot be reached."""
    policy = {
        "maxAttempts": attempts,
        "initialBackoff": "0.2s",
        "maxBackoff": "5s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return {"methodConfig": [{"name": [{}], "retryPolicy": policy}]}


def _read(path: str | PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
