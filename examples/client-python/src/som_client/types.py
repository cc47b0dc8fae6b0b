"""Regions, marks and marked images, as numpy and supervision know them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import grpc
import numpy as np
import numpy.typing as npt
from google.protobuf import json_format
from pycocotools import mask as coco

from som.v1 import ask_pb2, catalog_pb2, som_pb2, types_pb2

from .errors import code_of

if TYPE_CHECKING:
    import supervision

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels, as in COCO."""


class Rle(TypedDict):
    """A mask as pycocotools takes it."""

    size: list[int]
    counts: bytes


class MarkOptions(TypedDict, total=False):
    """What may be asked of marks.

    An option that is left out, or None, is the server's choice. 0 asks for no limit, and as a font
    size for one that suits.
    """

    page_size: int | None
    """Marks on one page at most; further ones go to further pages."""
    max_pages: int | None
    """Pages of one image at most; of the regions that do not fit, the smallest get no mark."""
    max_marks: int | None
    """Marks altogether at most: those of the largest regions."""
    min_glyph: float | None
    """Least height of digits and capitals, in pixels of the image that the model sees."""
    font_size: float | None
    """Font size of the labels in pixels of the image."""
    start: int | None
    """The number of the first mark; 0 is 1."""
    colors: list[str] | None
    """The colours of marks, each "#rrggbb", of which each mark gets one that stands out."""


@dataclass(frozen=True)
class Region:
    """One segmented thing."""

    bbox: Box
    area: int
    rle: Rle
    score: float | None
    label: str | None
    level: int | None
    parent: int | None
    """Index of the enclosing region in the same list."""
    extra: dict[str, Any] = field(repr=False)

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """Its pixels in the image, of shape (height, width)."""
        pixels: npt.NDArray[np.uint8] = coco.decode(self.rle)
        return pixels.astype(bool)

    @classmethod
    def of(cls, wire: types_pb2.Region) -> Region:
        size = wire.mask.size
        return cls(
            bbox=box(wire.bbox),
            area=wire.area,
            rle={"size": [size.height, size.width], "counts": wire.mask.counts.encode()},
            score=wire.score if wire.HasField("score") else None,
            label=wire.label if wire.HasField("label") else None,
            level=wire.level if wire.HasField("level") else None,
            parent=wire.parent if wire.HasField("parent") else None,
            extra=json_format.MessageToDict(wire.extra),
        )

    @classmethod
    def of_box(
        cls,
        corners: tuple[float, float, float, float],
        size: tuple[int, int],
        label: str | None = None,
        score: float | None = None,
    ) -> Region:
        """The region of a box, left, top, right and bottom in pixels of an image of this width and
        height, of which no more is known: the pixels whose centres lie in it."""
        (left, top, right, bottom), (width, height) = corners, size
        columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
        inside = np.outer((top <= rows) & (rows < bottom), (left <= columns) & (columns < right))
        rle = coco.encode(np.asfortranarray(inside, dtype=np.uint8))
        x, y, box_width, box_height = (int(number) for number in coco.toBbox(rle))
        return cls(
            bbox=(x, y, box_width, box_height),
            area=int(coco.area(rle)),
            rle={"size": [height, width], "counts": rle["counts"]},
            score=score,
            label=label,
            level=None,
            parent=None,
            extra={"shape": "box", "box": list(corners)},
        )

    def to_wire(self) -> types_pb2.Region:
        height, width = self.rle["size"]
        x, y, box_width, box_height = self.bbox
        return types_pb2.Region(
            bbox=types_pb2.BBox(x=x, y=y, width=box_width, height=box_height),
            mask=types_pb2.Mask(
                size=types_pb2.Size(width=width, height=height),
                counts=self.rle["counts"].decode(),
            ),
            score=self.score,
            label=self.label,
            level=self.level,
            parent=self.parent,
            extra=self.extra,
        )


@dataclass(frozen=True)
class Granularity:
    """A granularity that was asked for, and what came of it."""

    value: float
    """From 1, the coarsest, to 3, the finest."""
    reason: str
    """Why this segmenter answered in this way."""

    @classmethod
    def of(cls, wire: types_pb2.Segmentation) -> Granularity | None:
        """That of a segmentation; none where none was asked for."""
        if not wire.HasField("granularity"):
            return None
        return cls(value=wire.granularity.value, reason=wire.granularity.reason)


