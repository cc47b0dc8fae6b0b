"""Builds a tiny LLaVA with random weights, in the folder that is named: nothing is downloaded.

It answers nonsense in printable ASCII, yet it is a whole vision model: its processor, tokenizer
and chat template are there, and what it says depends on the image.
"""

import string
import sys

import torch
from tokenizers import Tokenizer, decoders, models
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

SIDE = 56
PATCH = 14
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: "
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def tokenizer():
    """One token for each printable character."""
    special = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
    characters = [c for c in string.printable if c.isprintable() or c == "\n"]
    vocabulary = {token: number for number, token in enumerate(special + characters)}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    inner.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=["<image>"],
        chat_template=CHAT,
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )


def main(folder):
    torch.manual_seed(0)
    words = tokenizer()
    image = words.convert_tokens_to_ids("<image>")
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        # Large weights, so that the image makes a difference.
        "initializer_range": 1.0,
    }
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=SIDE, patch_size=PATCH, **shape),
        text_config=LlamaConfig(
            vocab_size=len(words),
            max_position_embeddings=4096,
            pad_token_id=words.pad_token_id,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            **shape,
        ),
        image_token_index=image,
        image_seq_length=(SIDE // PATCH) ** 2,
    )
    model = LlavaForConditionalGeneration(config).eval()
    model.generation_config.pad_token_id = words.pad_token_id
    model.generation_config.eos_token_id = words.eos_token_id
    # It goes on until it reaches the limit it is given.
    model.generation_config.suppress_tokens = [
        words.convert_tokens_to_ids(token) for token in ("<pad>", "<s>", "</s>", "<unk>", "<image>")
    ]
    square = {"height": SIDE, "width": SIDE}
    processor = LlavaProcessor(
        image_processor=CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=square),
        tokenizer=words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        image_token="<image>",
        chat_template=CHAT,
    )
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


if __name__ == "__main__":
    main(sys.argv[1])
