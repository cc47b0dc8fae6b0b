"""`som.plugin.v1.SegmenterService` around the algorithm."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import grpc
import numpy as np
import numpy.typing as npt
from google.protobuf import json_format
from pycocotools import mask as coco

from som.plugin.v1 import segmenter_pb2, segmenter_pb2_grpc
from som.v1 import types_pb2

from . import segmenter


class Superpixels(segmenter_pb2_grpc.SegmenterServiceServicer):
    """Serves the segmenter `superpixels`."""

    def __init__(self, instances: int) -> None:
        self._instances = instances
        self._places = threading.BoundedSemaphore(instances)

    def Describe(
        self, request: segmenter_pb2.DescribeRequest, context: grpc.ServicerContext
    ) -> segmenter_pb2.DescribeResponse:
        return segmenter_pb2.DescribeResponse(
            descriptor=types_pb2.Descriptor(
                id="superpixels",
                version="0.1.0",
                about="Felzenszwalb's graph-based segmentation, by scikit-image.",
                capabilities=[types_pb2.CAPABILITY_AUTOMATIC],
                params_schema=json.dumps(segmenter.SCHEMA),
            ),
            instances=self._instances,
        )

    def Segment(
        self, request: segmenter_pb2.SegmentRequest, context: grpc.ServicerContext
    ) -> Iterator[segmenter_pb2.SegmentResponse]:
        if not self._places.acquire(blocking=False):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "every instance is busy")
        try:
            params = json_format.MessageToDict(request.params)
            segments = segmenter.segment(
                unpack(request.image),
                scale=float(params.get("scale", 300)),
                sigma=float(params.get("sigma", 0.8)),
                min_area=int(params.get("min_area", 400)),
                is_cancelled=lambda: not context.is_active(),
            )
            for segment in segments:
                yield segmenter_pb2.SegmentResponse(region=pack(segment))
        except (ValueError, TypeError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except segmenter.Cancelled:
            context.abort(grpc.StatusCode.CANCELLED, "the call was cancelled")
        finally:
            self._places.release()


def unpack(image: types_pb2.RawImage) -> npt.NDArray[np.uint8]:
    """The image as an array of shape (height, width, 3) over the message's own memory."""
    height, width = image.size.height, image.size.width
    if len(image.pixels) != 3 * width * height or width * height == 0:
        raise ValueError(f"the image does not fill {width}x{height} pixels")
    return np.frombuffer(image.pixels, np.uint8).reshape(height, width, 3)


def pack(segment: segmenter.Segment) -> types_pb2.Region:
    """A region with its mask cropped to the box."""
    height, width = segment.mask.shape
    rle = coco.encode(np.asfortranarray(segment.mask, dtype=np.uint8))
    return types_pb2.Region(
        bbox=types_pb2.BBox(x=segment.x, y=segment.y, width=width, height=height),
        mask=types_pb2.Mask(
            size=types_pb2.Size(width=width, height=height), counts=rle["counts"].decode()
        ),
    )
