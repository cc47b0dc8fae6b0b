"""SEEM: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers seem` does all of it.

Both find everything in the photograph, or with `--task strokes` what lies under two strokes. The names
of the classes are read before anything is timed: both sides keep what they mean. Of a network that was
never trained, all queries are about equally sure, and most masks are hidden by others: the thresholds are
such that about 40 of its 101 queries are looked at, and about 12 of them win enough pixels.
"""

import json
import math
import types

from case import Case, centre_masks, rle, widest_gap
from project import DETECTRON2, checkout, import_from
from tokenizer import ClipTokenizer

# Its branch `package`, which SoM installs.
PROJECT = (
    "https://github.com/UX-Decoder/Segment-Everything-Everywhere-All-At-Once",
    "64f86b7aa694b055b4ea9e04d8e5240d9f134a96",
)
CONFIGURATIONS = {"focall": "focall_unicl_lang_v1", "focalt": "focalt_unicl_lang_v1"}
THINGS = ["car", "person", "traffic light", "truck", "motorcycle"]
STUFF = ["building", "sky", "street", "tree", "rock", "sidewalk"]
NAMES = THINGS + STUFF
QUERIES, SEGMENTS = 40, 12
# Each from one pixel to another, both of the photograph, and how thick.
STROKES = [((200, 200), (420, 260), 9), ((600, 480), (760, 420), 5)]
SEED = 0


