"""Prints what pycocotools makes of masks and polygons, as JSON.

Masks of all kinds and sizes: their pixels (bits, row by row, as hexadecimal), RLE, area and box;
for each size the IoU, union and intersection of neighbours in the list; polygons with the RLE
that they cover.
"""

import json

import numpy as np
from pycocotools import mask as coco

random = np.random.default_rng(20231016)


def main():
    sizes = [(0, 0), (0, 7), (7, 0), (1, 1), (1, 9), (9, 1), (2, 2), (64, 64), (37, 129), (480, 640)]
    sizes += [tuple(int(v) for v in random.integers(1, 80, 2)) for _ in range(40)]
    # Runs longer than 2^15 and 2^20 take more characters.
    sizes += [(1500, 1999)]
    print(json.dumps({"images": [image(size) for size in sizes], "polygons": polygons()}))


def image(size):
    pixels = [np.asfortranarray(p.astype(np.uint8)) for p in masks(size)]
    rles = [coco.encode(p) for p in pixels]
    pairs = list(zip(rles, rles[1:]))
    return {
        "size": size,
        "masks": [
            {
                "bits": np.packbits(p.reshape(-1)).tobytes().hex(),
                "counts": rle["counts"].decode(),
                "area": int(coco.area(rle)),
                "bbox": [int(v) for v in coco.toBbox(rle)],
            }
            for p, rle in zip(pixels, rles)
        ],
        "ious": [float(coco.iou([a], [b], [0])[0, 0]) for a, b in pairs],
        "unions": [coco.merge([a, b])["counts"].decode() for a, b in pairs],
        "intersections": [coco.merge([a, b], True)["counts"].decode() for a, b in pairs],
    }


def masks(size):
    height, width = size
    yield np.zeros(size)
    yield np.ones(size)
    for density in (0.02, 0.5, 0.98):
        yield random.random(size) < density
    y, x = np.mgrid[:height, :width]
    for _ in range(3):
        cx, cy, r = random.random(3) * (width, height, max(size))
        yield (x - cx) ** 2 + (y - cy) ** 2 < r**2 / 4
    # Columns and rows that touch the edges join or do not.
    yield x % 2 == 0
    yield x % 3 == 0
    yield y % 2 == 0


def polygons():
    cases = []
    for _ in range(400):
        height, width = (int(v) for v in random.integers(1, 60, 2))
        parts = []
        for _ in range(random.integers(1, 4)):
            corners = random.random((random.integers(3, 9), 2)) * (width, height) * 1.4
            corners -= (width * 0.2, height * 0.2)
            style = random.integers(0, 3)
            corners = [corners, np.round(corners), np.round(corners * 2) / 2][style]
            parts.append([float(v) for v in corners.reshape(-1)])
        rle = coco.merge(coco.frPyObjects(parts, height, width))
        cases.append({"size": [height, width], "parts": parts, "counts": rle["counts"].decode()})
    return cases


main()
