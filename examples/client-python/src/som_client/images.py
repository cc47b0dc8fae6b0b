"""Images on their way to the server."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from som.v1 import types_pb2

if TYPE_CHECKING:
    import PIL.Image

Pixels: TypeAlias = npt.NDArray[Any]


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


ImageLike: TypeAlias = Union[bytes, str, PathLike[str], Pixels, "PIL.Image.Image", ImageFile]
"""A file's bytes, a path, an array, an image of Pillow, a file with how it is read, or an image that is
kept.

An array holds whole numbers from 0 to 255 in the shape (height, width) or (height, width, 1) for
gray, (height, width, 3) for RGB and (height, width, 4) for RGBA, which is laid on white."""


def to_wire(image: ImageLike) -> types_pb2.Image:
    """The image as a request holds it; raises OSError for a file that cannot be read, and
    ValueError or TypeError for what is no image."""
    if isinstance(image, Kept):
        return image.named()
    if isinstance(image, ImageFile):
        return image.whole()
    if isinstance(image, np.ndarray):
        return types_pb2.Image(raw=_raw(image))
    if isinstance(image, bytes | str | PathLike):
        return types_pb2.Image(encoded=types_pb2.EncodedImage(data=_read(image)))
    if hasattr(image, "convert") and hasattr(image, "has_transparency_data"):
        mode = "RGBA" if image.has_transparency_data else "RGB"
        return types_pb2.Image(raw=_raw(np.asarray(image.convert(mode))))
    raise TypeError(f"an image is a path, bytes, an array or an image of Pillow, not {type(image)}")


def _read(image: Any) -> bytes:
    if isinstance(image, bytes):
        return image
    return Path(image).read_bytes()


def _raw(pixels: Pixels) -> types_pb2.RawImage:
    pixels = _rgb(pixels)
    height, width, _ = pixels.shape
    size = types_pb2.Size(width=width, height=height)
    return types_pb2.RawImage(size=size, pixels=np.ascontiguousarray(pixels).tobytes())


def _rgb(pixels: Pixels) -> npt.NDArray[np.uint8]:
    channels = 1 if pixels.ndim == 2 else pixels.shape[-1] if pixels.ndim == 3 else 0
    if channels not in (1, 3, 4) or not np.issubdtype(pixels.dtype, np.integer):
        raise ValueError(
            "an image array holds whole numbers of shape (height, width), or (height, width, 1, 3 or "
            f"4), not {pixels.dtype} of {pixels.shape}"
        )
    if pixels.dtype != np.uint8:
        if pixels.size and not (0 <= pixels.min() and pixels.max() <= 255):
            raise ValueError(f"an image array goes from 0 to 255, not to {pixels.max()}")
        pixels = pixels.astype(np.uint8)
    if channels == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        on_white = pixels[..., :3] * alpha + 255 * (255 - alpha)
        return ((on_white + 127) // 255).astype(np.uint8)
    if channels == 1:
        return np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    return pixels
