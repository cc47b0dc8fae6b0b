"""OpenSeeD: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers open-seed` does all of it.

The classes are those of the official demo. Their names are read before anything is timed: both sides
keep what they mean. Of a network that was never trained, all queries are about equally sure: the
threshold is such that about 60 of its 300 are looked at.
"""

import json
import types

from case import Case, centre_masks, rle, widest_gap
from project import DETECTRON2, checkout, import_from
from tokenizer import ClipTokenizer

PROJECT = (
    "https://github.com/IDEA-Research/OpenSeeD",
    "5dc694ed55e4b71ff57ee3d98ef6ac0dfcaad847",
)
CONFIGURATIONS = {"swint": "openseed_swint_lang", "swinl": "openseed_swinl_lang_decouple"}
THINGS = ["car", "person", "traffic light", "truck", "motorcycle"]
STUFF = ["building", "sky", "street", "tree", "rock", "sidewalk"]
SENTENCE = "a photo of a {}."
QUERIES = 60


class Official(Case):
    MODELS = list(CONFIGURATIONS)
    FORWARD = ["backbone", "pixel decoder", "decoder"]

    def network(self):
        project = self.options.project or checkout(self.folder / "project", PROJECT)
        detectron2 = self.options.detectron2 or checkout(self.folder / "detectron2", DETECTRON2)
        import_from([project, detectron2], self.device)
        import transformers
        from openseed import build_model
        from utils.arguments import load_config_dict_to_opt, load_opt_from_config_files

        # Its tokenizer's file would come from a hub of models.
        transformers.CLIPTokenizer.from_pretrained = lambda _: ClipTokenizer()
        name = CONFIGURATIONS[self.options.model]
        options = load_opt_from_config_files([str(project / f"configs/openseed/{name}.yaml")])
        changed = {"MODEL.BACKBONE.LOAD_PRETRAINED": False, "VERBOSE": False}
        load_config_dict_to_opt(options, changed)
        options["MODEL"]["TEXT"]["LOAD_PRETRAINED"] = False
        network = build_model(options).to(self.device).eval()
        things = {thing: thing for thing in range(len(THINGS))}
        network.metadata = types.SimpleNamespace(thing_dataset_id_to_contiguous_id=things)
        network.sem_seg_head.num_classes = len(THINGS + STUFF)
        return network

    def choose(self):
        network, sure = self.ready(), []
        self.read(network)
        network.panoptic_inference = lambda classes, _: sure.append(classes.sigmoid().max(-1).values)
        self.call(network, {})
        threshold, _ = widest_gap(sure[0], QUERIES)
        return {
            "task": "panoptic", "classes": THINGS + STUFF, "things": THINGS, "template": SENTENCE,
            "object_mask_threshold": threshold, "overlap_threshold": 0.05,
        }

    def read(self, network):
        """Reads the names of the classes, each in one sentence."""
        language = network.sem_seg_head.predictor.lang_encoder
        sentences = [SENTENCE.format(name) for name in THINGS + STUFF]
        language.get_text_embeddings(sentences, prompt=False)

    def draw(self, network):
        super().draw(network)
        centre_masks(network, self.pixels())

    def pixels(self):
        """The photograph, as the official demo prepares it."""
        import numpy as np
        import torch
        from PIL import Image
        from torchvision import transforms

        photo = Image.open(self.image).convert("RGB")
        resized = np.asarray(transforms.Resize(512, interpolation=Image.BICUBIC)(photo))
        return torch.from_numpy(resized.copy()).permute(2, 0, 1).to(self.device)

    def watch(self, network, stages):
        self.read(network)
        self.lessen(network.backbone)
        stages.watch("backbone", network.backbone, "forward")
        stages.watch("pixel decoder", network.sem_seg_head.pixel_decoder, "forward_features")
        stages.watch("decoder", network.sem_seg_head.predictor, "forward")

    def call(self, network, params):
        network.object_mask_threshold = params.get("object_mask_threshold", 0.25)
        network.overlap_threshold = params.get("overlap_threshold", 0.8)
        asked = {"image": self.pixels(), "width": 960, "height": 640}
        # Panoptic regions alone, as som is asked for: none of the official tasks is that.
        network.semantic_on = network.instance_on = False
        network.panoptic_on = network.sem_seg_postprocess_before_inference = True
        return network([asked], inference_task="pan_seg")[0]

    def results(self, found):
        ids, segments = found["panoptic_seg"]
        names = THINGS + STUFF
        return [result(rle(ids == it["id"]), names[it["category_id"]]) for it in segments]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"], region["label"], region.get("score"))

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        names, things = expected["text"]["class_names"], expected["text"]["thing_class_ids"]
        asked = {"classes": names, "things": [names[thing] for thing in things]}
        of = lambda it, score=None: result(it["segmentation"], names[it["category_id"]], score)
        segments = expected["panoptic"]["segments_info"]
        yield "panoptic", {"task": "panoptic", **asked}, list(map(of, segments))
        instances = expected["instance_only"]
        names = instances["class_names"]
        found = [of(it, it["score"]) for it in instances["instances_sorted_by_score"]]
        yield "instance", {"task": "instance", "classes": names, "things": names}, found


def result(segmentation, label, score=None):
    scores = {} if score is None else {"score": score}
    return {"segmentation": segmentation, "what": label, "scores": scores}