@dataclass(frozen=True)
class Refined:
    """Who refined regions, and how."""

    segmenter: str
    version: str
    params: dict[str, Any]
    """What the segmenter was told beside hints, defaults filled in."""

    @classmethod
    def of(cls, wire: som_pb2.SegmentResponse | som_pb2.MarkResponse) -> Refined | None:
        """That of an answer; none where nobody was asked to."""
        if not wire.HasField("refined"):
            return None
        params = json_format.MessageToDict(wire.refined.params)
        return cls(segmenter=wire.refined.segmenter, version=wire.refined.version, params=params)


@dataclass(frozen=True)
class ImageNote:
    """Something that is odd about an image file, which was read all the same."""

    kind: str
    """"stray_bytes", "end_missing", "wrong_checksum", "odd_orientation", "narrow_range", "stretched",
    "white_chosen", "background", "transparency", "further_frames" or "profile_left_out"."""
    text: str
    """In words."""

    @classmethod
    def of(cls, wire: types_pb2.ImageNote) -> ImageNote:
        name = types_pb2.ImageNoteKind.Name(wire.kind)
        return cls(kind=name.removeprefix("IMAGE_NOTE_KIND_").lower(), text=wire.text)


@dataclass(frozen=True)
class Segmentation:
    """The regions of an image."""

    size: tuple[int, int]
    """Width and height of the image."""
    sha256: bytes
    """The digest under which the server keeps the image; empty if it does not."""
    notes: list[ImageNote]
    """What is odd about the file; mostly nothing."""
    segmenter: str
    version: str
    params: dict[str, Any]
    """What the segmenter was told, defaults filled in."""
    granularity: Granularity | None
    """What chose the segmenter, if a granularity did."""
    refined: Refined | None
    """Who refined the regions, if somebody was asked to."""
    regions: list[Region]
    timings_ms: dict[str, float] = field(compare=False)
    """By stage."""

    def to_supervision(self) -> supervision.Detections:
        """As `supervision.Detections`, with the index of each region as `data["region"]`."""
        return _detections(self.regions, {"region": np.arange(len(self.regions))})

    @classmethod
    def of(cls, wire: som_pb2.SegmentResponse) -> Segmentation:
        return cls(
            size=_size(wire.image.size),
            sha256=wire.image.sha256,
            notes=[ImageNote.of(note) for note in wire.image.notes],
            segmenter=wire.segmentation.segmenter,
            version=wire.segmentation.version,
            params=json_format.MessageToDict(wire.segmentation.params),
            granularity=Granularity.of(wire.segmentation),
            refined=Refined.of(wire),
            regions=[Region.of(region) for region in wire.regions],
            timings_ms=timings(wire.timings),
        )


@dataclass(frozen=True)
class Mark:
    """A region with the label and the place that were chosen for it."""

    id: int
    text: str
    label_box: Box
    anchor: tuple[int, int]
    page: int
    color: str
    """As "#1f77b4"."""
    font_size: float
    """Of the text in pixels; 0 without text."""
    inside_image: bool
    """The label's box lies wholly inside the image."""
    clear_of_labels: bool
    """The label's box shares no pixel with another label's box on its page."""
    on_region: float
    """The share of the label's box that lies on the visible part of its own region."""
    leader: bool
    """A line ties the label to its region."""
    anchor_on_region: bool
    contrast: float
    """Of the text against its plate: WCAG's ratio, from 1 to 21."""
    glyph_height: float
    """Of digits and capitals in pixels of the image that the model sees; 0 without text."""
    ink_hidden: float
    """The share of the region's ink, letters and lines, that labels of its page cover."""
    region: Region
    index: int
    """The region's index in the segmenter's own list."""

    @classmethod
    def of(cls, wire: types_pb2.Mark) -> Mark:
        return cls(
            id=wire.id,
            text=wire.text,
            label_box=box(wire.label_box),
            anchor=(wire.anchor.x, wire.anchor.y),
            page=wire.page,
            color=f"#{wire.color:06x}",
            font_size=wire.font_size,
            inside_image=wire.facts.inside_image,
            clear_of_labels=wire.facts.clear_of_labels,
            on_region=wire.facts.on_region,
            leader=wire.facts.leader,
            anchor_on_region=wire.facts.anchor_on_region,
            contrast=wire.facts.contrast,
            glyph_height=wire.facts.glyph_height,
            ink_hidden=wire.facts.ink_hidden,
            region=Region.of(wire.region),
            index=wire.index,
        )


