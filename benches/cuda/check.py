"""Checks and times som's segmenter sam on a machine with a GPU, PyTorch and no Rust.

`cargo xtask cuda` packs this file with everything it runs into target/cuda.tar.xz. There:

    python3 check.py                   # parity, then ViT-B and ViT-H in fp32 and bf16
    python3 check.py --device cpu --models --precisions fp32      # parity alone, without a GPU

It needs PyTorch 2.11.0, numpy, pillow, segment-anything and pycocotools (the last two are taken
along where `cargo xtask cuda --python 3.12` packed them). Everything measured is printed as tables,
and written to report.json.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOM = HERE / "bin/som"
WHEELS = HERE / "wheels"

# Image encoder and one decoder call of ViT-H, images a second, and whole generations in seconds:
# what "Accelerating Generative AI with PyTorch: Segment Anything, Fast" (pytorch.org, 2023) reports
# of an A100, from the official code to the fastest variant.
SEGMENT_ANYTHING_FAST = {"images_per_second": [2.66, 25.2], "generation_s": [2.0, 0.5]}


def prepare():
    """Unpacks the wheels that were taken along, and lets the programs find PyTorch's libtorch."""
    packages = HERE / "packages"
    for wheel in WHEELS.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(packages)
    paths = [str(packages), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    sys.path.insert(0, str(packages))
    import torch

    print(f"PyTorch {torch.__version__} at {torch.__path__[0]}")
    link = HERE / "libtorch/torch"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(torch.__path__[0])


def describe(device):
    import torch

    if device == "cpu":
        return f"CPU, {os.cpu_count()} cores"
    index = int(device.partition(":")[2] or 0)
    return f"{torch.cuda.get_device_name(index)}, CUDA {torch.version.cuda}"


def intermediates(device):
    """The plugin's own tests against the numbers of the official project, on this device."""
    environment = {**os.environ, "SOM_TEST_DEVICE": device}
    ran = subprocess.run([HERE / "bin/parity"], cwd=HERE, env=environment)
    return ran.returncode == 0


def segment(folder, device, precision, params):
    """What `som segment` finds in the image of a fixture."""
    settings = {"weights": folder / "checkpoint.pth", "device": device, "precision": precision}
    settings |= {key: json.dumps(value) for key, value in params.items()}
    command = [SOM, "segment", folder / "image.png", "--segmenter", "sam"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    output = subprocess.check_output([str(part) for part in command])
    return json.loads(output)["regions"]


def compressed(rle):
    """Some fixtures have their runs as numbers."""
    from pycocotools import mask as coco

    return coco.frPyObjects(rle, *rle["size"]) if isinstance(rle["counts"], list) else rle


def parity(device, precision):
    """Every automatic setting of the fixtures through the command, against the official masks."""
    from pycocotools import mask as coco

    rows = []
    for fixture in ["tiny", "shapes", "sizes"]:
        folder = HERE / "tests/assets" / fixture
        for name, setting in json.loads((folder / "expected.json").read_text())["amg"].items():
            params = {k: v for k, v in setting["params"].items() if k != "output_mode"}
            found = segment(folder, device, precision, params)
            expected = setting["masks"]
            row = {"fixture": f"{fixture}.{name}", "expected": len(expected), "found": len(found)}
            # In less than single precision a mask near a threshold may come or go.
            ours = [region["segmentation"] for region in found]
            theirs = [compressed(mask["segmentation"]) for mask in expected]
            ious = coco.iou(theirs, ours, [0] * len(ours)) if ours and theirs else None
            row["worst_iou"] = row["worst_score"] = 0.0
            if ious is not None:
                row["worst_iou"] = float(ious.max(axis=1).min())
                scores = [
                    abs(found[index]["extra"]["predicted_iou"] - mask["predicted_iou"])
                    for index, mask in zip(ious.argmax(axis=1), expected)
                ]
                row["worst_score"] = max(scores)
            if len(found) == len(expected):
                in_order = [float(ious[i][i]) for i in range(len(ours))]
                row["worst_iou_in_order"] = min(in_order, default=1.0)
            rows.append(row)
    return rows


def is_exact(row):
    return (
        row["found"] == row["expected"]
        and row["worst_iou_in_order"] >= 0.99
        and row["worst_score"] <= 1e-3
    )


def timings(model, device, precision, options):
    command = [sys.executable, HERE / "sam.py", "--json", "--model", model, "--device", device]
    command += ["--precision", precision, "--points", options.points]
    command += ["--threads", options.threads, "--rounds", options.rounds]
    command += ["--folder", HERE / "timed", "--photo", HERE / "coffee.png"]
    command += ["--bench", HERE / "bin/bench"]
    output = subprocess.check_output([str(part) for part in command], text=True)
    return json.loads(output.strip().splitlines()[-1])


def encoder_flops(model):
    """Operations of the image encoder on one 1024x1024 input: products of matrices alone."""
    width, blocks = {"vit_b": (768, 12), "vit_l": (1024, 24), "vit_h": (1280, 32)}[model]
    tokens, window, everywhere = 64 * 64, 14 * 14, 4
    linear = 24 * tokens * width**2 * blocks
    windows = 25 * window**2
    attention = 4 * width * (everywhere * tokens**2 + (blocks - everywhere) * windows)
    return linear + attention


def products_per_second(device, precision):
    """What this GPU reaches in one large product of matrices."""
    import torch

    kind = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    side = 8192
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ b
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--models", nargs="*", default=["vit_b", "vit_h"])
    arguments.add_argument("--precisions", nargs="*", default=["fp32", "bf16"])
    arguments.add_argument("--points", type=int, default=32, help="points per side")
    arguments.add_argument("--rounds", type=int, default=1, help="runs of each, taking turns")
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options = arguments.parse_args()
    prepare()
    device, report = options.device, {"machine": describe(options.device)}
    report_file = HERE / "report.json"

    def keep(key, value):
        report[key] = value
        report_file.write_text(json.dumps(report, indent=1))

    print(report["machine"])
    keep("intermediates", intermediates(device))
    exact = report["intermediates"]
    print("\n| precision | fixture | masks | expected | least IoU | score off by |")
    print("|---|---|---|---|---|---|")
    for precision in options.precisions:
        rows = parity(device, precision)
        keep(f"parity.{precision}", rows)
        for row in rows:
            cells = [precision, row["fixture"], row["found"], row["expected"]]
            cells += [f"{row['worst_iou']:.4f}", f"{row['worst_score']:.1e}"]
            print(f"| {' | '.join(map(str, cells))} |")
        if precision == "fp32":
            exact = exact and all(map(is_exact, rows))
    print(f"\nfp32 on {device} {'is' if exact else 'IS NOT'} what the official project computes")

    if options.models:
        print("\n| network | precision | stage | official, ms | som, ms | times | floor, ms |")
        print("|---|---|---|---|---|---|---|")
    for model in options.models:
        for precision in options.precisions:
            timed = timings(model, device, precision, options)
            if device != "cpu":
                floor = encoder_flops(model) / products_per_second(device, precision)
                timed["encoder_floor_s"] = floor
            keep(f"timings.{model}.{precision}", timed)
            for stage in ["encoder_s", "after_encoder_s", "generation_s"]:
                theirs, ours = (1e3 * timed[side][stage] for side in ("official", "som"))
                floor = timed.get("encoder_floor_s") if stage == "encoder_s" else None
                floor = f"{1e3 * floor:.1f}" if floor else ""
                row = [model, precision, stage.removesuffix("_s")]
                row += [f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.2f}", floor]
                print(f"| {' | '.join(row)} |", flush=True)
            print(f"{model} {precision}: {timed['apart']}", file=sys.stderr)
    if "vit_h" in options.models:
        fast = SEGMENT_ANYTHING_FAST
        slow, quick = fast["images_per_second"]
        print(f"\nsegment-anything-fast on an A100, ViT-H: encoder and one decoder call", end=" ")
        print(f"{1e3 / slow:.0f} to {1e3 / quick:.0f} ms,", end=" ")
        print("a generation {} to {} s".format(*fast["generation_s"]))
    sys.exit(not exact)


if __name__ == "__main__":
    main()
