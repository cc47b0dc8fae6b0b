"""Makes the checkpoints in this folder. Needs torch, numpy and safetensors; the tests do not.

    python make.py
"""

import argparse
import collections
import io
import pickle
import zipfile

import numpy
import torch
from safetensors.torch import save_file


def tensors():
    numbers = torch.arange(12, dtype=torch.float32) / 4
    return collections.OrderedDict(
        float=numbers[:6].view(2, 3).clone(),
        half=torch.tensor([0.5, -2.0, 65504.0], dtype=torch.half),
        bfloat=torch.tensor([1.0, -3.0, 2.0**100], dtype=torch.bfloat16),
        double=torch.tensor([0.1], dtype=torch.double),
        count=torch.tensor(7, dtype=torch.int64),
        flag=torch.tensor([True, False]),
        turned=numbers[:6].view(2, 3).t(),
        whole=numbers,
        part=numbers[4:8],
        every_third=numbers[::3],
        empty=torch.zeros(0, 4),
    )


class Runs:
    """An object whose unpickling in Python leaves a file in the working folder."""

    def __reduce__(self):
        import os

        return os.system, ("touch checkpoint-was-executed",)


def save(name, value, **options):
    torch.save(value, name, **options)


def replace_pickle(source, target, change):
    """Copies a checkpoint, its pickle changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            new.writestr(entry, change(data) if entry.endswith("data.pkl") else data)


def run_and_forget(data):
    """The pickle, with a call put in front whose result is thrown away."""
    protocol, rest = data[:2], data[2:]
    return protocol + b"cbuiltins\nexec\n(X\x04\x00\x00\x00passtR0" + rest


save("zip.pth", tensors())
save("zip_protocol4.pth", tensors(), pickle_protocol=4)
save("legacy.pth", tensors(), _use_new_zipfile_serialization=False)
plain = {"weight": torch.ones(2), "bias": torch.zeros(3)}
training = {
    "optimizer": {"state": {0: {"momentum": torch.ones(2)}}, "lr": 0.1},
    "iteration": numpy.int64(90000),
    "epoch": 3,
}
save("nested.pth", {"model": plain, **training})
save("data_parallel.pth", {"state_dict": {"module." + name: value for name, value in plain.items()}})
fairseq = {
    "args": None,
    "cfg": {"model": argparse.Namespace(arch="polyformer_b", lr=[5e-05])},
    "model": plain,
    "criterion": None,
    "extra_state": {"val_loss": 0.5},
    "last_optimizer_state": {"state": {0: {"exp_avg": torch.ones(2)}}},
    "task_state": {},
}
save("fairseq.pth", fairseq)
save_file({name: value.contiguous().clone() for name, value in tensors().items()}, "same.safetensors")

save("runs.pth", {**plain, "extra": Runs()})
save("runs_protocol4.pth", {**plain, "extra": Runs()}, pickle_protocol=4)
save("runs_legacy.pth", {**plain, "extra": Runs()}, _use_new_zipfile_serialization=False)
replace_pickle("zip.pth", "runs_and_forgets.pth", run_and_forget)
save("whole_model.pth", torch.nn.Linear(2, 3))
with open("plain_pickle.pth", "wb") as file:
    pickle.dump({"numbers": [1, 2, 3]}, file)
