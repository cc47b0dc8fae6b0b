"""Semantic-SAM: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers semantic-sam` does all of it.

The thresholds are such that about 100 masks survive of 32x32 points (`--points`), and of fewer points
as large a share.
"""

import json
import types

from case import Case, widest_gap
from project import DETECTRON2, checkout, import_from

PROJECT = (
    "https://github.com/UX-Decoder/Semantic-SAM",
    "e11f8b518539faea731e2744cc3e44c24572e30d",
)
SURVIVORS = 100
# Points of one batch, as officially; and points per side, about as many, that are asked for beforehand.
BATCH, WARM = 200, 14


class Official(Case):
    MODELS = ["swint", "swinl"]
    FORWARD = ["backbone", "pixel decoder"]
    FURTHER = ["decoder"]

    @staticmethod
    def add_options(arguments):
        arguments.add_argument("--points", type=int, default=32, help="points per side")

    def variant(self):
        return f"-{self.options.points}-points"

    def network(self):
        import torch
        import yaml

        project = self.options.project or checkout(self.folder / "project", PROJECT)
        detectron2 = self.options.detectron2 or checkout(self.folder / "detectron2", DETECTRON2)
        import_from([project, detectron2], self.device)
        from semantic_sam import build_model

        size = self.options.model.removeprefix("swin").upper()
        file = project / f"configs/semantic_sam_only_sa-1b_swin{size}.yaml"
        configuration = yaml.safe_load(file.read_text())
        configuration["MODEL"]["BACKBONE"]["LOAD_PRETRAINED"] = False
        return build_model(configuration).to(torch.device(self.device)).eval()

    def saved(self, weights):
        return {"model": {f"model.{name}": weight for name, weight in weights.items()}}

    def loaded(self, saved):
        return {name.removeprefix("model."): it for name, it in saved["model"].items()}

    def choose(self):
        """Random masks are all unstable: only their predicted IoU chooses."""
        import torch

        network = self.ready()
        # Found once the project is.
        from utils.sam_utils.amg import build_point_grid

        grid = build_point_grid(self.options.points)
        grid = torch.as_tensor(grid, dtype=torch.float, device=self.device)
        boxes = torch.cat([grid, torch.full_like(grid, 0.005)], 1)
        switch = {"part": False, "whole": False, "seg": False}
        normalised = (self.pixels() - network.pixel_mean) / network.pixel_std
        features = network.backbone(normalised[None])
        head, found = network.sem_seg_head, []
        mask_features, _, maps = head.pixel_decoder.forward_features(features, None)
        for batch in boxes.split(BATCH):
            targets = [{"points": batch, "pb": batch.new_zeros(len(batch))}]
            predicted, _ = head.predictor(
                maps, mask_features, None, targets=targets, task="demo", extra=switch
            )
            found.append(predicted["pred_ious"].flatten())
        ious = torch.cat(found)
        threshold, _ = widest_gap(ious, SURVIVORS * len(ious) // (6 * 32 * 32))
        return {
            "points_per_side": self.options.points,
            "pred_iou_thresh": threshold,
            "stability_score_thresh": 0.0,
            "box_nms_thresh": 1.0,
            "crop_nms_thresh": 1.0,
        }

    def pixels(self):
        """The photograph, as the official project's own script prepares it."""
        import numpy as np
        import torch
        from PIL import Image
        from torchvision import transforms

        resize = transforms.Resize(640, interpolation=Image.BICUBIC)
        image = np.asarray(resize(Image.open(self.image).convert("RGB")))
        return torch.from_numpy(image.copy()).permute(2, 0, 1).to(self.device)

    def warm_parameters(self):
        return {**self.params(), "points_per_side": min(WARM, self.options.points)}

    def warm_share(self):
        return min(WARM / self.options.points, 1.0) ** 2

    def watch(self, network, stages):
        self.lessen(network.backbone)
        stages.watch("backbone", network.backbone, "forward")
        stages.watch("pixel decoder", network.sem_seg_head.pixel_decoder, "forward_features")
        stages.watch("decoder", network.sem_seg_head.predictor, "forward")

    def call(self, network, params):
        from tasks.automatic_mask_generator import SemanticSamAutomaticMaskGenerator

        generator = SemanticSamAutomaticMaskGenerator(
            types.SimpleNamespace(model=network), output_mode="coco_rle", **params
        )
        return generator.generate(self.pixels())

    def results(self, found):
        return [result(mask, mask["segmentation"]) for mask in found]

    @staticmethod
    def of_som(region):
        return result(region["extra"], region["segmentation"])

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        height, width = expected["original_size_hw"]
        for name, setting in expected["amg"].items():
            left_out = ["output_mode", "token_index_for_level"]
            params = {key: it for key, it in setting["params"].items() if key not in left_out}
            masks = setting["masks"]
            back = (brought_back(mask["segmentation"], width, height) for mask in masks)
            yield name, params, [result(mask, it) for mask, it in zip(masks, back)]


def result(mask, segmentation):
    point = [round(float(number), 5) for number in mask["point_coords"][0]]
    scores = {name: float(mask[of]) for name, of in SCORES.items()}
    return {"segmentation": segmentation, "what": str(point), "scores": scores}


SCORES = {"predicted IoU": "predicted_iou", "stability": "stability_score"}


def brought_back(segmentation, width, height):
    """A mask of the resized image, on the original one."""
    import numpy as np
    from PIL import Image
    from apart import compressed
    from case import rle
    from pycocotools import mask as coco

    image = Image.fromarray(coco.decode(compressed(segmentation)))
    return rle(np.asarray(image.resize((width, height), Image.NEAREST)))
