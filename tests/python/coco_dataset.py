"""Loads a COCO dataset with pycocotools and compares its masks with PNG files.

usage: coco_dataset.py DATASET.json MASKS
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as rle
from pycocotools.coco import COCO

dataset, masks = sys.argv[1:]
stdout, sys.stdout = sys.stdout, sys.stderr  # COCO is talkative
coco = COCO(dataset)
sys.stdout = stdout

count = 0
for image in coco.loadImgs(coco.getImgIds()):
    annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
    for index, annotation in enumerate(annotations):
        mask = coco.annToMask(annotation)
        assert mask.shape == (image["height"], image["width"])
        assert mask.sum() == annotation["area"], annotation["id"]
        box = rle.toBbox(coco.annToRLE(annotation)).tolist()
        assert box == annotation["bbox"], (box, annotation["bbox"])
        assert coco.loadCats(annotation["category_id"])[0]["name"] == "region"
        path = Path(masks) / Path(image["file_name"]).with_suffix(f".{index}.png")
        assert np.array_equal(np.asarray(Image.open(path)), mask * 255), path
        count += 1
print(count, "annotations")
