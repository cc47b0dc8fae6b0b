"""Semantic-SAM: som against the official Python, in one run, with the same results.

Both run a network with the same random weights on the same 960x640 photograph, over the same
libtorch, on the same threads or GPU, each in a process of its own. The thresholds are such that
about 100 masks survive. Timed are backbone and pixel decoder (the encoder), the whole automatic
generation and the rest of it; the memory is the most that a process had, loading included.

    python plugins/semantic-sam/benches/official.py [--points 32] [--rounds 1] [--threads 2]
                                [--model swint] [--device cpu] [--precision fp32] [--project FOLDER]

The official project is no package, so it is fetched with git, or taken from a checkout (`--project`).
It imports much that inference does not run and that cannot be installed everywhere (detectron2, its
own CUDA kernel, language models): that is stood in for here, and nothing of its arithmetic. Without
its kernel, which needs a GPU, it falls back to its own deformable attention in PyTorch.

`benches/cuda/check.py` runs this on a GPU, and reads of it what the fixtures of the tests hold
(`settings`), and how much its networks compute (`MODELS`, `encoder_flops`).
"""

import argparse
import importlib.abc
import importlib.machinery
import json
import os
import resource
import subprocess
import sys
import time
import types
import warnings
from pathlib import Path
from unittest.mock import MagicMock

ROOT = Path(__file__).resolve().parents[3]
PROJECT = "https://github.com/UX-Decoder/Semantic-SAM"
COMMIT = "e11f8b518539faea731e2744cc3e44c24572e30d"
# Of 32x32 points with six masks each; of fewer points as large a share.
SURVIVORS = 100
# What is timed on a GPU.
MODELS = ["swint", "swinl"]
CONFIGURATIONS = {"swint": "T", "swinl": "L"}
NOTE = "The official project has no figures of its own."


def settings(fixture):
    """Name, parameters and masks of each setting of the official generator in a fixture, as they
    come back to the original image."""
    expected = json.loads((fixture / "expected.json").read_text())
    height, width = expected["original_size_hw"]
    for name, setting in expected["amg"].items():
        left_out = ["output_mode", "token_index_for_level"]
        params = {key: value for key, value in setting["params"].items() if key not in left_out}
        masks = [
            {**mask, "segmentation": brought_back(mask["segmentation"], width, height)}
            for mask in setting["masks"]
        ]
        yield name, params, masks


def brought_back(rle, width, height):
    import numpy as np
    from PIL import Image
    from pycocotools import mask as coco

    image = Image.fromarray(coco.decode(rle)).resize((width, height), Image.NEAREST)
    rle = coco.encode(np.asfortranarray(np.asarray(image)))
    return {"size": [height, width], "counts": rle["counts"].decode()}


def encoder_flops(model):
    """Operations of the backbone on one 960x640 input: products of matrices alone."""
    channels, blocks, window = {"swint": (96, (2, 2, 6, 2), 7), "swinl": (192, (2, 2, 18, 2), 12)}[model]
    flops, tokens = 0, 240 * 160
    for count in blocks:
        flops += 2 * count * tokens * (12 * channels**2 + 2 * window**2 * channels)
        tokens, channels = tokens // 4, 2 * channels
    return flops


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Packages that the official project imports and inference does not run."""

    NAMES = [
        "MultiScaleDeformableAttention", "datasets", "detectron2", "einops", "kornia", "matplotlib",
        "nltk", "timm", "transformers", "utils.visualizer",
    ]

    def find_spec(self, name, path, target=None):
        if any(name == of or name.startswith(of + ".") for of in self.NAMES):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        """What inference does run: wrappers of detectron2 and timm around PyTorch's own layers."""
        import torch
        from torch import nn

        if module.__name__ == "detectron2.layers":
            module.Conv2d, module.ShapeSpec = Convolution, types.SimpleNamespace
            module.get_norm = lambda norm, channels: nn.GroupNorm(32, channels) if norm == "GN" else None
        elif module.__name__ == "detectron2.modeling":
            module.ShapeSpec, module.Backbone = types.SimpleNamespace, nn.Module
        elif module.__name__ == "detectron2.structures":
            module.ImageList.from_tensors = padded
        elif module.__name__ == "detectron2.utils.memory":
            module.retry_if_cuda_oom = lambda function: function
        elif module.__name__ == "timm.models.layers":
            module.trunc_normal_ = nn.init.trunc_normal_
            module.to_2tuple = lambda x: x if isinstance(x, tuple) else (x, x)
            module.DropPath = lambda rate: nn.Identity()
        elif module.__name__ == "MultiScaleDeformableAttention":
            module.ms_deform_attn_forward.side_effect = RuntimeError("no kernel of its own")


