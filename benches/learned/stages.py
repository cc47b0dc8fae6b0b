"""Where the time of an official project goes, and how little it could be.

Methods of a network are watched: how long they take, and which products of matrices they compute.
The floor of a stage is the time that this machine would take for these products alone, each as fast
as it multiplies large matrices, or as it copies memory, if reading the operands and writing the
result takes longer.
"""

import time

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Stages:
    """The stages of one network: what was watched, by name."""

    def __init__(self, device):
        self.device = device
        self.seconds = {}
        self.products = {}
        self.counts = False

    def watch(self, name, owner, method):
        """From now on, each call of this method is a part of the stage `name`."""
        work = getattr(owner, method)

        def watched(*arguments, **named):
            if self.counts:
                with Products() as products:
                    done = work(*arguments, **named)
                self.products.setdefault(name, []).extend(products.found)
                return done
            self.wait()
            begin = time.perf_counter()
            done = work(*arguments, **named)
            self.wait()
            taken = time.perf_counter() - begin
            self.seconds[name] = self.seconds.get(name, 0.0) + taken
            return done

        setattr(owner, method, watched)

    def wait(self):
        """GPUs compute behind the program's back."""
        if self.device != "cpu":
            torch.cuda.synchronize()

    def count(self, work):
        """Does `work`, untimed, and remembers the products of its stages."""
        self.counts = True
        work()
        self.counts = False

    def time(self, work):
        """What `work` gives, and the seconds that it takes; those of its stages, too."""
        self.seconds = {}
        self.wait()
        begin = time.perf_counter()
        done = work()
        self.wait()
        return done, time.perf_counter() - begin

    def floors(self, kind=torch.float32):
        """Of each stage whose products were counted: how many operations, and the floor in seconds,
        where matrices are of this kind."""
        per_second, bytes_per_second = multiplied(self.device, kind), copied(self.device)
        floors = {}
        for name, products in self.products.items():
            takes = [max(flops / per_second, size / bytes_per_second) for flops, size in products]
            flops = sum(flops for flops, _ in products)
            floors[name] = {"gflop": flops / 1e9, "floor_s": sum(takes)}
        return {
            "gflop_per_s": per_second / 1e9,
            "gb_per_s": bytes_per_second / 1e9,
            "stages": floors,
        }


class Products(TorchDispatchMode):
    """Finds the products of matrices in what is computed: operations and bytes of each."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        named = named or {}
        result = function(*arguments, **named)
        flops = flop_registry.get(function._overloadpacket)
        if flops:
            tensors = [it for it in (*arguments, result) if isinstance(it, torch.Tensor)]
            size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
            self.found.append((flops(*arguments, **named, out_val=result), size))
        return result


def multiplied(device, kind):
    """Operations a second in one large product of matrices."""
    side = 2048 if device == "cpu" else 8192
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    return 2 * side**3 / fastest(device, lambda: a @ b)


def copied(device):
    """Bytes a second, read and written, of a large copy."""
    source = torch.ones(1 << 26, device=device)
    target = torch.empty_like(source)
    return 2 * 4 * source.numel() / fastest(device, lambda: target.copy_(source))


def fastest(device, work):
    stages, taken = Stages(device), []
    for _ in range(5):
        taken.append(stages.time(work)[1])
    return min(taken)
