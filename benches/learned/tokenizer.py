"""CLIP's tokenizer, whose vocabulary the package open_clip has: the official projects would fetch it
from a hub of models.
"""

import importlib.util
import runpy
from pathlib import Path

import torch


class ClipTokenizer:
    """CLIP's tokenizer, as the official projects call it."""

    def __init__(self):
        # Not the package, which would load all of its networks.
        package = Path(importlib.util.find_spec("open_clip").origin)
        module = runpy.run_path(package.with_name("tokenizer.py"))
        self.read = module["SimpleTokenizer"]()
        self.vocab_size, self.eos_token = self.read.vocab_size, "<end_of_text>"

    def add_special_tokens(self, tokens):
        """All are there."""

    def __len__(self):
        return self.vocab_size

    def __call__(self, texts, max_length, **_):
        tokens = self.read(texts, context_length=max_length)
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