@dataclass(frozen=True)
class Unmarked:
    """A region that got no mark."""

    index: int
    region: Region
    reason: str
    """"empty", "over_limit", "no_room" or "crowded"."""

    @classmethod
    def of(cls, wire: types_pb2.Unmarked) -> Unmarked:
        name = types_pb2.UnmarkedReason.Name(wire.reason)
        reason = name.removeprefix("UNMARKED_REASON_").lower()
        return cls(index=wire.index, region=Region.of(wire.region), reason=reason)


@dataclass(frozen=True)
class Page:
    """One marked image."""

    size: tuple[int, int]
    """Width and height."""
    format: str
    """"png", "jpeg", "webp" or "raw"."""
    data: bytes = field(repr=False)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the file."""
        Path(path).write_bytes(self.data)

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The pixels of a page that was asked for as "raw", of shape (height, width, 3)."""
        width, height = self.size
        return np.frombuffer(self.data, np.uint8).reshape(height, width, 3)

    @classmethod
    def of(cls, wire: types_pb2.Picture) -> Page:
        name = types_pb2.PictureFormat.Name(wire.format)
        format = name.removeprefix("PICTURE_FORMAT_").lower()
        return cls(size=_size(wire.size), format=format, data=wire.data)


@dataclass(frozen=True)
class Marking:
    """A marked image, and everything on it."""

    size: tuple[int, int]
    """Width and height of the image."""
    sha256: bytes
    """The digest under which the server keeps the image; empty if it does not."""
    notes: list[ImageNote]
    """What is odd about the file; mostly nothing."""
    segmenter: str
    """Empty if the regions came with the request."""
    version: str
    params: dict[str, Any]
    granularity: Granularity | None
    refined: Refined | None
    """Who refined the regions, if somebody was asked to."""
    styles: list[str]
    marks: list[Mark]
    unmarked: list[Unmarked]
    pages: list[Page]
    scale: int
    """How many times as large as the image the pages are, along each side. Boxes of labels and
    anchors are in pixels of the pages."""
    timings_ms: dict[str, float] = field(compare=False)
    """By stage; 0 for one that was not run."""

    def to_supervision(self) -> supervision.Detections:
        """As `supervision.Detections`, with the text of each mark as `data["mark"]`."""
        texts = np.array([mark.text for mark in self.marks], dtype=str)
        return _detections([mark.region for mark in self.marks], {"mark": texts})

    @classmethod
    def of(cls, wire: som_pb2.MarkResponse) -> Marking:
        return cls(
            size=_size(wire.image.size),
            sha256=wire.image.sha256,
            notes=[ImageNote.of(note) for note in wire.image.notes],
            segmenter=wire.segmentation.segmenter,
            version=wire.segmentation.version,
            params=json_format.MessageToDict(wire.segmentation.params),
            granularity=Granularity.of(wire.segmentation),
            refined=Refined.of(wire),
            styles=[layer.id for layer in wire.styles],
            marks=[Mark.of(mark) for mark in wire.marks],
            unmarked=[Unmarked.of(region) for region in wire.unmarked],
            pages=[Page.of(page) for page in wire.pages],
            scale=wire.scale,
            timings_ms=timings(wire.timings),
        )


@dataclass(frozen=True)
class Failure:
    """Why one image of a stream failed."""

    code: grpc.StatusCode
    message: str
    retry_delay: timedelta | None
    """When the same request may work; none if it will not."""
    error: Exception | None = field(default=None, compare=False)
    """What went wrong with the image here, before it was sent; none if the server refused it."""

    @classmethod
    def here(cls, error: Exception) -> Failure:
        """What is wrong with an image that could not be sent."""
        code = grpc.StatusCode.INVALID_ARGUMENT
        return cls(code=code, message=str(error), retry_delay=None, error=error)

    @classmethod
    def of(cls, wire: som_pb2.Failure) -> Failure:
        delay = wire.retry_delay.ToTimedelta() if wire.HasField("retry_delay") else None
        return cls(code=code_of(wire.code), message=wire.message, retry_delay=delay)


@dataclass(frozen=True)
class Descriptor:
    """What a segmenter or mark style says about itself."""

    id: str
    version: str
    about: str
    capabilities: frozenset[str]
    params_schema: str
    """JSON Schema, as text."""

    @classmethod
    def of(cls, wire: types_pb2.Descriptor) -> Descriptor:
        known = types_pb2.Capability.values()
        names = (types_pb2.Capability.Name(value) for value in wire.capabilities if value in known)
        return cls(
            id=wire.id,
            version=wire.version,
            about=wire.about,
            capabilities=frozenset(name.removeprefix("CAPABILITY_").lower() for name in names),
            params_schema=wire.params_schema,
        )


