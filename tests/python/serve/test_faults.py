"""Clients that stop, and servers that go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import grpc
import pytest
from som.v1 import som_pb2, som_pb2_grpc

from conftest import mark

STREAMING = """
import sys
import grpc
from som.v1 import som_pb2, som_pb2_grpc, types_pb2
image = types_pb2.Image(encoded=types_pb2.EncodedImage(data=open(sys.argv[2], "rb").read()))
request = som_pb2.MarkStreamRequest(mark=som_pb2.MarkRequest(image=image))
with grpc.insecure_channel(sys.argv[1]) as channel:
    for answer in som_pb2_grpc.SomServiceStub(channel).MarkStream(request for _ in range(10_000)):
        print(answer.index, flush=True)
"""
"""Marks one image again and again, and prints as answers come."""


def test_a_stopped_client_does_not_hold_up_the_shutdown(start, tmp_path, coffee):
    drain = 1.0
    server = start(f"[server]\ndrain_ms = {int(drain * 1000)}")
    (tmp_path / "coffee.png").write_bytes(coffee)
    client = subprocess.Popen(
        [sys.executable, "-c", STREAMING, server.address, tmp_path / "coffee.png"],
        stdout=subprocess.PIPE,
    )
    try:
        assert client.stdout.readline() == b"0\n"
        os.kill(client.pid, signal.SIGSTOP)
        server.process.terminate()
        # Nothing would end it but its own limit: the client is there, and never answers.
        assert server.process.wait(timeout=drain + 15) == 0
    finally:
        client.kill()
        client.wait()
        client.stdout.close()


def test_a_stream_whose_server_is_killed_ends_with_an_error(start, coffee):
    server = start()
    with server.channel() as channel:
        requests = (som_pb2.MarkStreamRequest(mark=mark(coffee)) for _ in range(10_000))
        answers = som_pb2_grpc.SomServiceStub(channel).MarkStream(requests)
        assert next(answers).index == 0
        server.kill()
        with pytest.raises(grpc.RpcError) as error:
            for _ in answers:
                pass
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_client_finds_the_server_that_came_back(start, coffee):
    first = start()
    with first.channel() as channel:
        stub = som_pb2_grpc.SomServiceStub(channel)
        before = stub.Mark(mark(coffee)).marks
        first.kill()
        start(listen=first.address)
        assert stub.Mark(mark(coffee), wait_for_ready=True, timeout=30).marks == before


def test_calls_in_progress_are_finished(start, coffee):
    server = start("[server]\ndrain_ms = 60000")
    with server.channel() as channel:
        stub = som_pb2_grpc.SomServiceStub(channel)
        stub.Mark(mark(coffee))
        calls = [stub.Mark.future(mark(coffee)) for _ in range(4)]
        time.sleep(0.1)
        server.process.terminate()
        assert all(call.result(timeout=60).marks for call in calls)
    assert server.process.wait(timeout=30) == 0
