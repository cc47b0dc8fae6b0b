"""COCO RLE: som against pycocotools, in one run, checking that both write the same text.

Each encodes a byte array to text, and decodes text to what it works with: pycocotools to a byte
array in column order, som to its masks, runs along the rows. The lines "rows" compare what an
image, numpy or PyTorch needs: byte arrays in row order, before and after; there pycocotools has to
change the order and som has to write the bytes. All times are the fastest of many calls.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

ROOT = Path(__file__).resolve().parents[2]
SIZES = [(1920, 1080), (640, 480)]
SECONDS = 0.5
ROUNDS = 3


def shapes(width, height):
    y, x = np.mgrid[:height, :width]
    radius = ((x / width - 0.5) / 0.3) ** 2 + ((y / height - 0.5) / 0.35) ** 2
    yield "smooth blob", radius < 1
    yield "wavy blob", radius + 0.1 * np.sin(x / 9) * np.cos(y / 7) < 1
    yield "ripples", np.sin(x / 3) + np.sin(y / 4) + np.sin((x + y) / 7) > 0
    yield "grid of dots", (x % 8 < 4) & (y % 8 < 4)
    yield "noise", np.random.default_rng(0).random((height, width)) < 0.5


def fastest(call):
    start, best = time.perf_counter(), float("inf")
    while time.perf_counter() - start < SECONDS:
        call_start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - call_start)
    return best


def time_pycocotools(pixels):
    columns = np.asfortranarray(pixels)
    rle = coco.encode(columns)
    return rle, {
        "encode": fastest(lambda: coco.encode(columns)),
        "decode": fastest(lambda: coco.decode(rle)),
        "encode, rows": fastest(lambda: coco.encode(np.asfortranarray(pixels))),
        "decode, rows": fastest(lambda: np.ascontiguousarray(coco.decode(rle))),
    }


def time_som(pixels, folder):
    height, width = pixels.shape
    file = Path(folder) / "pixels"
    file.write_bytes(pixels.tobytes())
    command = [ROOT / "target/release/examples/peer-rle", width, height, file, SECONDS]
    answer = json.loads(subprocess.check_output([str(part) for part in command]))
    assert answer["survives"], "pixels changed on the way through the text"
    return answer["rle"]["counts"].encode(), {
        "encode": answer["encode_s"],
        "decode": answer["decode_s"],
        "encode, rows": answer["encode_s"],
        "decode, rows": answer["decode_rows_s"],
    }


def main():
    build = ["cargo", "build", "--release", "-q", "-p", "som-core", "--example", "peer-rle"]
    subprocess.run(build, cwd=ROOT, check=True)
    print(f"{'size':>10} {'mask':>12} {'what':>13} {'pycocotools':>12} {'som':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            for name, shape in shapes(width, height):
                pixels = shape.astype(np.uint8)
                peer, own = {}, {}
                for _ in range(ROUNDS):
                    rle, times = time_pycocotools(pixels)
                    peer = {key: min(time, peer.get(key, time)) for key, time in times.items()}
                    text, times = time_som(pixels, folder)
                    own = {key: min(time, own.get(key, time)) for key, time in times.items()}
                    if text != rle["counts"]:
                        sys.exit(f"{name} {width}x{height}: the texts differ")
                for what in own:
                    print(
                        f"{width:>5}x{height:<4} {name:>12} {what:>13} {peer[what] * 1e6:>9.0f} us"
                        f" {own[what] * 1e6:>6.0f} us {peer[what] / own[what]:>6.1f}"
                    )


if __name__ == "__main__":
    main()
