"""Behind a live `som`: the program named by the variable SOM, else that of PATH."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as coco
from skimage.io import imread

from som_superpixels.segmenter import segment

PHOTO = Path(__file__).resolve().parents[2] / "images" / "coffee.png"


@pytest.fixture
def settings(tmp_path: Path):
    """Settings that name a running segmenter."""
    program = [sys.executable, "-m", "som_superpixels.server", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    address = server.stdout.readline().removeprefix("listening on ").strip()
    file = tmp_path / "settings.toml"
    file.write_text(f'[segmenter.superpixels]\nremote = ["http://{address}"]\n')
    yield file
    server.terminate()
    assert server.wait(timeout=15) == 0


def som(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = [os.environ.get("SOM", "som"), *arguments, "--config", str(settings)]
    return subprocess.run(program, cwd=settings.parent, capture_output=True, text=True)


def test_som_cuts_with_it(settings: Path) -> None:
    run = som(settings, "segment", str(PHOTO), "--segmenter", "superpixels", "--set", "scale=500")
    assert run.returncode == 0, run.stderr
    regions = json.loads(run.stdout)["regions"]
    pixels = np.ascontiguousarray(imread(PHOTO)[:, :, :3])
    expected = list(segment(pixels, scale=500, sigma=0.8, min_area=400))
    assert len(regions) == len(expected) > 10
    for region, own in zip(regions, expected):
        assert region["bbox"][:2] == [own.x, own.y]
        assert region["area"] == own.mask.sum() == coco.area(region["segmentation"])


def test_som_checks_its_parameters(settings: Path) -> None:
    run = som(settings, "segment", str(PHOTO), "--segmenter", "superpixels", "--set", "scale=0")
    assert run.returncode == 2
    assert "scale" in run.stderr and "1" in run.stderr
