"""The program: `som-superpixels --listen 127.0.0.1:50061`."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from som.plugin.v1 import segmenter_pb2_grpc

from .service import Superpixels

MESSAGE_BYTES = 64 << 20
"""Raw images are large: 3 bytes for each pixel."""
DRAIN_SECONDS = 10.0


def serve(address: str, instances: int) -> tuple[grpc.Server, str]:
    """Starts a server and tells its address, with the port that was chosen for port 0."""
    server = grpc.server(
        # Health checks and descriptions must not wait for images.
        ThreadPoolExecutor(max_workers=instances + 2),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            # A second server on a port is a mistake.
            ("grpc.so_reuseport", 0),
        ],
    )
    checks = health.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    service = Superpixels(instances)
    segmenter_pb2_grpc.add_SegmenterServiceServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port(address)
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    server.start()
    host = address.rpartition(":")[0]
    return server, address if address.startswith("unix:") else f"{host}:{port}"


def main() -> None:
    """Serves until SIGTERM or SIGINT, then finishes the calls in progress."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:50061", help="HOST:PORT or unix:PATH")
    parser.add_argument(
        "--instances", type=int, default=os.cpu_count() or 1, help="images cut at the same time"
    )
    arguments = parser.parse_args()

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server, address = serve(arguments.listen, arguments.instances)
    print(f"listening on {address}", flush=True)
    stop.wait()
    server.stop(DRAIN_SECONDS).wait()


if __name__ == "__main__":
    main()
