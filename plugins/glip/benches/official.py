"""GLIP: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers glip` does all of it.

The project's operators exist on CUDA alone, and in a build of its own. Stood in for them are torchvision's
deformable convolution, which is given what the project's kernel would read, and a suppression of boxes
with that kernel's arithmetic. Of a network that was never trained, all cells are about equally unsure: how
like tokens they are is spread out, and the threshold is such that about 40 boxes are found.
"""

import json

import numpy

from case import Case, rle, widest_gap
from project import checkout, import_from

PROJECT = ("https://github.com/microsoft/GLIP", "9dda9558c1ef59bb6cdc8e896e2bcab775a68ff0")
CONFIGURATIONS = {"swint": "glip_Swin_T_O365_GoldG", "swinl": "glip_Swin_L"}
CLASSES = [
    "cup", "spoon", "table", "saucer", "coffee", "napkin", "person", "chair", "window", "plant", "book",
]
BOXES = 40
# Words of the text encoder, as many as bert-base-uncased has: those that it cannot do without, at their
# numbers, and the classes.
TOKENS = 30522
WORDS = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: "."}
# Only training, evaluation and drawing need these.
NEEDLESS = ["cv2", "ftfy", "inflect", "maskrcnn_benchmark._C", "maskrcnn_benchmark.data", "prettytable"]


class Official(Case):
    MODELS = list(CONFIGURATIONS)
    FORWARD = ["backbone", "pyramid", "text encoder", "tower"]

    def network(self):
        project = self.options.project or checkout(self.folder / "project", PROJECT)
        import_from([project], self.device, NEEDLESS, needed=["transformers"])
        # Numpy's old name of it, which the project goes by.
        numpy.float = float
        self.without_downloads()
        from maskrcnn_benchmark.config import cfg
        from maskrcnn_benchmark.engine.inference import create_queries_and_maps
        from maskrcnn_benchmark.modeling.detector import build_detection_model

        stand_in()
        configuration = cfg.clone()
        name = CONFIGURATIONS[self.options.model]
        configuration.merge_from_file(str(project / f"configs/pretrain/{name}.yaml"))
        configuration.MODEL.DYHEAD.USE_CHECKPOINT = False
        configuration.MODEL.DEVICE = self.device
        self.configuration = configuration
        labels = list(range(1, len(CLASSES) + 1))
        self.query = create_queries_and_maps(labels, CLASSES, cfg=configuration)
        network = build_detection_model(configuration).to(self.device)
        network.eval()
        # The project's own says nothing, where PyTorch's gives the network.
        network.eval = lambda: network
        return network

    def without_downloads(self):
        """The text encoder's sizes and vocabulary, which would come from a hub of models. som finds the
        latter beside the weights."""
        import transformers

        words = {**WORDS, **dict(enumerate(CLASSES, 2000))}
        vocabulary = self.folder / "vocab.txt"
        vocabulary.write_text("".join(f"{words.get(id, f'[{id}]')}\n" for id in range(TOKENS)))
        tokenizer, config, bert = (
            transformers.BertTokenizerFast, transformers.BertConfig, transformers.BertModel,
        )
        transformers.AutoTokenizer.from_pretrained = lambda *_, **__: tokenizer(str(vocabulary))
        config.from_pretrained = lambda *_, **__: config()
        bert.from_pretrained = lambda *_, config, **__: bert(config, add_pooling_layer=False)

    def draw(self, network):
        super().draw(network)
        said = []
        hook = network.rpn.head.register_forward_hook(lambda *it: said.extend(it[-1][6]))
        self.call(network, {"threshold": 0})
        hook.remove()
        import torch

        logits = torch.cat([level[0, :, : self.tokens()].flatten() for level in said])
        head = network.rpn.head
        head.log_scale.fill_(logits.std().log())
        head.bias0.sub_(logits.mean() / logits.std() + 3.5)

    def tokens(self):
        return max(map(max, self.query[1].values())) + 1

    def choose(self):
        network = self.ready()
        found = self.call(network, {"threshold": 0})
        threshold, _ = widest_gap(found.get_field("scores"), BOXES)
        return {"classes": CLASSES, "threshold": threshold}

    def pixels(self):
        """The photograph with a shorter side of 800 pixels, as the official demo prepares it."""
        import numpy as np
        import torch
        from PIL import Image
        from torchvision import transforms

        photo = transforms.Resize(800)(Image.open(self.image).convert("RGB"))
        blue_first = np.asarray(photo)[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)
        of = self.configuration.INPUT
        normalize = transforms.Normalize(of.PIXEL_MEAN, of.PIXEL_STD)
        return normalize(torch.from_numpy(blue_first.copy())).to(self.device)

    def watch(self, network, stages):
        self.lessen(network.backbone.body)
        stages.watch("backbone", network.backbone.body, "forward")
        stages.watch("pyramid", network.backbone.fpn, "forward")
        stages.watch("text encoder", network.language_backbone, "forward")
        stages.watch("tower", network.rpn.head.dyhead_tower, "forward")

    def call(self, network, params):
        from maskrcnn_benchmark.structures.image_list import to_image_list

        images = to_image_list(self.pixels(), self.configuration.DATALOADER.SIZE_DIVISIBILITY)
        text, tokens = self.query
        (found,) = network(images, captions=[text], positive_map=tokens)
        found = found.resize((960, 640))
        return found[found.get_field("scores") > params["threshold"]]

    def results(self, found):
        parts = zip(found.bbox.tolist(), found.get_field("labels").tolist())
        scores = found.get_field("scores").tolist()
        of = lambda box, label, score: result(rectangle(box, 640, 960), CLASSES[label - 1], score)
        return [of(*part, score) for part, score in zip(parts, scores)]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"], region["label"], region["score"])

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        height, width = expected["original_size_hw"]
        for name in ("caption", "classes"):
            text = expected[name]
            params = {
                "hints": {"text": text["text"]}, "phrases": text["phrases"],
                "threshold": text["threshold"],
            }
            of = lambda it: result(rectangle(it["box_xyxy"], height, width), it["phrase"], it["score"])
            yield name, params, list(map(of, text["detections"]))


