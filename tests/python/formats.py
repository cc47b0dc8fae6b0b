"""Reads what som wrote of coffee.png with each tool's own reader and compares it with som's JSON; then
writes what som is to read: boxes as supervision's sinks write them, and a label map.

usage: formats.py FOLDER
"""

import json
import sys
from pathlib import Path

import numpy as np
import supervision as sv
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

folder = Path(sys.argv[1])
stdout, sys.stdout = sys.stdout, sys.stderr  # COCO is talkative

report = json.loads((folder / "report.json").read_text())
marks = report["marks"]
ids = [mark["id"] for mark in marks]
masks = np.array([rle.decode(mark["region"]["segmentation"]) for mark in marks], dtype=bool)
xywh = np.array([mark["region"]["bbox"] for mark in marks], dtype=float)
xyxy = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
size = (report["image"]["height"], report["image"]["width"])

# COCO, by pycocotools.
coco = COCO(str(folder / "coco.json"))
annotations = coco.loadAnns(coco.getAnnIds())
assert [annotation["mark_id"] for annotation in annotations] == ids
assert all(np.array_equal(coco.annToMask(a), m) for a, m in zip(annotations, masks, strict=True))

# YOLO, by supervision. It fills outlines with their border, so a rim of a pixel may differ.
images = folder / "images"
images.mkdir()
Image.open(folder / "coffee.png").save(images / "coffee.png")
labels = folder / "yolo"
yolo = sv.DetectionDataset.from_yolo(
    str(images), str(labels), str(labels / "data.yaml"), force_masks=True
)
assert yolo.classes == ["region"], yolo.classes
(_, _, detections), = list(yolo)
assert len(detections) == len(marks)
assert np.abs(detections.xyxy - xyxy).max() <= 1.0, (detections.xyxy, xyxy)
for found, mask in zip(detections.mask, masks, strict=True):
    grown = np.zeros((size[0] + 2, size[1] + 2), dtype=bool)
    for dy in range(3):
        for dx in range(3):
            grown[dy : dy + size[0], dx : dx + size[1]] |= mask
    assert not (found & ~grown[1:-1, 1:-1]).any(), "further out than the border"
    assert (found & mask).sum() >= 0.95 * mask.sum()

# LabelMe: the keys that `labelme/label_file.py` asks for, and its own way to draw a mask.
labelme = json.loads((folder / "labelme.json").read_text())
for key in ("version", "imageData", "imagePath", "shapes", "flags", "imageHeight", "imageWidth"):
    assert key in labelme, key
assert (folder / labelme["imagePath"]).is_file(), labelme["imagePath"]
assert (labelme["imageHeight"], labelme["imageWidth"]) == size
for shape in labelme["shapes"]:
    assert isinstance(shape["label"], str)
    assert shape["shape_type"] in ("polygon", "mask")
    assert shape["group_id"] in ids
    if shape["shape_type"] == "mask":
        import base64
        import io

        crop = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
        (x1, y1), (x2, y2) = np.asarray(shape["points"]).astype(int)
        drawn = np.zeros(size, dtype=bool)
        drawn[y1 : y2 + 1, x1 : x2 + 1] = crop.astype(bool)
        assert np.array_equal(drawn, masks[ids.index(shape["group_id"])])
    else:
        assert len(shape["points"]) >= 3

# GeoJSON: rings that are closed and turn as RFC 7946 wants.
geojson = json.loads((folder / "geojson.json").read_text())
assert [feature["id"] for feature in geojson["features"]] == ids
for feature, mask in zip(geojson["features"], masks, strict=True):
    geometry = feature["geometry"]
    several = geometry["type"] == "MultiPolygon"
    polygons = geometry["coordinates"] if several else [geometry["coordinates"]]
    area = 0.0
    for polygon in polygons:
        for index, ring in enumerate(polygon):
            assert ring[0] == ring[-1] and len(ring) >= 4
            x, y = np.array(ring).T
            turned = float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2
            assert (turned > 0) == (index == 0), "exteriors turn left, holes right"
            area += turned
    assert area == mask.sum(), (area, mask.sum())

# Masks, by Pillow.
for number, mask in zip(ids, masks, strict=True):
    pixels = np.asarray(Image.open(folder / "masks" / f"coffee.{number}.png"))
    assert np.array_equal(pixels, mask * 255)

# Arrays, by numpy, as supervision takes them.
with np.load(folder / "arrays.npz") as arrays:
    found = sv.Detections(
        xyxy=arrays["xyxy"], mask=arrays["mask"], confidence=arrays["confidence"]
    )
    assert np.array_equal(arrays["id"], ids)
    assert arrays["label"].tolist() == [mark["region"]["label"] or "" for mark in marks]
assert np.array_equal(found.mask, masks)
assert np.array_equal(found.xyxy, xyxy)
scores = [mark["region"]["score"] for mark in marks]
scores = np.array([np.nan if score is None else score for score in scores], dtype=np.float32)
assert np.array_equal(found.confidence, scores, equal_nan=True)

# Boxes, as csv reads them.
import csv  # noqa: E402

with open(folder / "boxes.csv", newline="") as file:
    rows = list(csv.DictReader(file))
assert [[float(row[side]) for side in ("x", "y", "width", "height")] for row in rows] == xywh.tolist()

# What som is to read.
detections = sv.Detections(
    xyxy=xyxy,
    confidence=np.linspace(0.1, 0.9, len(marks)),
    class_id=np.zeros(len(marks), dtype=int),
    tracker_id=np.array(ids),
    data={"class_name": np.array(["region"] * len(marks))},
)
with sv.JSONSink(str(folder / "sink.json")) as sink:
    sink.append(detections, custom_data={"frame": 1})
with sv.CSVSink(str(folder / "sink.csv")) as sink:
    sink.append(detections, custom_data={"frame": 1})
numbers = np.zeros(size, dtype=np.uint16)
for number, mask in zip(ids, masks, strict=True):
    numbers[mask] = number
Image.fromarray(numbers).save(folder / "map.png")
