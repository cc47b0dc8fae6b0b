"""Marking: som against supervision, in one run, on the same image and the same given masks.

som allocates marks and draws `mask,contour,number` through its plugin boundary; supervision draws
its Mask, Polygon and Label annotators. Each takes the fastest of many calls on one thread. Both
pictures are left beside each other in target/peers/pictures.
"""

import json
import os
import subprocess
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import supervision as sv
from PIL import Image
from pycocotools import mask as coco

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "target/peers/pictures"
PHOTO = ROOT / "examples/images/coffee.png"
REGIONS = ROOT / "plugins/marks/benches/coffee-48.json"
SECONDS = 3
ROUNDS = 3


def fastest(call):
    start, best = time.perf_counter(), float("inf")
    while time.perf_counter() - start < SECONDS:
        call_start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - call_start)
    return best


def supervision(photo, regions):
    masks = [
        coco.decode({"size": region["size"], "counts": region["counts"].encode()}).astype(bool)
        for region in regions
    ]
    masks = np.stack(sorted(masks, key=lambda mask: -mask.sum()))
    detections = sv.Detections(
        xyxy=sv.mask_to_xyxy(masks), mask=masks, class_id=np.arange(len(masks))
    )
    labels = [str(number) for number in range(1, len(masks) + 1)]
    lookup = sv.ColorLookup.INDEX
    fill = sv.MaskAnnotator(color_lookup=lookup)
    outline = sv.PolygonAnnotator(color_lookup=lookup)
    label = sv.LabelAnnotator(color_lookup=lookup, text_position=sv.Position.CENTER_OF_MASS)

    def mark():
        scene = fill.annotate(photo.copy(), detections)
        scene = outline.annotate(scene, detections)
        return label.annotate(scene, detections, labels)

    return mark


def main():
    build = ["cargo", "build", "--release", "-q", "-p", "som-marks", "--example", "peer-marks"]
    subprocess.run(build, cwd=ROOT, check=True)
    OUT.mkdir(parents=True, exist_ok=True)
    image = Image.open(PHOTO).convert("RGB").resize((960, 640), Image.LANCZOS)
    image.save(OUT / "photo.png")
    regions = json.loads(REGIONS.read_text())
    peer = supervision(np.asarray(image)[:, :, ::-1].copy(), regions)
    Image.fromarray(np.ascontiguousarray(peer()[:, :, ::-1])).save(OUT / "supervision.png")
    command = [ROOT / "target/release/examples/peer-marks", OUT / "photo.png", REGIONS, SECONDS]
    command = [str(part) for part in [*command, OUT / "som.png"]]
    theirs = ours = float("inf")
    for _ in range(ROUNDS):
        theirs = min(theirs, fastest(peer))
        answer = json.loads(subprocess.check_output(command))
        ours = min(ours, answer["mark_s"])
    print(f"supervision {sv.__version__}: {theirs * 1e3:.1f} ms")
    print(f"som: {ours * 1e3:.2f} ms, {answer['holding']} of {answer['marks']} marks hold all promises")
    print(f"ratio: {theirs / ours:.0f}")


if __name__ == "__main__":
    main()
