"""Set-of-Mark prompting over gRPC.

    from som_client import Client

    with Client("127.0.0.1:50051") as som:
        marking = som.mark("coffee.png")
        marking.pages[0].save("coffee.marked.png")
        for mark in marking.marks:
            print(mark.text, mark.region.bbox, mark.region.mask.sum())

`AsyncClient` has the same methods as coroutines.
"""

from .aio import AsyncClient
from .client import Client
from .connection import Connection
from .errors import SomError
from .images import ImageLike, Kept
from .types import (
    Descriptor,
    Failure,
    Mark,
    Marking,
    Page,
    Region,
    Rle,
    Segmentation,
    Unmarked,
)

__all__ = [
    "AsyncClient",
    "Client",
    "Connection",
    "Descriptor",
    "Failure",
    "ImageLike",
    "Kept",
    "Mark",
    "Marking",
    "Page",
    "Region",
    "Rle",
    "Segmentation",
    "SomError",
    "Unmarked",
]
