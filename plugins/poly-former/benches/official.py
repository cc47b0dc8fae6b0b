"""PolyFormer: what of the comparison with the official project is its own. Run by
`benches/learned/compare.py`; `cargo xtask bench --peers poly-former` does all of it.

The official project stands on fairseq, of which inference needs next to nothing: that is stood in for
here. It runs in half precision alone, by two casts, which are casts to single precision here. A network
that was never trained would write on until it is stopped: its last layer is such that it ends after 40
steps, as many as a box and a usual polygon have, and clearly so.
"""

import argparse
import ast
import json
import math
import sys
import types

import torch
# Before scipy, which it needs, is stood in for.
from skimage.draw import polygon2mask
from torch import nn

from case import Case, rle
from project import checkout, import_from

PROJECT = (
    "https://github.com/amazon-science/polygon-transformer",
    "69fc728b2ec6a2b3595ec34db64074badcb19151",
)
# Flags of its training scripts.
FLAGS = [
    "encoder_normalize_before", "decoder_normalize_before", "share_decoder_input_output_embed",
    "share_all_embeddings", "layernorm_embedding", "patch_layernorm_embedding",
    "code_layernorm_embedding", "add_type_embedding", "scale_attn", "scale_fc", "scale_heads",
    "disable_entangle",
]
TEXT = "the cup of coffee on the left"
# What the official tokenizer makes of the prompt about it.
TOKENS = [
    101, 2029, 2555, 2515, 1996, 3793, 1000, 1996, 2452, 1997, 4157, 2006, 1996, 2187, 1000, 6235, 1029,
    102,
]
SIDE, BINS, STEPS, WORDS = 512, 64, 40, 30522
COORDINATE, SEPARATOR, END = 0, 1, 2


class Official(Case):
    MODELS = ["b", "l"]
    FORWARD = ["backbone", "text encoder", "encoder", "decoder"]

    def network(self):
        project = self.options.project or checkout(self.folder / "project", PROJECT)
        stand_in_for_fairseq()
        import_from([project], self.device, ["filelock", "requests", "tqdm"])
        torch.Tensor.half = torch.Tensor.float
        from bert import modeling_bert
        from models import polyformer

        # Its weights would come from a hub of models.
        sizes = modeling_bert.BertConfig(vocab_size=WORDS)
        build = classmethod(lambda bert, _: bert(sizes))
        modeling_bert.BertModel.from_pretrained = build
        self.inference = function_of(project / "tasks/refcoco.py", "inference_step")
        arguments = argparse.Namespace(**dict.fromkeys(FLAGS, True))
        getattr(polyformer, f"polyformer_{self.options.model}_architecture")(arguments)
        bins = Bins()
        task = types.SimpleNamespace(source_dictionary=bins, target_dictionary=bins)
        network = polyformer.PolyFormerModel.build_model(arguments, task)
        return network.to(self.device).eval()

    def draw(self, network):
        for name, weight in network.named_parameters():
            if "rel_pos_table" in name or "c_attn" in name:
                weight.add_(torch.randn_like(weight), alpha=0.3)
        # So that points lie all over the image.
        last = network.decoder.reg_head.layers[-1]
        last.weight.normal_(0, 0.3)
        heads = network.decoder.cls_head
        heads.weight.zero_()
        self.end_after(network, heads, STEPS)

    def end_after(self, network, heads, steps):
        """Lets the network write points until it ends after so many steps."""
        said = []
        hook = heads.register_forward_hook(lambda _, given, __: said.append(given[0][0]))
        end, network.steps = heads.forward, steps + 1
        heads.forward = lambda x: at_last(end(x), steps)
        self.call(network, {})
        heads.forward = end
        hook.remove()
        states = said[-1].double()[: steps + 1]
        wanted = torch.full((steps + 1,), -8.0, dtype=states.dtype, device=states.device)
        wanted[steps] = 8.0
        heads.weight[END] = (torch.linalg.pinv(states) @ wanted).float()

    def saved(self, weights):
        return {"model": {name: weight for name, weight in weights.items() if "rp_bucket" not in name}}

    def ready(self):
        network = self.network().to(self.device).eval()
        saved = torch.load(self.weights, map_location=self.device)
        network.load_state_dict(self.loaded(saved), strict=False)
        return network

    def choose(self):
        return {"hints": {"text": TEXT}}

    def pixels(self):
        """The photograph, as the official project prepares it."""
        import numpy as np
        from PIL import Image

        photo = Image.open(self.image).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC)
        pixels = torch.from_numpy(np.asarray(photo, dtype=np.float32).copy())
        return ((pixels / 255 - 0.5) / 0.5).permute(2, 0, 1).to(self.device)

    def watch(self, network, stages):
        self.lessen(network.encoder.embed_images)
        stages.watch("backbone", network.encoder.embed_images, "forward")
        stages.watch("text encoder", network.encoder.bert, "forward")
        self.watch_encoder(network.encoder, stages)
        stages.watch("decoder", network.decoder, "forward")

    def watch_encoder(self, encoder, stages):
        """Of the encoder, only its layers: the rest of it is other stages."""
        for layer in encoder.layers:
            stages.watch("encoder", layer, "forward")

    def call(self, network, params):
        tokens = torch.tensor([TOKENS], device=self.device)
        asked = {
            "src_tokens": tokens,
            "src_lengths": torch.tensor(len(TOKENS)),
            "att_masks": torch.ones_like(tokens),
            "patch_images": self.pixels()[None],
            "patch_masks": torch.tensor([True]),
        }
        task = types.SimpleNamespace(cfg=types.SimpleNamespace(num_bins=BINS))
        return self.inference(task, network, {"net_input": asked})[0]

    def results(self, found):
        """Of its one polygon, filled at the size of the photograph."""
        import numpy as np

        points = np.array([number for number in found[4:] if number >= 0], dtype=np.float64)
        corners = points.reshape(-1, 2) * [960, 640]
        return [result(rle(polygon2mask((640, 960), corners[:, ::-1].astype(np.int32))))]

    @staticmethod
    def of_som(region):
        return result(region["segmentation"])

    @staticmethod
    def settings(fixture):
        drawn = json.loads((fixture / "original_size.json").read_text())
        for one in drawn:
            yield one["text"], {"hints": {"text": one["text"]}}, [result(one["mask"])]