@dataclass(frozen=True)
class Model:
    """A large multimodal model, as the server knows it before it is asked."""

    name: str
    """In the server's settings: what `lmm` takes."""
    provider: str
    model: str
    """Its own name."""
    vision: bool
    """It takes images."""
    structured: bool
    """It answers by a JSON schema."""
    priced: bool
    """What tokens cost is known, so that a budget can limit it."""

    @classmethod
    def of(cls, wire: catalog_pb2.LmmInfo) -> Model:
        return cls(
            name=wire.lmm.name,
            provider=wire.lmm.provider,
            model=wire.lmm.model,
            vision=wire.vision,
            structured=wire.structured,
            priced=wire.priced,
        )


@dataclass(frozen=True)
class GranularityPick:
    """A segmenter that a granularity chooses, and what it is told."""

    segmenter: str
    params: dict[str, Any]
    why: str
    """Why it and not the segmenter that the settings name; empty, if it is that one."""

    @classmethod
    def of(cls, wire: types_pb2.GranularityPick) -> GranularityPick:
        params = json_format.MessageToDict(wire.params)
        return cls(segmenter=wire.segmenter, params=params, why=wire.why)


@dataclass(frozen=True)
class GranularityStep:
    """A step of the granularity slider; it holds from its start to that of the next one."""

    start: float
    above: bool
    """It holds for values above `start` only."""
    everything: GranularityPick
    """Who cuts everything."""
    hinted: GranularityPick
    """Who cuts what hints point at."""

    @classmethod
    def of(cls, wire: types_pb2.GranularityStep) -> GranularityStep:
        return cls(
            start=wire.start,
            above=wire.above,
            everything=GranularityPick.of(wire.everything),
            hinted=GranularityPick.of(wire.hinted),
        )


def outcome(wire: som_pb2.MarkStreamResponse) -> Marking | Failure:
    """One answer of a stream."""
    if wire.WhichOneof("outcome") == "mark":
        return Marking.of(wire.mark)
    return Failure.of(wire.failure)


def timings(wire: types_pb2.Timings | ask_pb2.AskTimings) -> dict[str, float]:
    """Milliseconds by stage."""
    return {stage.name: getattr(wire, stage.name) for stage in wire.DESCRIPTOR.fields}


def segmenters(wire: catalog_pb2.ListSegmentersResponse) -> list[Descriptor]:
    return [Descriptor.of(segmenter) for segmenter in wire.segmenters]


def granularity_steps(wire: catalog_pb2.ListSegmentersResponse) -> list[GranularityStep]:
    return [GranularityStep.of(step) for step in wire.granularity_steps]


def mark_styles(wire: catalog_pb2.ListMarkStylesResponse) -> list[Descriptor]:
    return [Descriptor.of(style) for style in wire.mark_styles]


def models(wire: catalog_pb2.ListLmmsResponse) -> list[Model]:
    return [Model.of(model) for model in wire.lmms]


def box(wire: types_pb2.BBox) -> Box:
    return (wire.x, wire.y, wire.width, wire.height)


def _size(wire: types_pb2.Size) -> tuple[int, int]:
    return (wire.width, wire.height)


def _detections(
    regions: Sequence[Region], data: Mapping[str, npt.NDArray[Any]]
) -> supervision.Detections:
    import supervision

    if not regions:
        return supervision.Detections.empty()
    boxes = np.array([region.bbox for region in regions], dtype=float)
    boxes[:, 2:] += boxes[:, :2]  # XYWH to XYXY
    scores = [region.score for region in regions]
    labels = [region.label for region in regions]
    classes = np.arange(len(regions))
    if any(label is not None for label in labels):
        names = np.array([label or "" for label in labels], dtype=str)
        _, classes = np.unique(names, return_inverse=True)
        data = {**data, "class_name": names}
    return supervision.Detections(
        xyxy=boxes,
        mask=_stack(region.mask for region in regions),
        confidence=None if None in scores else np.array(scores, dtype=float),
        # Annotators choose colours by class: without names every region is one of its own.
        class_id=classes.astype(int),
        data=dict(data),
    )


def _stack(masks: Iterable[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    return np.stack(list(masks))
