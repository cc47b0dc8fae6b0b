"""How a server is reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """`HOST:PORT` or `unix:PATH`."""
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

    @classmethod
    def to(cls, server: Connection | str) -> Connection:
        """A connection, or one without more than an address."""
        return cls(server) if isinstance(server, str) else server

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
        options: list[tuple[str, Any]] = [
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
        ]
        if self.host is not None:
            options.append(("grpc.ssl_target_name_override", self.host))
        compression = grpc.Compression.Gzip if self.compression else None
        return {"options": options, "compression": compression}


def _read(path: str | PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
