"""Official projects that are no packages: fetched with git, and imported without what inference does
not need.

They import much that cannot be installed everywhere, or that only training runs: their own CUDA
kernel, plotting, data sets, language models. That is stood in for here, and nothing of their
arithmetic. Without its kernel, which a build of its own would need, each of them falls back to its own
deformable attention in PyTorch.
"""

import importlib.abc
import importlib.machinery
import subprocess
import sys
import warnings
from unittest.mock import MagicMock

import torch

DETECTRON2 = (
    "https://github.com/facebookresearch/detectron2",
    "02b5c4e295e990042a714712c21dc79b731e8833",
)

# What no official project needs for inference.
NEEDLESS = [
    "MultiScaleDeformableAttention", "datasets", "detectron2._C", "detectron2.data",
    "detectron2.evaluation", "detectron2.projects", "detectron2.utils.visualizer", "einops", "kornia",
    "matplotlib", "mpi4py", "nltk", "scipy", "timm", "transformers", "utils.visualizer",
]


def import_from(folders, device, needless=(), needed=()):
    """Lets modules be imported from checkouts, and runs on `device` what they put on a GPU. What most
    projects do without is `needed` by some."""
    sys.dont_write_bytecode = True
    warnings.filterwarnings("ignore")
    sys.meta_path.insert(0, StandIns([*(it for it in NEEDLESS if it not in needed), *needless]))
    sys.path[:0] = map(str, folders)
    on, to = torch.device(device), torch.Tensor.to
    torch.Tensor.cuda = lambda tensor, *_, **__: to(tensor, on)
    torch.Tensor.to = lambda tensor, *where, **how: to(
        tensor, *(on if place == "cuda" else place for place in where), **how
    )


def checkout(folder, source):
    """The commit of a repository in `folder`, fetched where it is missing."""
    address, commit = source
    if not folder.exists():
        partly = folder.with_name(f"{folder.name}.partly")
        subprocess.check_call(["git", "init", "--quiet", partly])
        git = ["git", "-C", partly]
        subprocess.check_call([*git, "fetch", "--quiet", "--depth", "1", address, commit])
        subprocess.check_call([*git, "checkout", "--quiet", "FETCH_HEAD"])
        partly.rename(folder)
    return folder


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules that have whatever is looked for in them, and do nothing."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path, target=None):
        if any(name == of or name.startswith(of + ".") for of in self.names):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        """What inference does run."""
        if module.__name__ == "timm.models.layers":
            module.trunc_normal_ = torch.nn.init.trunc_normal_
            module.to_2tuple = lambda x: x if isinstance(x, (tuple, list)) else (x, x)
            module.DropPath = lambda rate: torch.nn.Identity()
        elif module.__name__ == "MultiScaleDeformableAttention":
            # No mock, which would keep all that it is called with.
            module.ms_deform_attn_forward = no_kernel


def no_kernel(*_):
    raise RuntimeError("no kernel of its own")
