"""`som serve` as grpcio meets it. The variable SOM names the program."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from som.v1 import som_pb2, som_pb2_grpc, types_pb2

MEGABYTES_64 = 64 << 20
OPTIONS = [
    ("grpc.max_send_message_length", MEGABYTES_64),
    ("grpc.max_receive_message_length", MEGABYTES_64),
]


class Server:
    """A process of `som serve`."""

    def __init__(self, folder: Path, settings: str = "", listen: str = "127.0.0.1:0", **env: str):
        (folder / "som.toml").write_text(settings)
        self.process = subprocess.Popen(
            [os.environ.get("SOM", "som"), "serve", "--listen", listen],
            cwd=folder,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.removeprefix("listening on ").strip()

    def channel(self, **arguments) -> grpc.Channel:
        return grpc.insecure_channel(self.address, options=OPTIONS, **arguments)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with settings of their own, and ends them."""
    servers: list[Server] = []

    def start(settings: str = "", **more: str) -> Server:
        servers.append(Server(tmp_path, settings, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server without settings, for many tests."""
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
def som(server: Server) -> Iterator[som_pb2_grpc.SomServiceStub]:
    with server.channel() as channel:
        yield som_pb2_grpc.SomServiceStub(channel)


@pytest.fixture(scope="session")
def coffee() -> bytes:
    """A photograph of 600x400 pixels."""
    return (Path(__file__).parents[3] / "examples/images/coffee.png").read_bytes()


def encoded(data: bytes, keep: bool = False) -> types_pb2.Image:
    return types_pb2.Image(encoded=types_pb2.EncodedImage(data=data, keep=keep))


def mark(data: bytes) -> som_pb2.MarkRequest:
    """A request for marks without pictures."""
    return som_pb2.MarkRequest(image=encoded(data), format=types_pb2.PICTURE_FORMAT_NONE)