def at_last(logits, steps):
    """A point at every step, and the end at the last."""
    logits = torch.zeros_like(logits)
    logits[:, steps:, END] = 1.0
    return logits


def result(segmentation):
    return {"segmentation": segmentation, "what": "region", "scores": {}}


def function_of(file, name):
    """A function of a file whose imports would need much more."""
    functions = (it for it in ast.walk(ast.parse(file.read_text())) if isinstance(it, ast.FunctionDef))
    (function,) = (it for it in functions if it.name == name)
    import numpy

    known = {"torch": torch, "np": numpy, "math": math, "print": lambda *_: None}
    known |= {"COO": COORDINATE, "SEP": SEPARATOR, "EOS": END, "bos_index": 0, "sep_index": 3}
    exec(compile(ast.Module([function], []), str(file), "exec"), known)
    return known[name]


class Bins:
    """The dictionary that encoder and decoder share."""

    def __len__(self):
        return BINS**2 + 4

    def pad(self):
        return 1

    def eos(self):
        return END


class WithDictionary(nn.Module):
    def __init__(self, dictionary):
        super().__init__()
        self.dictionary = dictionary


class EncoderDecoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder, self.decoder = encoder, decoder


class NoDropout(nn.Module):
    def __init__(self, *_, **__):
        super().__init__()

    def forward(self, x):
        return x


def arange(x):
    """The place of each number in its row."""
    return torch.arange(x.size(-1), device=x.device).expand(*x.size()).contiguous()


def without_increments(attention):
    attention._get_input_buffer = lambda *_: None
    return attention


def stand_in_for_fairseq():
    """What of fairseq the network needs: no more than PyTorch has."""
    functional = nn.functional
    any_class = lambda *_: lambda kind: kind
    as_it_is = lambda module, *_, **__: module
    norm = lambda size, export=False: nn.LayerNorm(size)
    modules = {
        "utils": {
            "get_available_activation_fns": lambda: ["gelu"],
            "get_activation_fn": lambda activation: {"gelu": functional.gelu}[activation],
            "new_arange": arange,
            "fill_with_neg_inf": lambda x: torch.full_like(x, float("-inf")),
            "softmax": lambda x, dim, onnx_trace: functional.softmax(x, dim, dtype=torch.float32),
        },
        "distributed": {"fsdp_wrap": as_it_is},
        "models": {
            "FairseqEncoder": WithDictionary,
            "FairseqIncrementalDecoder": WithDictionary,
            "FairseqEncoderDecoderModel": EncoderDecoder,
            "register_model": any_class,
            "register_model_architecture": any_class,
        },
        "modules": {
            **dict.fromkeys(["AdaptiveSoftmax", "BaseLayer", "LayerDropModuleList", "GradMultiply"]),
            "FairseqDropout": NoDropout,
            "LayerNorm": norm,
            "SinusoidalPositionalEmbedding": NoDropout,
        },
        "modules.checkpoint_activations": {"checkpoint_wrapper": as_it_is},
        "modules.fairseq_dropout": {"FairseqDropout": NoDropout},
        "modules.quant_noise": {"quant_noise": as_it_is},
        "modules.transformer_sentence_encoder": {"init_bert_params": lambda _: None},
        "incremental_decoding_utils": {"with_incremental_state": without_increments},
    }
    fairseq = sys.modules["fairseq"] = types.ModuleType("fairseq")
    fairseq.__path__ = []
    for name, has in modules.items():
        module = types.ModuleType(f"fairseq.{name}")
        module.__path__ = []
        vars(module).update(has)
        sys.modules[module.__name__] = module
    fairseq.utils = sys.modules["fairseq.utils"]
