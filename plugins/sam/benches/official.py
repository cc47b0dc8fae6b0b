"""Segment Anything: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers sam` does all of it.

The thresholds are such that about 100 masks survive of 32x32 points (`--points`), and of fewer points
as large a share.
"""

import json

from case import Case, widest_gap

SURVIVORS = 100
# Points per side of one batch, which is asked for beforehand.
WARM = 8


class Official(Case):
    MODELS = ["vit_b", "vit_l", "vit_h"]
    FORWARD = ["image encoder"]
    FURTHER = ["decoder"]
    # Image encoder and one decoder call of ViT-H, and whole generations, from the official code to the
    # fastest variant.
    NOTE = (
        '"Accelerating Generative AI with PyTorch: Segment Anything, Fast" (pytorch.org, 2023) reports '
        "of an A100, ViT-H: encoder and one decoder call 376 to 40 ms, a generation 2.0 to 0.5 s"
    )

    @staticmethod
    def add_options(arguments):
        arguments.add_argument("--points", type=int, default=32, help="points per side")

    def variant(self):
        return f"-{self.options.points}-points"

    def network(self):
        from segment_anything import sam_model_registry

        return sam_model_registry[self.options.model]().to(self.device)

    def draw(self, network):
        for name, weight in network.named_parameters():
            # These start as zeros.
            if "pos" in name:
                weight.normal_(0, 0.02)

    def saved(self, weights):
        return weights

    def loaded(self, saved):
        return saved

    def choose(self):
        """Random masks all fill the image and are all unstable: only their predicted IoU chooses."""
        import numpy as np
        import torch
        from segment_anything import SamPredictor
        from segment_anything.utils.amg import build_point_grid

        predictor, image = SamPredictor(self.ready()), self.pixels()
        predictor.set_image(image)
        height, width = image.shape[:2]
        grid = build_point_grid(self.options.points) * np.array([[width, height]])
        grid = predictor.transform.apply_coords(grid, (height, width))
        model, found = predictor.model, []
        for batch in torch.as_tensor(grid, device=self.device).split(WARM**2):
            labels = torch.ones(len(batch), 1, dtype=torch.int, device=self.device)
            sparse, dense = model.prompt_encoder((batch[:, None], labels), None, None)
            places = model.prompt_encoder.get_dense_pe()
            found.append(model.mask_decoder(predictor.features, places, sparse, dense, True)[1])
        ious = torch.cat(found).flatten()
        threshold, _ = widest_gap(ious, SURVIVORS * len(ious) // (3 * 32 * 32))
        return {
            "points_per_side": self.options.points,
            "pred_iou_thresh": threshold,
            "stability_score_thresh": 0.0,
            "box_nms_thresh": 1.0,
        }

    def pixels(self):
        import numpy as np
        from PIL import Image

        return np.array(Image.open(self.image))

    def warm_parameters(self):
        return {**self.params(), "points_per_side": min(WARM, self.options.points)}

    def warm_share(self):
        return min(WARM / self.options.points, 1.0) ** 2

    def watch(self, network, stages):
        self.lessen(network.image_encoder)
        stages.watch("image encoder", network.image_encoder, "forward")
        stages.watch("decoder", network.mask_decoder, "forward")

    def call(self, network, params):
        from segment_anything import SamAutomaticMaskGenerator

        generator = SamAutomaticMaskGenerator(network, output_mode="coco_rle", **params)
        return generator.generate(self.pixels())

    def results(self, found):
        return [result(mask, mask["segmentation"]) for mask in found]

    @staticmethod
    def of_som(region):
        return result(region["extra"], region["segmentation"])

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        for name, setting in expected["amg"].items():
            params = {key: it for key, it in setting["params"].items() if key != "output_mode"}
            yield name, params, [result(mask, mask["segmentation"]) for mask in setting["masks"]]


def result(mask, segmentation):
    point = [round(float(number), 4) for number in mask["point_coords"][0]]
    scores = {"predicted IoU": mask["predicted_iou"], "stability": mask["stability_score"]}
    return {"segmentation": segmentation, "what": str(point), "scores": scores}