class Official(Case):
    MODELS = list(CONFIGURATIONS)
    FORWARD = ["backbone", "pixel decoder", "decoder"]

    @staticmethod
    def add_options(arguments):
        tasks = ["everything", "strokes"]
        arguments.add_argument("--task", default=tasks[0], choices=tasks, help="what is asked for")

    def __init__(self, options):
        super().__init__(options)
        # What the names mean to the network.
        self.names = self.folder / f"{options.model}-names.pth"

    def variant(self):
        return f"-{self.options.task}"

    def network(self):
        import torch

        project = self.options.project or checkout(self.folder / "project", PROJECT)
        detectron2 = self.options.detectron2 or checkout(self.folder / "detectron2", DETECTRON2)
        # Its losses log through a module that newer versions of Python have no more.
        import_from([project, detectron2], self.device, ["distutils"])
        import transformers
        from seem.modeling import build_model
        from seem.utils.arguments import load_opt_from_config_files

        # Its tokenizer's file would come from a hub of models.
        transformers.CLIPTokenizer.from_pretrained = lambda _: ClipTokenizer()
        if self.device == "cpu":
            # Where a buffer is made that only training uses.
            torch.cuda.current_device = lambda: "cpu"
        # On a GPU, too, both draw the same.
        draw = torch.multinomial
        torch.multinomial = lambda chances, **how: draw(chances.cpu(), **how).to(chances.device)
        name = CONFIGURATIONS[self.options.model]
        file = project / f"seem/configs/seem/{name}.yaml"
        network = build_model(load_opt_from_config_files([str(file)]))
        network = network.to(torch.device(self.device)).eval()
        things = {thing: thing for thing in range(len(THINGS))}
        network.metadata = types.SimpleNamespace(thing_dataset_id_to_contiguous_id=things)
        network.sem_seg_head.num_classes = len(NAMES)
        # Each task is asked for by itself, as som is.
        network.semantic_on = network.instance_on = False
        return network

    def draw(self, network):
        predictor = network.sem_seg_head.predictor
        for name, weight in network.named_parameters():
            # So little of a block would be left that none would show.
            if "gamma_" in name:
                weight.normal_(0.3, 0.1)
        # As a trained network has it.
        predictor.lang_encoder.logit_scale.fill_(math.log(100))
        centre_masks(network, self.pixels(), given=())
        self.names.unlink(missing_ok=True)
        self.read(network)
        # So much alike are queries, and names, to a new network that rounding would choose among them.
        last = predictor.mask_embed.layers[-1]
        mean, deviation = self.said(network, last)
        last.weight.div_(8 * deviation)
        last.bias.sub_(mean).div_(8 * deviation)
        mean, _ = self.said(network, predictor.decoder_norm)
        mean = mean / mean.norm()
        predictor.class_embed.sub_(mean[:, None] * (mean @ predictor.class_embed))
        mean = predictor.lang_encoder.default_text_embeddings.mean(0)
        mean = mean / mean.norm()
        predictor.class_embed.sub_((predictor.class_embed @ mean)[:, None] * mean)

    def said(self, network, part):
        """Mean and deviation, over queries, of what a part of the decoder says at last."""
        told = []
        hook = part.register_forward_hook(lambda *it: told.append(it[-1]))
        self.call(network, {})
        hook.remove()
        said = told[-1].flatten(0, -2)
        return said.mean(0), said.std(0).mean()

    def saved(self, weights):
        return dict(weights)

    def loaded(self, saved):
        return saved

    def choose(self):
        if self.options.task == "strokes":
            return {"hints": {"strokes": [rle(stroke) for stroke in self.strokes()]}, "seed": SEED}
        network, said = self.ready(), []
        self.read(network)
        network.panoptic_inference = lambda *classes_and_masks: said.extend(classes_and_masks)
        self.call(network, {})
        scores, labels = said[0].softmax(-1).max(-1)
        is_class = labels < len(NAMES)
        threshold, _ = widest_gap(scores[is_class], QUERIES)
        kept = is_class & (scores > threshold)
        # What each mask wins of its pixels.
        masks = said[1][kept].sigmoid()
        owners = (scores[kept][:, None, None] * masks).argmax(0)
        won = [(owners == mask).sum() / (it >= 0.5).sum() for mask, it in enumerate(masks)]
        overlap, _ = widest_gap([math.log(max(share, 1e-6)) for share in won], SEGMENTS)
        return {
            "classes": NAMES, "things": THINGS,
            "object_mask_threshold": threshold, "overlap_threshold": math.exp(overlap),
        }

    def read(self, network):
        """Reads the names of the classes, and of what is none, each in all sentences; only once, which
        takes minutes."""
        import torch

        language = network.sem_seg_head.predictor.lang_encoder
        if not self.names.exists():
            language.get_text_embeddings([*NAMES, "background"], is_eval=True)
            torch.save(language.default_text_embeddings, self.names)
        language.default_text_embeddings = torch.load(self.names, map_location=self.device)

    def pixels(self):
        """The photograph, as SoM prepares it."""
        import numpy as np
        import torch
        from PIL import Image
        from torchvision import transforms

        resize = transforms.Resize(640, interpolation=Image.BICUBIC)
        image = np.asarray(resize(Image.open(self.image).convert("RGB")))
        return torch.from_numpy(image.copy()).permute(2, 0, 1).to(self.device)

    def strokes(self):
        """The strokes, `[strokes, height, width]`."""
        import numpy as np
        import torch
        from PIL import Image, ImageDraw

        drawn = []
        for start, end, thick in STROKES:
            paper = Image.new("L", (960, 640))
            ImageDraw.Draw(paper).line([start, end], fill=1, width=thick)
            drawn.append(torch.from_numpy(np.array(paper)) > 0)
        return torch.stack(drawn)

    def watch(self, network, stages):
        self.read(network)
        self.lessen(network.backbone)
        stages.watch("backbone", network.backbone, "forward")
        stages.watch("pixel decoder", network.sem_seg_head.pixel_decoder, "forward_features")
        stages.watch("decoder", network.sem_seg_head.predictor, "forward")

    def call(self, network, params):
        asked = {"image": self.pixels(), "height": 640, "width": 960}
        if "hints" in params:
            return self.drawn(network, asked, params["seed"])
        network.object_mask_threshold = params.get("object_mask_threshold", 0.8)
        network.overlap_threshold = params.get("overlap_threshold", 0.8)
        return network.evaluate([asked])[0]

    def drawn(self, network, asked, seed):
        """What lies under the strokes, as SoM would ask for it: masks, `[strokes, height, width]`."""
        import torch
        from seem.modeling.architectures import seem_model_v1

        strokes = self.strokes()[:, None].float().to(self.device)
        strokes = torch.nn.functional.interpolate(strokes, asked["image"].shape[1:], mode="bicubic")
        found = []

        def keep(_, masks):
            """Instead of a comparison with the truth: all is well after the first round."""
            found.append(masks)
            return torch.ones(len(masks))

        seem_model_v1.get_iou = keep
        torch.manual_seed(seed)
        spatial = {"rand_shape": strokes > 0}
        network.evaluate_interactive([{**asked, "spatial_query": spatial, "gt_masks_orisize": None}])
        return found[0]

    def results(self, found):
        if not isinstance(found, dict):
            return [result(rle(mask), "stroke") for mask in found]
        ids, segments = found["panoptic_seg"]
        return [result(rle(ids == it["id"]), NAMES[it["category_id"]]) for it in segments]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"], region.get("label") or "stroke")

    @staticmethod
    def settings(fixture):
        # What hints find is compared by the plugin's own tests, which draw as the official project did.
        expected = json.loads((fixture / "expected.json").read_text())
        run = expected["panoptic_original_size"]
        params = {name: run[name] for name in ("object_mask_threshold", "overlap_threshold")}
        segments = run["segments_info"]
        yield "everything", params, [result(it["segmentation"], it["category_name"]) for it in segments]


def result(segmentation, label):
    return {"segmentation": segmentation, "what": label, "scores": {}}
