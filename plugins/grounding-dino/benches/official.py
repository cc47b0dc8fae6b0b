"""Grounding DINO: what of the comparison with Hugging Face's form of it is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers grounding-dino` does all of it.

Both look for what a text of three phrases names, of the photograph made 1200x800 pixels large. Of a
network that was never trained, all queries are about equally like the text: the threshold is such that
about 60 of its 900 pass it. "again" is the same text on the same image once more, of which som has kept
what comes before the text.
"""

import gzip
import json

from case import ROOT, Case, rle, widest_gap

TEXT = "a cup of coffee. a spoon. a wooden table."
WIDTH, HEIGHT = 960, 640
# Its shorter side is made 800 pixels long.
LARGE = (1200, 800)
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
QUERIES = 60
# som's own copy of the vocabulary of `bert-base-uncased`.
VOCABULARY = ROOT / "crates/som-torch/src/text/word_piece/vocab.txt.gz"


class Official(Case):
    MODELS = ["swint", "swinb"]
    FORWARD = ["backbone", "text encoder", "encoder", "decoder"]

    def network(self):
        from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection, SwinConfig

        # Without further words it is the smaller one of those released.
        sizes = {"disable_custom_kernels": True}
        if self.options.model == "swinb":
            sizes["backbone_config"] = SwinConfig(
                embed_dim=128, depths=[2, 2, 18, 2], num_heads=[4, 8, 16, 32], window_size=12,
                image_size=384, out_indices=[2, 3, 4],
            )
        network = GroundingDinoForObjectDetection(GroundingDinoConfig(**sizes))
        return network.to(self.device).eval()

    def draw(self, network):
        for name, weight in network.named_parameters():
            if "bbox_embed" in name and "layers.2" in name:
                weight.normal_(0, 0.02)
            if "sampling_offsets.weight" in name or "attention_weights.weight" in name:
                weight.normal_(0, 0.05)
            # So little of a fusion would be left that none would show.
            if name.endswith(("vision_param", "text_param")):
                weight.normal_(0.3, 0.1)

    def saved(self, weights):
        return dict(weights)

    def loaded(self, saved):
        return saved

    def choose(self):
        found = self.call(self.ready(), {})
        threshold, _ = widest_gap(found.logits.sigmoid().amax(-1), QUERIES)
        return {"hints": {"text": TEXT}, "box_threshold": threshold}

    def watch(self, network, stages):
        model = network.model
        self.lessen(model.backbone.conv_encoder)
        stages.watch("backbone", model.backbone, "forward")
        stages.watch("text encoder", model.text_backbone, "forward")
        stages.watch("encoder", model.encoder, "forward")
        stages.watch("decoder", model.decoder, "forward")

    def call(self, network, params):
        pixels = self.pixels()
        found = network(pixel_values=pixels, **self.text())
        self.threshold = params.get("box_threshold", 0.35)
        return found

    def pixels(self):
        """The photograph, as the processor prepares it, `[1, 3, height, width]`."""
        import numpy as np
        import torch
        from PIL import Image

        photo = Image.open(self.image).convert("RGB").resize(LARGE, Image.BILINEAR)
        pixels = (np.asarray(photo) / 255 - MEAN) / DEVIATION
        return torch.from_numpy(pixels).float().permute(2, 0, 1)[None].to(self.device)

    def text(self):
        """The text, as the processor prepares it."""
        from transformers import BertTokenizer

        vocabulary = self.folder / "vocab.txt"
        if not vocabulary.exists():
            vocabulary.write_bytes(gzip.decompress(VOCABULARY.read_bytes()))
        tokenizer = BertTokenizer(vocab_file=str(vocabulary))
        return tokenizer(TEXT, return_tensors="pt").to(self.device)

    def results(self, found):
        scores = found.logits[0].sigmoid().amax(-1)
        boxes = found.pred_boxes[0]
        kept = scores > self.threshold
        corners = zip(boxes[kept].tolist(), scores[kept].tolist())
        return [result(rectangle(box), score) for box, score in corners]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"], region["score"])

    @staticmethod
    def settings(fixture):
        expected = json.loads((fixture / "expected.json").read_text())
        height, width = expected["image_size_hw"]
        for run in expected["results"]:
            thresholds = {name: run[name] for name in ("box_threshold", "text_threshold")}
            found = [
                result(covered(it["box_xyxy"], width, height), it["score"]) for it in run["detections"]
            ]
            name = " and ".join(map(str, thresholds.values()))
            yield name, {"hints": {"text": expected["text"]}, **thresholds}, found


def rectangle(box):
    """A box of the photograph, its middle and sides as parts of that, as COCO RLE."""
    x, y, width, height = box
    left, top = (x - width / 2) * WIDTH, (y - height / 2) * HEIGHT
    return covered([left, top, left + width * WIDTH, top + height * HEIGHT], WIDTH, HEIGHT)


def covered(corners, width, height):
    """The pixels whose centres lie between left, top, right and bottom, as COCO RLE."""
    import numpy as np

    left, top, right, bottom = corners
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    return rle(np.outer((top <= rows) & (rows < bottom), (left <= columns) & (columns < right)))


def result(segmentation, score):
    return {"segmentation": segmentation, "what": "box", "scores": {"score": score}}
