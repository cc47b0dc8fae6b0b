"""What the comparisons of all learned segmenters share: `official.py` of each plugin has a [`Case`],
which says what is its own.
"""

import json
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]


class Case:
    """A network with random weights, a photograph, and parameters: what both sides run."""

    # The networks that can be compared, the first one where none is named; those timed on a GPU.
    MODELS = []
    # The stages of one run of the network, in order, as both sides name them. Of a network that is asked
    # many times about an image, these are what it computes once.
    FORWARD = []
    # Its other stages.
    FURTHER = []
    # What the official project itself says of its speed.
    NOTE = "The official project has no figures of its own."

    @staticmethod
    def add_options(arguments):
        """Further options of the comparison."""

    def __init__(self, options):
        self.options, self.device = options, options.device
        self.folder = options.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.image = self.folder / "photo-960x640.png"
        self.weights = self.folder / f"{options.model}.pth"
        self.parameters = self.folder / f"{options.model}{self.variant()}.json"

    def prepare(self):
        """Makes the files that are missing. Random weights are the same everywhere."""
        if not self.image.exists():
            from PIL import Image

            photo = Image.open(self.options.photo).convert("RGB")
            photo.resize((960, 640), Image.BICUBIC).save(self.image)
        if not self.weights.exists():
            torch.manual_seed(0)
            network = self.network()
            self.draw(network)
            torch.save(self.saved(network.state_dict()), self.weights)
        if not self.parameters.exists():
            self.parameters.write_text(json.dumps(self.choose()))

    # What a case says of itself.

    def variant(self):
        """What parameters depend on beside the model, for the name of their file."""
        return ""

    def network(self):
        """The official network on its device, with weights that mean nothing."""
        raise NotImplementedError

    def draw(self, network):
        """Changes the weights that start as zeros, which would leave terms out."""
        for name, weight in network.named_parameters():
            if "_bbox_embed.layers.2" in name:
                weight.normal_(0, 0.02)
            if "sampling_offsets.weight" in name or "attention_weights.weight" in name:
                weight.normal_(0, 0.05)

    def saved(self, weights):
        """Weights as the official project saves them."""
        return {"model": weights}

    def loaded(self, saved):
        """The same, the other way round."""
        return saved["model"]

    def choose(self):
        """Parameters of a call, with which rounding decides nothing and enough is found."""
        return {}

    def watch(self, network, stages):
        """Says which methods are the stages."""
        raise NotImplementedError

    def warm_parameters(self):
        """Parameters of the call beforehand, whose products are counted."""
        return self.params()

    def warm_share(self):
        """How large a part of the further stages' work that call does."""
        return 1.0

    def call(self, network, params):
        """What the official project finds in the photograph, as [`regions`] wants it."""
        raise NotImplementedError

    def results(self, found):
        """What a call found, as dictionaries: `segmentation` as COCO RLE, `what` it is of, if only such
        are the same, and `scores`, if there are any, by their names."""
        raise NotImplementedError

    @staticmethod
    def of_som(region):
        """The same of a region of som."""
        raise NotImplementedError

    @staticmethod
    def settings(fixture):
        """Name, parameters and the same of all that is found, of each official run in a fixture of the
        plugin's tests."""
        raise NotImplementedError

    # What follows.

    def params(self):
        return json.loads(self.parameters.read_text())

    def ready(self):
        """The network with the weights of the comparison, in the precision that is asked for."""
        network = self.network().to(self.device).eval()
        network.load_state_dict(self.loaded(torch.load(self.weights, map_location=self.device)))
        return network

    def kind(self):
        """How precisely the network computes."""
        kinds = {"bf16": torch.bfloat16, "fp16": torch.float16}
        return kinds.get(self.options.precision, torch.float32)

    def lessen(self, encoder):
        """Computes an encoder in less precision, which is what som's option means, too."""
        kind, encode = self.kind(), encoder.forward
        if kind == torch.float32:
            return

        def encode_with_less(*arguments):
            with torch.autocast(self.device.split(":")[0], dtype=kind):
                return single(encode(*arguments))

        encoder.forward = encode_with_less


def single(of):
    """Feature maps, or one, in single precision."""
    if isinstance(of, dict):
        return {name: map.float() for name, map in of.items()}
    return of.float()


def centre_masks(network, image, given=(None,)):
    """Lets every mask cover about half of an image, where a network of random weights would have most
    cover all of it or nothing. What the pixel decoder is given besides maps is `given`."""
    up = lambda side: -side % network.size_divisibility
    image = (image - network.pixel_mean) / network.pixel_std
    image = torch.nn.functional.pad(image, (0, up(image.shape[2]), 0, up(image.shape[1])))
    decoder = network.sem_seg_head.pixel_decoder
    features, _, _ = decoder.forward_features(network.backbone(image[None]), *given)
    spread = features.std()
    decoder.mask_features.weight.div_(spread)
    decoder.mask_features.bias.sub_(features.mean((0, 2, 3))).div_(spread)


def widest_gap(values, count):
    """A threshold that about `count` of some values pass, in the widest gap near it, where rounding
    decides nothing; and how many do."""
    values = torch.as_tensor(values).flatten().sort(descending=True).values
    first = count * 9 // 10
    near = values[first : count * 11 // 10 + 2]
    gap = int((near[:-1] - near[1:]).argmax())
    return float((near[gap] + near[gap + 1]) / 2), first + gap + 1


def rle(mask):
    """A mask `[height, width]` as COCO RLE."""
    import numpy as np
    from pycocotools import mask as coco

    mask = mask.cpu().numpy() if torch.is_tensor(mask) else mask
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": [int(side) for side in found["size"]], "counts": found["counts"].decode()}
