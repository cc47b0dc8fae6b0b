"""The service, over a real connection."""

import json
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from google.protobuf import json_format, struct_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pycocotools import mask as coco

from som.plugin.v1 import segmenter_pb2, segmenter_pb2_grpc
from som.v1 import types_pb2
from som_superpixels.server import serve


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    server, address = serve("127.0.0.1:0", instances=1)
    with grpc.insecure_channel(address) as channel:
        yield channel
    server.stop(None)


@pytest.fixture
def stub(channel: grpc.Channel) -> segmenter_pb2_grpc.SegmenterServiceStub:
    return segmenter_pb2_grpc.SegmenterServiceStub(channel)


def image(width: int, height: int, size: int | None = None) -> types_pb2.RawImage:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return types_pb2.RawImage(
        size=types_pb2.Size(width=width, height=height), pixels=pixels.tobytes()[:size]
    )


def params(**values: object) -> struct_pb2.Struct:
    return json_format.ParseDict(values, struct_pb2.Struct())


def test_it_describes_itself(stub: segmenter_pb2_grpc.SegmenterServiceStub) -> None:
    answer = stub.Describe(segmenter_pb2.DescribeRequest())
    assert answer.descriptor.id == "superpixels"
    assert set(json.loads(answer.descriptor.params_schema)["properties"]) == {
        "scale",
        "sigma",
        "min_area",
    }
    assert answer.instances == 1


def test_it_is_healthy(channel: grpc.Channel) -> None:
    answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_it_streams_regions(stub: segmenter_pb2_grpc.SegmenterServiceStub) -> None:
    request = segmenter_pb2.SegmentRequest(image=image(40, 20), params=params(sigma=0, min_area=5))
    regions = [answer.region for answer in stub.Segment(request)]
    assert [(region.bbox.x, region.bbox.width) for region in regions] == [(0, 20), (20, 20)]
    for region in regions:
        size = [region.mask.size.height, region.mask.size.width]
        assert coco.decode({"size": size, "counts": region.mask.counts}).all()


@pytest.mark.parametrize("wrong", [image(40, 20, size=100), types_pb2.RawImage()])
def test_it_refuses_an_image_that_is_none(
    stub: segmenter_pb2_grpc.SegmenterServiceStub, wrong: types_pb2.RawImage
) -> None:
    with pytest.raises(grpc.RpcError) as error:
        list(stub.Segment(segmenter_pb2.SegmentRequest(image=wrong)))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "does not fill" in error.value.details()
