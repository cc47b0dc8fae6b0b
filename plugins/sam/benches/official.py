"""Segment Anything: som against the official Python, in one run, with the same results.

Both run a network with the same random weights on the same 960x640 photograph, over the same
libtorch, on the same threads or GPU, each in a process of its own. The thresholds are such that
about 100 masks survive. Timed are the image encoder, the whole automatic generation and the rest of
it; the memory is the most that a process had, loading included.

    python plugins/sam/benches/official.py [--points 32] [--rounds 1] [--threads 2]
                                           [--model vit_b] [--device cpu] [--precision fp32]

`benches/cuda/check.py` runs it on a GPU, and reads of it what the fixtures of the tests hold
(`settings`), and how much its networks compute (`MODELS`, `encoder_flops`).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Of 32x32 points with three masks each; of fewer points as large a share.
SURVIVORS = 100
# What is timed on a GPU.
MODELS = ["vit_b", "vit_h"]
# Image encoder and one decoder call of ViT-H, and whole generations, from the official code to the
# fastest variant.
NOTE = (
    '"Accelerating Generative AI with PyTorch: Segment Anything, Fast" (pytorch.org, 2023) reports of '
    "an A100, ViT-H: encoder and one decoder call 376 to 40 ms, a generation 2.0 to 0.5 s"
)


def settings(fixture):
    """Name, parameters and masks of each setting of the official generator in a fixture."""
    expected = json.loads((fixture / "expected.json").read_text())
    for name, setting in expected["amg"].items():
        params = {key: value for key, value in setting["params"].items() if key != "output_mode"}
        yield name, params, setting["masks"]


def encoder_flops(model):
    """Operations of the image encoder on one 1024x1024 input: products of matrices alone."""
    width, blocks = {"vit_b": (768, 12), "vit_l": (1024, 24), "vit_h": (1280, 32)}[model]
    tokens, window, everywhere = 64 * 64, 14 * 14, 4
    linear = 24 * tokens * width**2 * blocks
    windows = 25 * window**2
    attention = 4 * width * (everywhere * tokens**2 + (blocks - everywhere) * windows)
    return linear + attention


class Case:
    """A network with random weights, an image, and parameters of the generation."""

    def __init__(self, folder, photo, model, device, points):
        self.folder, self.model, self.device = folder, model, device
        self.weights = folder / f"{model}.pth"
        self.image = folder / "photo-960x640.png"
        self.parameters = folder / f"{model}-{points}-points.json"
        folder.mkdir(parents=True, exist_ok=True)
        if not self.image.exists():
            from PIL import Image

            Image.open(photo).convert("RGB").resize((960, 640), Image.BICUBIC).save(self.image)
        if not self.weights.exists():
            self.draw_weights()
        if not self.parameters.exists():
            self.parameters.write_text(json.dumps(self.choose_parameters(points)))

    def draw_weights(self):
        import torch
        from segment_anything import sam_model_registry

        torch.manual_seed(0)
        model = sam_model_registry[self.model]()
        with torch.no_grad():
            for name, weight in model.named_parameters():
                # These start as zeros, which would leave terms of the encoder out.
                if "pos" in name:
                    weight.normal_(0, 0.02)
        torch.save(model.state_dict(), self.weights)

    def choose_parameters(self, points):
        """Random masks all fill the image and are all unstable: only their predicted IoU chooses."""
        import numpy as np
        import torch
        from segment_anything.utils.amg import build_point_grid

        predictor, image = self.official_predictor()
        predictor.set_image(image)
        height, width = image.shape[:2]
        grid = predictor.transform.apply_coords(
            build_point_grid(points) * np.array([[width, height]]), (height, width)
        )
        model, found = predictor.model, []
        for batch in torch.as_tensor(grid, device=self.device).split(64):
            with torch.no_grad():
                labels = torch.ones(len(batch), 1, dtype=torch.int, device=self.device)
                sparse, dense = model.prompt_encoder((batch[:, None], labels), None, None)
                places = model.prompt_encoder.get_dense_pe()
                found.append(model.mask_decoder(predictor.features, places, sparse, dense, True)[1])
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

    def official_predictor(self, precision="fp32"):
        import numpy as np
        import torch
        from PIL import Image
        from segment_anything import SamPredictor, sam_model_registry

        model = sam_model_registry[self.model](checkpoint=str(self.weights)).to(self.device)
        if precision != "fp32":
            # Of the encoder, which is what som's option means, too.
            encode, kind = model.image_encoder.forward, {"bf16": "bfloat16", "fp16": "float16"}
            kind = getattr(torch, kind[precision])

            def encode_with_less(image):
                with torch.autocast(self.device.split(":")[0], dtype=kind):
                    return encode(image).float()

            model.image_encoder.forward = encode_with_less
        return SamPredictor(model), np.array(Image.open(self.image))

    def run_official(self, precision):
        """One round of the official project, in this process."""
        import torch
        from segment_anything import SamAutomaticMaskGenerator

        predictor, image = self.official_predictor(precision)
        generator = SamAutomaticMaskGenerator(
            predictor.model, output_mode="coco_rle", **json.loads(self.parameters.read_text())
        )
        on_gpu = self.device != "cpu"
        wait = torch.cuda.synchronize if on_gpu else lambda: None
        predictor.set_image(image)
        if on_gpu:
            generator.generate(image)
        wait()
        start = time.perf_counter()
        predictor.set_image(image)
        wait()
        encoder = time.perf_counter() - start
        start = time.perf_counter()
        masks = generator.generate(image)
        generation = time.perf_counter() - start
        (self.folder / "official.json").write_text(json.dumps(masks))
        return {
            "encoder_s": encoder,
            "after_encoder_s": generation - encoder,
            "generation_s": generation,
            "masks": len(masks),
            "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        }

    def som_command(self, bench, precision, repeat):
        command = [bench, "--weights", self.weights, "--image", self.image]
        command += ["--params", self.parameters.read_text(), "--regions", self.folder / "som.json"]
        return command + ["--device", self.device, "--precision", precision, "--repeat", repeat]

    def compare(self):
        """How far the results of the last runs are apart, over the masks that both found."""
        from pycocotools import mask as coco

        official = json.loads((self.folder / "official.json").read_text())
        som = json.loads((self.folder / "som.json").read_text())
        worst = {"mask IoU": 1.0, "predicted IoU": 0.0, "stability": 0.0}
        of_point = {}
        for found in official:
            of_point.setdefault(str(found["point_coords"]), []).append(found)
        both = 0
        for ours in som:
            theirs = of_point.get(str(ours["extra"]["point_coords"]), [])
            iou = lambda t: coco.iou([t["segmentation"]], [ours["segmentation"]], [0])[0][0]
            if not theirs:
                continue
            # Of one point's masks, the one of the same score: random masks may all look alike.
            score = lambda t: abs(t["predicted_iou"] - ours["extra"]["predicted_iou"])
            nearest = min(theirs, key=score)
            theirs.remove(nearest)
            both += 1
            worst["mask IoU"] = min(worst["mask IoU"], float(iou(nearest)))
            for name, field in [("predicted IoU", "predicted_iou"), ("stability", "stability_score")]:
                worst[name] = max(worst[name], abs(nearest[field] - ours["extra"][field]))
        return {"official": len(official), "som": len(som), "both": both, **worst}


def child(command, threads):
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "RAYON_NUM_THREADS": str(threads),
    }
    command = [str(part) for part in command]
    output = subprocess.check_output(command, env=environment, text=True)
    return json.loads(output.strip().splitlines()[-1])


def som_bench():
    """The bench program of the plugin, built."""
    command = ["cargo", "bench", "--package", "som-sam", "--bench", "sam", "--no-run"]
    messages = subprocess.check_output([*command, "--message-format", "json"], cwd=ROOT, text=True)
    artifacts = map(json.loads, messages.splitlines())
    return [a["executable"] for a in artifacts if a.get("executable")][-1]


FIGURES = ["encoder_s", "after_encoder_s", "generation_s", "peak_mib"]


def best(rounds):
    return {figure: min(run[figure] for run in rounds) for figure in FIGURES}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--points", type=int, default=32, help="points per side")
    arguments.add_argument("--rounds", type=int, default=1, help="runs of each, taking turns")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--model", default="vit_b", choices=["vit_b", "vit_l", "vit_h"])
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    arguments.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    arguments.add_argument("--folder", type=Path, default=ROOT / "target/peers/sam")
    arguments.add_argument("--photo", type=Path, default=ROOT / "examples/images/coffee.png")
    arguments.add_argument("--bench", type=Path, help="the bench program, if it is built already")
    arguments.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments.add_argument("--official", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    case = Case(options.folder, options.photo, options.model, options.device, options.points)
    if options.official:
        return print(json.dumps(case.run_official(options.precision)))

    bench = options.bench or som_bench()
    som = case.som_command(bench, options.precision, 1)
    rounds = []
    for _ in range(options.rounds):
        official = child([sys.executable, __file__, "--official", *sys.argv[1:]], options.threads)
        rounds.append((official, child(som, options.threads)))
    official, som = (best(side) for side in zip(*rounds))
    apart = case.compare()
    if options.precision == "fp32":
        assert apart["official"] == apart["som"] == apart["both"], apart
        assert apart["mask IoU"] >= 0.99, apart
    if options.json:
        return print(json.dumps({"official": official, "som": som, "apart": apart}))
    print(f"{options.model}, {options.device}, {options.precision}, {options.threads} threads,")
    print(f"{options.points}x{options.points} points")
    print(f"{'':16}{'official':>10}{'som':>10}{'ratio':>8}")
    for figure in FIGURES:
        ratio = official[figure] / som[figure]
        print(f"{figure:16}{official[figure]:10.3f}{som[figure]:10.3f}{ratio:8.2f}")
    print(f"masks, and how far they are apart: {apart}")


if __name__ == "__main__":
    main()
