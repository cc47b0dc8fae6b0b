"""A live `som serve` for all tests: the program named by the variable SOM, else that of PATH."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from som_client import Client

PHOTO = Path(__file__).resolve().parents[2] / "images" / "coffee.png"


@contextmanager
def served(folder: Path, listen: str = "127.0.0.1:0") -> Iterator[str]:
    """A server of its own, and where it listens."""
    server = subprocess.Popen(
        [os.environ.get("SOM", "som"), "serve", "--listen", listen],
        # No settings of this machine.
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    line = server.stdout.readline()
    assert line.startswith("listening on "), line
    yield line.removeprefix("listening on ").strip()
    server.terminate()
    assert server.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server listens."""
    with served(tmp_path_factory.mktemp("server")) as address:
        yield address


@pytest.fixture
def som(address: str) -> Iterator[Client]:
    with Client(address) as client:
        yield client


@pytest.fixture(scope="session")
def photo() -> Path:
    """A photograph of 600x400 pixels."""
    return PHOTO
