"""Set-of-Mark prompting over gRPC.

    from som_client import Client

    with Client("127.0.0.1:50051") as som:
        marking = som.mark("coffee.png")
        marking.pages[0].save("coffee.marked.png")
        for mark in marking.marks:
            print(mark.text, mark.region.bbox, mark.region.mask.sum())

        answer = som.ask(["coffee.png"], "which region is red?")
        for mention in answer.mentions:
            print(answer.text[slice(*mention.span)], [mark.region.bbox for mark in mention.marks])

`AsyncClient` has the same methods as coroutines.
"""

from . import tasks
from .aio import AsyncClient
from .answers import Answer, AskedImage, Finding, Location, Mention, Thought
from .client import Client
from .compared import Compared, Row
from .connection import Connection
from .errors import SomError
from .images import ImageFile, ImageLike, Kept
from .requests import Refinement
from .tracked import Frame, TrackedFrame
from .types import (
    Descriptor,
    Failure,
    Granularity,
    GranularityPick,
    GranularityStep,
    ImageNote,
    Mark,
    Marking,
    MarkOptions,
    Model,
    Page,
    Refined,
    Region,
    Rle,
    Segmentation,
    Unmarked,
)

__all__ = [
    "Answer",
    "AskedImage",
    "AsyncClient",
    "Client",
    "Compared",
    "Connection",
    "Descriptor",
    "Failure",
    "Finding",
    "Frame",
    "Granularity",
    "GranularityPick",
    "GranularityStep",
    "ImageFile",
    "ImageLike",
    "ImageNote",
    "Kept",
    "Location",
    "Mark",
    "MarkOptions",
    "Marking",
    "Mention",
    "Model",
    "Page",
    "Refined",
    "Refinement",
    "Region",
    "Rle",
    "Row",
    "Segmentation",
    "SomError",
    "Thought",
    "TrackedFrame",
    "Unmarked",
    "tasks",
]
