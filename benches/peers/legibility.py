"""Labels: where som puts them, and where supervision does, on the same regions of the same photographs.

Both are measured by the same code, from the boxes of their labels: how many overlap another one, how
many lie for the most part on the visible part of their own region, how many reach over the edge of the
image, and how much of it they hide. No model is asked. `som eval marks` tells the same of som alone.
"""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import supervision as sv
from PIL import Image
from pycocotools import mask as coco

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = [
    ROOT / "examples/images" / name
    for name in ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
]
LEVEL = 5


def program():
    """The som that SOM names, or the one that is built here."""
    named = os.environ.get("SOM")
    if named:
        return named
    subprocess.run(["cargo", "build", "--release", "-q"], cwd=ROOT, check=True)
    return ROOT / "target/release/som"


def marked(som, photo):
    """The regions of a photograph, and for each the page and the box of som's label."""
    command = [som, "mark", photo, "--level", LEVEL, "--no-image", "--quiet"]
    report = json.loads(subprocess.check_output([str(part) for part in command]))
    masks, boxes = [], []
    for mark in report["marks"]:
        rle = mark["region"]["segmentation"]
        masks.append(coco.decode({"size": rle["size"], "counts": rle["counts"].encode()}).astype(bool))
        box = mark["label_box"]
        x, y, width, height = box if isinstance(box, list) else (box[key] for key in ("x", "y", "width", "height"))
        boxes.append((mark["page"], x, y, x + width, y + height))
    return np.stack(masks), boxes


def annotated(masks):
    """The box of supervision's label for each of `masks`: all are on one page."""
    order = sorted(range(len(masks)), key=lambda index: -masks[index].sum())
    annotator = sv.LabelAnnotator(color_lookup=sv.ColorLookup.INDEX, text_position=sv.Position.CENTER_OF_MASS)
    boxes = {}
    for number, index in enumerate(order, 1):
        one = masks[index : index + 1]
        detection = sv.Detections(xyxy=sv.mask_to_xyxy(one), mask=one, class_id=np.array([0]))
        ground = np.zeros((*one.shape[1:], 3), np.uint8)
        ys, xs = np.nonzero(annotator.annotate(ground, detection, [str(number)]).any(axis=2))
        boxes[index] = (1, xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)
    return [boxes[index] for index in range(len(masks))]


def measured(masks, boxes):
    """Labels, those that overlap, those on their own region, and the hidden share of a page."""
    areas = masks.sum(axis=(1, 2))
    visible = [
        mask & ~np.any(masks[areas < area], axis=0) if (areas < area).any() else mask
        for mask, area in zip(masks, areas)
    ]

    def meets(a, b):
        return a[0] == b[0] and a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]

    overlap = sum(any(meets(a, b) for b in boxes if b is not a) for a in boxes)
    own = sum(
        region[y0:y1, x0:x1].sum() > (y1 - y0) * (x1 - x0) / 2
        for region, (_, x0, y0, x1, y1) in zip(visible, boxes)
    )
    pages = {box[0] for box in boxes}
    hidden = np.zeros((len(pages), *masks.shape[1:]), bool)
    for page, x0, y0, x1, y1 in boxes:
        hidden[page - 1, y0:y1, x0:x1] = True
    return np.array([len(boxes), overlap, own, hidden.mean(), len(pages)])


def main():
    sums = {"som": np.zeros(5), f"supervision {sv.__version__}": np.zeros(5)}
    som = program()
    for photo in PHOTOS:
        masks, ours = marked(som, photo)
        for sum_, boxes in zip(sums.values(), (ours, annotated(masks))):
            sum_ += measured(masks, boxes)
    for name, (labels, overlap, own, hidden, pages) in sums.items():
        print(
            f"{name}: {labels:.0f} labels on {pages:.0f} pages, {overlap / labels:.1%} overlap, "
            f"{own / labels:.1%} on their own region, {hidden / len(PHOTOS):.1%} of a page hidden"
        )


if __name__ == "__main__":
    main()
