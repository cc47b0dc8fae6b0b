"""Segment Anything: som against the official Python, in one run, with the same results.

Both run ViT-B with the same random weights on the same 960x640 photograph, over the same libtorch,
on the same threads, each in a process of its own. The thresholds are such that about 100 masks
survive. Timed are the image encoder, the whole automatic generation and the rest of it; the memory
is the most that a process had, loading included.

    python benches/peers/sam.py [--points 32] [--rounds 1] [--threads 2]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target/peers/sam"
WEIGHTS = FOLDER / "vit_b.pth"
IMAGE = FOLDER / "coffee-960x640.png"
PHOTO = ROOT / "examples/images/coffee.png"
# Of 32x32 points with three masks each; of fewer points as large a share.
SURVIVORS = 100


def make_inputs(points):
    """Weights, image and parameters, where they are not there from an earlier run."""
    import torch
    from PIL import Image
    from segment_anything import sam_model_registry

    FOLDER.mkdir(parents=True, exist_ok=True)
    if not WEIGHTS.exists():
        torch.manual_seed(0)
        model = sam_model_registry["vit_b"]()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # These start as zeros, which would leave terms of the encoder out.
                if "pos" in name:
                    weight.normal_(0, 0.02)
        torch.save(model.state_dict(), WEIGHTS)
    if not IMAGE.exists():
        Image.open(PHOTO).convert("RGB").resize((960, 640), Image.BICUBIC).save(IMAGE)
    file = FOLDER / f"parameters-{points}.json"
    if not file.exists():
        file.write_text(json.dumps(parameters(points)))
    return file


def parameters(points):
    """Random masks all fill the image and are all unstable: let only their predicted IoU choose."""
    import numpy as np
    import torch
    from segment_anything.utils.amg import build_point_grid

    predictor, image = official_predictor()
    predictor.set_image(image)
    height, width = image.shape[:2]
    grid = predictor.transform.apply_coords(
        build_point_grid(points) * np.array([[width, height]]), (height, width)
    )
    model, found = predictor.model, []
    for batch in torch.as_tensor(grid).split(64):
        with torch.no_grad():
            labels = torch.ones(len(batch), 1, dtype=torch.int)
            sparse, dense = model.prompt_encoder((batch[:, None], labels), None, None)
            found.append(
                model.mask_decoder(
                    predictor.features, model.prompt_encoder.get_dense_pe(), sparse, dense, True
                )[1]
            )
    ious = torch.cat(found).flatten().sort(descending=True).values
    # In the widest gap near the wanted count, where rounding decides nothing.
    count = SURVIVORS * len(ious) // (3 * 32 * 32)
    near = ious[count * 9 // 10 : count * 11 // 10 + 2]
    gap = (near[:-1] - near[1:]).argmax()
    return {
        "points_per_side": points,
        "pred_iou_thresh": float((near[gap] + near[gap + 1]) / 2),
        "stability_score_thresh": 0.0,
        "box_nms_thresh": 1.0,
    }


def official_predictor():
    import numpy as np
    from PIL import Image
    from segment_anything import SamPredictor, sam_model_registry

    model = sam_model_registry["vit_b"](checkpoint=str(WEIGHTS))
    return SamPredictor(model), np.array(Image.open(IMAGE))


def run_official(file):
    """One round of the official project, in this process; prints the figures."""
    from segment_anything import SamAutomaticMaskGenerator

    predictor, image = official_predictor()
    generator = SamAutomaticMaskGenerator(
        predictor.model, output_mode="coco_rle", **json.loads(file.read_text())
    )
    predictor.set_image(image)
    start = time.perf_counter()
    predictor.set_image(image)
    encoder = time.perf_counter() - start
    start = time.perf_counter()
    masks = generator.generate(image)
    generation = time.perf_counter() - start
    (FOLDER / "official.json").write_text(json.dumps(masks))
    print(
        json.dumps(
            {
                "encoder_s": encoder,
                "after_encoder_s": generation - encoder,
                "generation_s": generation,
                "masks": len(masks),
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
            }
        )
    )


def child(command, threads):
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "RAYON_NUM_THREADS": str(threads),
    }
    output = subprocess.check_output([str(part) for part in command], env=environment, text=True)
    return json.loads(output.strip().splitlines()[-1])


def som_bench():
    """The bench program of the plugin, built."""
    command = ["cargo", "bench", "--package", "som-sam", "--bench", "sam", "--no-run"]
    messages = subprocess.check_output([*command, "--message-format", "json"], cwd=ROOT, text=True)
    artifacts = map(json.loads, messages.splitlines())
    return [a["executable"] for a in artifacts if a.get("executable")][-1]


def compare():
    """How far the results of both are apart."""
    from pycocotools import mask as coco

    official = json.loads((FOLDER / "official.json").read_text())
    som = json.loads((FOLDER / "som.json").read_text())
    assert len(official) == len(som), f"{len(official)} masks, but {len(som)} of som"
    worst = {"mask IoU": 1.0, "predicted IoU": 0.0, "stability": 0.0}
    key = lambda found: (found["point_coords"], found["predicted_iou"])
    for theirs, ours in zip(sorted(official, key=key), sorted(som, key=lambda r: key(r["extra"]))):
        assert theirs["point_coords"] == ours["extra"]["point_coords"]
        iou = coco.iou([theirs["segmentation"]], [ours["segmentation"]], [0])[0][0]
        worst["mask IoU"] = min(worst["mask IoU"], iou)
        for name, field in [("predicted IoU", "predicted_iou"), ("stability", "stability_score")]:
            worst[name] = max(worst[name], abs(theirs[field] - ours["extra"][field]))
    return worst


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--points", type=int, default=32, help="points per side")
    arguments.add_argument("--rounds", type=int, default=1, help="runs of each, taking turns")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--official", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.official:
        return run_official(options.official)

    bench = som_bench()
    file = make_inputs(options.points)
    som = [bench, "--weights", WEIGHTS, "--image", IMAGE, "--params", file.read_text()]
    som += ["--regions", FOLDER / "som.json"]
    rounds = []
    for _ in range(options.rounds):
        official = child([sys.executable, __file__, "--official", file], options.threads)
        rounds.append((official, child(som, options.threads)))
    print(f"{options.points}x{options.points} points, {options.threads} threads")
    print(f"{'':16}{'official':>10}{'som':>10}{'ratio':>8}")
    for figure in ["encoder_s", "after_encoder_s", "generation_s", "peak_mib"]:
        theirs, ours = (min(run[side][figure] for run in rounds) for side in (0, 1))
        print(f"{figure:16}{theirs:10.2f}{ours:10.2f}{theirs / ours:8.2f}")
    print(f"{rounds[0][1]['masks']} masks; farthest apart: {compare()}")


if __name__ == "__main__":
    main()