def stand_in():
    """Operators in place of the project's own, with the same results."""
    import torch
    from maskrcnn_benchmark.layers import deform_conv
    from maskrcnn_benchmark.modeling.rpn import inference
    from torchvision.ops import deform_conv2d

    def convolve(x, offset, mask, weight, bias, stride, padding, *_):
        rows, columns = ((side + 2 * padding - 3) // stride + 1 for side in x.shape[2:])

        def first(of):
            """The kernel reads as many numbers as the result has places, whatever the shape."""
            flat = of.contiguous().flatten(1)[:, : of.shape[1] * rows * columns]
            return flat.reshape(len(of), of.shape[1], rows, columns)

        return deform_conv2d(
            x, first(offset), weight, bias, stride=stride, padding=padding, mask=first(mask)
        )

    def suppress(boxes, threshold, *_, **__):
        order = boxes.get_field("scores").sort(descending=True).indices.tolist()
        corners, labels = boxes.bbox, boxes.get_field("labels").tolist()
        extents = corners[:, 2:] - corners[:, :2] + 1
        areas, kept = extents[:, 0] * extents[:, 1], {}
        for index in order:
            of_same = kept.setdefault(labels[index], [])
            others = corners[of_same]
            low = torch.maximum(others[:, :2], corners[index, :2])
            high = torch.minimum(others[:, 2:], corners[index, 2:])
            common = (high - low + 1).clamp(min=0).prod(1)
            overlap = common / (areas[of_same] + areas[index] - common)
            if not (overlap > threshold).any():
                of_same.append(index)
        return boxes[torch.tensor(sorted(sum(kept.values(), [])), dtype=torch.long)]

    deform_conv.modulated_deform_conv = convolve
    inference.boxlist_ml_nms = suppress


def rectangle(box, height, width):
    """The pixels whose centres lie in a box, as COCO RLE."""
    import numpy as np

    x, y, right, bottom = (max(int(np.ceil(edge - 0.5)), 0) for edge in box)
    mask = np.zeros((height, width), bool)
    mask[y:bottom, x:right] = True
    return rle(mask)


def result(segmentation, label, score):
    return {"segmentation": segmentation, "what": label, "scores": {"score": score}}