def Convolution(*arguments, norm=None, activation=None, **named):
    """detectron2's convolution: with a norm and an activation behind it."""
    import torch

    class Layer(torch.nn.Conv2d):
        def forward(self, x):
            x = super().forward(x)
            x = x if self.norm is None else self.norm(x)
            return x if activation is None else activation(x)

    layer = Layer(*arguments, **named)
    layer.norm = norm
    return layer


def padded(tensors, divisibility):
    """detectron2's list of one image, padded with zeros."""
    import torch

    (image,) = tensors
    height, width = image.shape[-2:]
    up = lambda side: -side % divisibility
    tensor = torch.nn.functional.pad(image, (0, up(width), 0, up(height)))[None]

    class Images:
        image_sizes = [(height, width)]

        def __getitem__(self, index):
            return image

    images = Images()
    images.tensor = tensor
    return images


def official_project(folder):
    """The official project on the path, fetched where it is missing."""
    if not (folder / "semantic_sam").exists():
        subprocess.check_call(["git", "init", "--quiet", folder])
        fetch = ["git", "-C", folder, "fetch", "--quiet", "--depth", "1", PROJECT, COMMIT]
        subprocess.check_call(fetch)
        subprocess.check_call(["git", "-C", folder, "checkout", "--quiet", "FETCH_HEAD"])
    sys.meta_path.insert(0, StandIns())
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    warnings.filterwarnings("ignore")


