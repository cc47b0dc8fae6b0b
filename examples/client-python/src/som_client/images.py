"""Images on their way to the server."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from som.v1 import types_pb2

Pixels: TypeAlias = npt.NDArray[np.uint8]


class ImageFile:
    """An image file, and how it becomes pixels; what is not said is the server's choice.

    `stretch` makes the darkest of values of more than 8 bits black and the brightest white, and
    `background` is what shows where the image is transparent: "auto" or a colour like "#1f77b4".
    """

    def __init__(
        self,
        image: bytes | str | PathLike[str],
        *,
        stretch: bool | None = None,
        background: str = "",
    ) -> None:
        self.data = _read(image)
        self.stretch = stretch
        self.background = background

    def whole(self) -> types_pb2.Image:
        """The image itself."""
        return types_pb2.Image(encoded=self._encoded(keep=False))

    def _encoded(self, keep: bool) -> types_pb2.EncodedImage:
        return types_pb2.EncodedImage(
            data=self.data, keep=keep, stretch=self.stretch, background=self.background
        )


class Kept(ImageFile):
    """An image that is sent once: later requests name it by its digest.

    The server may forget it when its memory for images is full; then it is sent again. One with
    `stretch` or `background` is always sent: what is kept is a file that is read in the usual way.
    """

    def __init__(
        self,
        image: bytes | str | PathLike[str],
        *,
        stretch: bool | None = None,
        background: str = "",
    ) -> None:
        super().__init__(image, stretch=stretch, background=background)
        self.digest = hashlib.sha256(self.data).digest()

    def file(self) -> ImageFile:
        """The same without being kept."""
        return ImageFile(self.data, stretch=self.stretch, background=self.background)

    def named(self) -> types_pb2.Image:
        """The image by its digest, if it is read in the usual way."""
        return types_pb2.Image(sha256=self.digest) if self._is_usual else self.whole()

    def whole(self) -> types_pb2.Image:
        """The image itself, to be kept."""
        return types_pb2.Image(encoded=self._encoded(keep=self._is_usual))

    @property
    def _is_usual(self) -> bool:
        return self.stretch is None and not self.background


ImageLike: TypeAlias = bytes | str | PathLike[str] | Pixels | ImageFile
"""A file's bytes, a path, an RGB array of shape (height, width, 3), a file with how it is read, or an
image that is kept."""


def to_wire(image: ImageLike) -> types_pb2.Image:
    """The image as a request holds it."""
    if isinstance(image, Kept):
        return image.named()
    if isinstance(image, ImageFile):
        return image.whole()
    if isinstance(image, np.ndarray):
        return types_pb2.Image(raw=_raw(image))
    return types_pb2.Image(encoded=types_pb2.EncodedImage(data=_read(image)))


def _read(image: Any) -> bytes:
    if isinstance(image, bytes):
        return image
    return Path(image).read_bytes()


def _raw(pixels: Pixels) -> types_pb2.RawImage:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(
            f"an image array is uint8 of shape (height, width, 3), not {pixels.dtype} of {pixels.shape}"
        )
    height, width, _ = pixels.shape
    size = types_pb2.Size(width=width, height=height)
    return types_pb2.RawImage(size=size, pixels=np.ascontiguousarray(pixels).tobytes())
