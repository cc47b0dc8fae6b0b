"""Mask DINO: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers mask-dino` does all of it.

The networks are the released ones of COCO. Of a panoptic network that was never trained, all queries
are about equally sure: the threshold is such that about 60 of its 300 are looked at.
"""

import json
import runpy
import types

from case import Case, centre_masks, rle, widest_gap
from project import DETECTRON2, checkout, import_from

PROJECT = (
    "https://github.com/IDEA-Research/MaskDINO",
    "3831d8514a3728535ace8d4ecc7d28044c42dd14",
)
CONFIGURATIONS = {
    "panoptic_r50": "panoptic-segmentation/maskdino_R50_bs16_50ep_3s_dowsample1_2048.yaml",
    "instance_r50": "instance-segmentation/maskdino_R50_bs16_50ep_3s_dowsample1_2048.yaml",
    "panoptic_swinl": "panoptic-segmentation/swin/maskdino_R50_bs16_50ep_4s_dowsample1_2048.yaml",
}
# COCO's things come first.
THINGS = 80
QUERIES = 60
# Only training and evaluation need these.
NEEDLESS = ["maskdino.data", "maskdino.evaluation", "maskdino.test_time_augmentation"]


class Official(Case):
    MODELS = list(CONFIGURATIONS)
    FORWARD = ["backbone", "pixel decoder", "decoder"]

    def network(self):
        project = self.options.project or checkout(self.folder / "project", PROJECT)
        detectron2 = self.options.detectron2 or checkout(self.folder / "detectron2", DETECTRON2)
        import_from([project, detectron2], self.device, NEEDLESS)
        from detectron2.config import get_cfg
        from detectron2.modeling import build_model
        from maskdino import add_maskdino_config

        configuration = get_cfg()
        add_maskdino_config(configuration)
        # Keys of DeepLab, which are not used.
        configuration.set_new_allowed(True)
        configuration.merge_from_file(project / "configs/coco" / CONFIGURATIONS[self.options.model])
        configuration.MODEL.DEVICE = self.device
        network = build_model(configuration).eval()
        things = {thing: thing for thing in range(THINGS)}
        network.metadata = types.SimpleNamespace(thing_dataset_id_to_contiguous_id=things)
        # As regions of som name them, which have COCO's own numbers.
        numbers = runpy.run_path(detectron2 / "detectron2/data/datasets/builtin_meta.py")
        self.categories = [category["id"] for category in numbers["COCO_CATEGORIES"]]
        # Each task is asked for by itself, as som is.
        network.semantic_on = False
        network.panoptic_on = "panoptic" in self.options.model
        network.instance_on = not network.panoptic_on
        return network

    def choose(self):
        network, sure = self.ready(), []
        if network.instance_on:
            network.instance_inference = lambda classes, *_: sure.append(classes.sigmoid())
            self.call(network, {})
            _, count = widest_gap(sure[0], network.test_topk_per_image)
            return {"task": "instance", "detections_per_image": count}
        network.panoptic_inference = lambda classes, _: sure.append(classes.sigmoid().max(-1).values)
        self.call(network, {})
        threshold, _ = widest_gap(sure[0], QUERIES)
        return {
            "task": "panoptic", "object_mask_threshold": threshold, "overlap_threshold": 0.05,
        }

    def draw(self, network):
        super().draw(network)
        norms = [it for it in network.backbone.modules() if hasattr(it, "running_mean")]
        hooks = [norm.register_forward_pre_hook(as_if_trained) for norm in norms]
        network.backbone((self.pixels() - network.pixel_mean)[None] / network.pixel_std)
        for hook in hooks:
            hook.remove()
        centre_masks(network, self.pixels())
        # So much alike are places, and then queries, to a new network that rounding would choose among
        # them.
        heads = network.sem_seg_head.predictor
        _, deviation = self.said(network, heads.class_embed, 0)
        heads.class_embed.weight.div_(deviation)
        # Not centred: at the edge, places without a proposal say nothing but the offset.
        heads.class_embed.bias.zero_()
        # Things alone: all stuff of one class would be one region.
        heads.class_embed.bias[THINGS:] = -100
        mean, deviation = self.said(network, heads.mask_embed.layers[-1], -1)
        heads.mask_embed.layers[-1].weight.div_(8 * deviation)
        heads.mask_embed.layers[-1].bias.sub_(mean).div_(8 * deviation)

    def said(self, network, head, call):
        """Mean and deviation of what a head says in one of its calls."""
        told = []
        hook = head.register_forward_hook(lambda *it: told.append(it[-1]))
        self.call(network, {})
        hook.remove()
        said = told[call].flatten(0, -2)
        return said.mean(0), said.std(0).mean()

    def pixels(self):
        """The photograph with a shorter side of 800 pixels, as detectron2 prepares it."""
        import numpy as np
        import torch
        from PIL import Image

        photo = Image.open(self.image).convert("RGB")
        resized = np.asarray(photo.resize((1200, 800), Image.BILINEAR), dtype=np.float32)
        return torch.as_tensor(resized.transpose(2, 0, 1).copy()).to(self.device)

    def watch(self, network, stages):
        self.lessen(network.backbone)
        stages.watch("backbone", network.backbone, "forward")
        stages.watch("pixel decoder", network.sem_seg_head.pixel_decoder, "forward_features")
        stages.watch("decoder", network.sem_seg_head.predictor, "forward")

    def call(self, network, params):
        network.object_mask_threshold = params.get("object_mask_threshold", 0.25)
        network.overlap_threshold = params.get("overlap_threshold", 0.8)
        network.test_topk_per_image = params.get("detections_per_image", network.test_topk_per_image)
        return network([{"image": self.pixels(), "width": 960, "height": 640}])[0]

    def results(self, found):
        if "panoptic_seg" in found:
            ids, segments = found["panoptic_seg"]
            category = lambda it: self.categories[it["category_id"]]
            return [result(rle(ids == it["id"]), category(it)) for it in segments]
        of = found["instances"]
        parts = zip(of.pred_masks, of.pred_classes.tolist(), of.scores.tolist())
        return [result(rle(mask > 0), self.categories[it], score) for mask, it, score in parts]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"], region["extra"]["category_id"], region.get("score"))

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        if "instances_sorted_by_score" in expected:
            found = expected["instances_sorted_by_score"]
            found = [result(it["segmentation"], it["category_id"], it["score"]) for it in found]
            yield "instance", {"task": "instance"}, found
        if "panoptic" in expected:
            segments = expected["panoptic"]["segments_info"]
            found = [result(it["segmentation"], it["category_id"]) for it in segments]
            yield "panoptic", {"task": "panoptic"}, found
        if "semantic" in expected:
            masks = expected["semantic"]["masks_by_class"]
            found = [result(mask, int(category)) for category, mask in masks.items()]
            yield "semantic", {"task": "semantic"}, found


def as_if_trained(norm, inputs):
    """Gives a frozen norm the mean and variance of what it sees: without, maps would be the same at all
    places."""
    (map,) = inputs
    norm.running_mean.copy_(map.mean((0, 2, 3)))
    norm.running_var.copy_(map.var((0, 2, 3)))


def result(segmentation, category, score=None):
    scores = {} if score is None else {"score": score}
    return {"segmentation": segmentation, "what": str(category), "scores": scores}