class Case:
    """A network with random weights, an image, and parameters of the generation."""

    def __init__(self, folder, project, photo, model, device, points):
        self.folder, self.project, self.model, self.device = folder, project, model, device
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

    def network(self):
        """The official network, without weights that mean anything."""
        import torch
        import yaml

        # The project says that all is on a GPU.
        on = torch.device(self.device)
        to = torch.Tensor.to
        torch.Tensor.cuda = lambda tensor, *_, **__: to(tensor, on)
        torch.Tensor.to = lambda tensor, *where, **how: to(
            tensor, *(on if place == "cuda" else place for place in where), **how
        )
        from semantic_sam import build_model

        name = f"semantic_sam_only_sa-1b_swin{CONFIGURATIONS[self.model]}.yaml"
        configuration = yaml.safe_load((self.project / "configs" / name).read_text())
        configuration["MODEL"]["BACKBONE"]["LOAD_PRETRAINED"] = False
        return build_model(configuration).eval()

    def draw_weights(self):
        import torch

        torch.manual_seed(0)
        network = self.network()
        with torch.no_grad():
            for name, weight in network.named_parameters():
                # These start as zeros, which would leave terms out.
                if "_bbox_embed.layers.2" in name:
                    weight.normal_(0, 0.02)
                if "sampling_offsets.weight" in name or "attention_weights.weight" in name:
                    weight.normal_(0, 0.05)
        torch.save({"model": {f"model.{k}": v for k, v in network.state_dict().items()}}, self.weights)

    def official(self, precision="fp32"):
        """The network and the resized image, as the official project's own script prepares them."""
        import numpy as np
        import torch
        from PIL import Image
        from torchvision import transforms

        network = self.network().to(self.device)
        weights = torch.load(self.weights, map_location=self.device)["model"]
        network.load_state_dict({key.removeprefix("model."): weights[key] for key in weights})
        if precision != "fp32":
            # Of the backbone, which is what som's option means, too.
            encode, kind = network.backbone.forward, {"bf16": "bfloat16", "fp16": "float16"}
            kind = getattr(torch, kind[precision])

            def encode_with_less(image):
                with torch.autocast(self.device.split(":")[0], dtype=kind):
                    return encode(image)

            network.backbone.forward = encode_with_less
        resize = transforms.Resize(640, interpolation=Image.BICUBIC)
        image = np.asarray(resize(Image.open(self.image).convert("RGB")))
        return network, torch.from_numpy(image.copy()).permute(2, 0, 1).to(self.device)

    def encode(self, network, image):
        """Backbone and pixel decoder: what the project computes once for an image."""
        normalised = (image - network.pixel_mean) / network.pixel_std
        features = network.backbone(padded([normalised], network.size_divisibility).tensor)
        return network.sem_seg_head.pixel_decoder.forward_features(features, None)

    def choose_parameters(self, points):
        """Random masks are all unstable: only their predicted IoU chooses."""
        import torch
        from utils.sam_utils.amg import build_point_grid

        network, image = self.official()
        grid = torch.as_tensor(build_point_grid(points), dtype=torch.float, device=self.device)
        boxes = torch.cat([grid, torch.full_like(grid, 0.005)], 1)
        switch = {"part": False, "whole": False, "seg": False}
        found = []
        with torch.no_grad():
            mask_features, _, maps = self.encode(network, image)
            for batch in boxes.split(200):
                targets = [{"points": batch, "pb": batch.new_zeros(len(batch))}]
                predicted, _ = network.sem_seg_head.predictor(
                    maps, mask_features, None, targets=targets, task="demo", extra=switch
                )
                found.append(predicted["pred_ious"].flatten())
        ious = torch.cat(found).sort(descending=True).values
        # In the widest gap near the wanted count, where rounding decides nothing.
        count = SURVIVORS * len(ious) // (6 * 32 * 32)
        near = ious[count * 9 // 10 : count * 11 // 10 + 2]
        gap = (near[:-1] - near[1:]).argmax()
        return {
            "points_per_side": points,
            "pred_iou_thresh": float((near[gap] + near[gap + 1]) / 2),
            "stability_score_thresh": 0.0,
            "box_nms_thresh": 1.0,
            "crop_nms_thresh": 1.0,
        }

    def run_official(self, precision):
        """One round of the official project, in this process."""
        import torch
        from tasks.automatic_mask_generator import SemanticSamAutomaticMaskGenerator

        network, image = self.official(precision)
        generator = SemanticSamAutomaticMaskGenerator(
            types.SimpleNamespace(model=network),
            output_mode="coco_rle",
            **json.loads(self.parameters.read_text()),
        )
        on_gpu = self.device != "cpu"
        wait = torch.cuda.synchronize if on_gpu else lambda: None
        with torch.no_grad():
            self.encode(network, image)
            if on_gpu:
                generator.generate(image)
            wait()
            start = time.perf_counter()
            self.encode(network, image)
            wait()
            encoder = time.perf_counter() - start
            start = time.perf_counter()
            masks = generator.generate(image)
            generation = time.perf_counter() - start
        (self.folder / "official.json").write_text(json.dumps(masks, default=float))
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
        point = lambda found: str([round(number, 6) for number in found["point_coords"][0]])
        for found in official:
            of_point.setdefault(point(found), []).append(found)
        both = 0
        for ours in som:
            theirs = of_point.get(point(ours["extra"]), [])
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
    command = ["cargo", "bench", "--package", "som-semantic-sam", "--bench", "semantic-sam"]
    command += ["--no-run", "--message-format", "json"]
    messages = subprocess.check_output(command, cwd=ROOT, text=True)
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
    arguments.add_argument("--model", default="swint", choices=list(CONFIGURATIONS))
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    arguments.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    arguments.add_argument("--folder", type=Path, default=ROOT / "target/peers/semantic-sam")
    arguments.add_argument("--project", type=Path, help="a checkout of the official project")
    arguments.add_argument("--photo", type=Path, default=ROOT / "examples/images/coffee.png")
    arguments.add_argument("--bench", type=Path, help="the bench program, if it is built already")
    arguments.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments.add_argument("--official", action="store_true", help=argparse.SUPPRESS)
    options = arguments.parse_args()
    project = options.project or options.folder / "project"
    official_project(project)
    case = Case(
        options.folder, project, options.photo, options.model, options.device, options.points
    )
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
