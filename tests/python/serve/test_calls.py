"""Unary calls and streams: answers, sizes, compression, deadlines, cancellation."""

from __future__ import annotations

import hashlib
import io
import time

import grpc
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco
from som.v1 import catalog_pb2, catalog_pb2_grpc, som_pb2, som_pb2_grpc, types_pb2

from conftest import encoded, mark


def test_regions_are_coco_masks(som, coffee):
    answer = som.Segment(som_pb2.SegmentRequest(image=encoded(coffee)))
    assert len(answer.regions) >= 8
    for region in answer.regions:
        rle = {"size": [400, 600], "counts": region.mask.counts}
        box = region.bbox
        assert coco.area(rle) == region.area
        assert coco.toBbox(rle).tolist() == [box.x, box.y, box.width, box.height]


def test_a_marked_image_is_a_picture(som, coffee):
    answer = som.Mark(som_pb2.MarkRequest(image=encoded(coffee)))
    [page] = answer.pages
    picture = Image.open(io.BytesIO(page.data))
    assert (picture.format, picture.size) == ("PNG", (600, 400))
    before = np.asarray(Image.open(io.BytesIO(coffee)).convert("RGB"))
    assert (np.asarray(picture) != before).any()
    assert [mark.text for mark in answer.marks] == [str(n + 1) for n in range(len(answer.marks))]
    assert all(mark.facts.contrast >= 4.5 for mark in answer.marks)


def test_a_stream_answers_in_order(som, coffee):
    images = [coffee, b"no image", coffee]
    requests = (som_pb2.MarkStreamRequest(mark=mark(image)) for image in images)
    answers = list(som.MarkStream(requests))
    assert [answer.index for answer in answers] == [0, 1, 2]
    assert [answer.WhichOneof("outcome") for answer in answers] == ["mark", "failure", "mark"]
    assert answers[1].failure.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert answers[0].mark.marks == answers[2].mark.marks


def test_thirty_mebibytes_go_both_ways(som):
    side = 3240
    pixels = np.random.default_rng(3).integers(0, 255, (side, side, 3), np.uint8)
    assert pixels.nbytes > 30 << 20
    size = types_pb2.Size(width=side, height=side)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=0)
    box = types_pb2.Region(bbox=types_pb2.BBox(x=100, y=100, width=2000, height=2000))
    for image in [
        types_pb2.Image(raw=types_pb2.RawImage(size=size, pixels=pixels.tobytes())),
        encoded(file.getvalue()),
    ]:
        request = som_pb2.MarkRequest(
            image=image,
            regions=types_pb2.RegionList(regions=[box]),
            styles=[types_pb2.StyleLayer(id="number")],
            format=types_pb2.PICTURE_FORMAT_RAW,
        )
        [page] = som.Mark(request, timeout=60).pages
        marked = np.frombuffer(page.data, np.uint8).reshape(side, side, 3)
        # The label is small: nearly all of the image is as it was.
        assert 0 < (marked != pixels).any(axis=2).mean() < 0.02


def test_compressed_calls_give_the_same(server, som, coffee):
    with server.channel(compression=grpc.Compression.Gzip) as channel:
        squeezed = som_pb2_grpc.SomServiceStub(channel).Mark(mark(coffee))
    assert squeezed.marks == som.Mark(mark(coffee)).marks


def test_an_image_is_sent_once(som, coffee):
    digest = hashlib.sha256(coffee).digest()
    named = som_pb2.SegmentRequest(image=types_pb2.Image(sha256=digest))
    with pytest.raises(grpc.RpcError) as error:
        som.Segment(named)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND
    assert digest.hex() in error.value.details()
    first = som.Segment(som_pb2.SegmentRequest(image=encoded(coffee, keep=True)))
    assert first.image.sha256 == digest
    assert som.Segment(named).regions == first.regions


def test_a_call_ends_at_its_deadline(som, coffee):
    started = time.monotonic()
    with pytest.raises(grpc.RpcError) as error:
        som.Mark(mark(coffee), timeout=0.005)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - started < 5
    assert som.Mark(mark(coffee)).marks


def test_the_server_has_a_deadline_of_its_own(start, coffee):
    server = start("[server]\ndeadline_ms = 5")
    with server.channel() as channel, pytest.raises(grpc.RpcError) as error:
        som_pb2_grpc.SomServiceStub(channel).Mark(mark(coffee))
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_cancelled_call_leaves_the_server_free(som, coffee):
    calls = [som.Mark.future(mark(coffee)) for _ in range(8)]
    for call in calls:
        assert call.cancel()
    assert all(call.code() == grpc.StatusCode.CANCELLED for call in calls)
    assert som.Mark(mark(coffee)).marks


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (som_pb2.MarkRequest(), grpc.StatusCode.INVALID_ARGUMENT, "image is not set"),
        (mark(b""), grpc.StatusCode.INVALID_ARGUMENT, "image"),
        (mark(b"\x89PNG\r\n\x1a\n"), grpc.StatusCode.INVALID_ARGUMENT, "image"),
        (
            som_pb2.MarkRequest(image=encoded(b"x"), format=99),
            grpc.StatusCode.INVALID_ARGUMENT,
            "format 99 is unknown",
        ),
        (
            som_pb2.MarkRequest(image=types_pb2.Image(sha256=b"short")),
            grpc.StatusCode.INVALID_ARGUMENT,
            "32",
        ),
    ],
)
def test_a_wrong_request_is_told(som, request_, code, words):
    with pytest.raises(grpc.RpcError) as error:
        som.Mark(request_)
    assert error.value.code() == code
    assert words in error.value.details()


def test_bytes_that_are_no_message_are_told(server):
    with server.channel() as channel:
        call = channel.unary_unary("/som.v1.SomService/Mark")
        with pytest.raises(grpc.RpcError) as error:
            call(b"\xff\xff\xff\xff")
        assert error.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
        with pytest.raises(grpc.RpcError) as error:
            channel.unary_unary("/som.v1.SomService/Draw")(b"")
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_the_catalogue_has_schemas(server):
    with server.channel() as channel:
        catalog = catalog_pb2_grpc.CatalogServiceStub(channel)
        answer = catalog.ListSegmenters(catalog_pb2.ListSegmentersRequest())
    assert answer.default_segmenter == "classic"
    assert '"level"' in answer.segmenters[0].params_schema
