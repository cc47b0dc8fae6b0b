"""A learned segmenter beside its official project: in one run, with the same results.

    python benches/learned/compare.py plugins/semantic-sam/benches/official.py [--rounds 1]
        [--threads 2] [--model swint] [--device cpu] [--precision fp32] [--project FOLDER] [--json]

Both run a network with the same random weights on the same 960x640 photograph, over the same
libtorch, on the same threads or GPU, each in a process of its own, taking turns. Timed are one call,
from the photograph to regions, and the stages of the network in it; of several rounds the fastest call
counts. "again" is a further call on the same image, of which the official projects remember nothing
where they are called as here. The memory is the most that a process had, loading included. `official.py`
of the plugin says what is its own (`case.py`); `benches/cuda/check.py` runs this on a machine with a GPU.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import torch

import apart
from case import ROOT


def load(script):
    """The comparison that a plugin's `official.py` is."""
    spec = importlib.util.spec_from_file_location("official", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Official


def options(case, script, words):
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--model", default=case.MODELS[0], choices=case.MODELS)
    arguments.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    arguments.add_argument("--precision", default="fp32", choices=["fp32", "bf16", "fp16"])
    arguments.add_argument("--rounds", type=int, default=1, help="runs of each, taking turns")
    arguments.add_argument("--threads", type=int, default=2)
    folder = ROOT / "target/peers" / plugin(script)
    arguments.add_argument("--folder", type=Path, default=folder, help="for weights and results")
    arguments.add_argument("--project", type=Path, help="a checkout of the official project")
    arguments.add_argument("--detectron2", type=Path, help="a checkout of detectron2")
    photo = ROOT / "examples/images/coffee.png"
    arguments.add_argument("--photo", type=Path, default=photo)
    arguments.add_argument("--bench", type=Path, help="the bench program, if it is built already")
    arguments.add_argument("--json", action="store_true", help="print the figures as JSON")
    # What a process of its own is for.
    arguments.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("--official", action="store_true", help=argparse.SUPPRESS)
    case.add_options(arguments)
    return arguments.parse_args(words)


def plugin(script):
    """The name of the plugin that a script belongs to."""
    return script.parents[1].name


def run_official(case):
    """One round of the official project, in this process."""
    from stages import Stages

    stages = Stages(case.device)
    network, params = case.ready(), case.params()
    case.watch(network, stages)
    stages.count(lambda: case.call(network, case.warm_parameters()))
    found, whole = stages.time(lambda: case.call(network, params))
    peak, floors = peak_mib(), stages.floors(case.kind())
    for name in case.FURTHER:
        floors["stages"][name]["floor_s"] /= case.warm_share()
    results = case.results(found)
    (case.folder / "official.json").write_text(json.dumps(results))
    return {
        "whole_s": whole,
        "stages_s": stages.seconds,
        "regions": len(results),
        "peak_mib": peak,
        "floors": floors,
    }


def peak_mib():
    """The most memory that this process had, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) >> 10


def som_command(case, bench):
    regions, options = case.folder / "som.json", case.options
    command = [bench, "--weights", case.weights, "--image", case.image, "--regions", regions]
    command += ["--params", json.dumps(case.params()), "--warm", json.dumps(case.warm_parameters())]
    return command + ["--device", options.device, "--precision", options.precision]


def som_bench(script):
    """The bench program of the plugin, built."""
    name = plugin(script)
    command = ["cargo", "bench", "--package", f"som-{name}", "--bench", name, "--no-run"]
    messages = subprocess.check_output([*command, "--message-format", "json"], cwd=ROOT, text=True)
    artifacts = map(json.loads, messages.splitlines())
    return [a["executable"] for a in artifacts if a.get("executable")][-1]


def child(command, threads):
    """What a program says in its last line."""
    threads = {f"{of}_NUM_THREADS": str(threads) for of in ("OMP", "RAYON")}
    command = [str(part) for part in command]
    output = subprocess.check_output(command, env={**os.environ, **threads}, text=True)
    return json.loads(output.strip().splitlines()[-1])


def best(case, rounds):
    """The fastest call of several, and the least memory, with the stages in order."""
    fastest = min(rounds, key=lambda it: it["whole_s"])
    seconds = fastest["stages_s"]
    stages = {name: seconds.get(name, 0.0) for name in (*case.FORWARD, *case.FURTHER)}
    return {
        "stages_s": stages,
        "rest_s": fastest["whole_s"] - sum(stages.values()),
        "forward_s": sum(stages[name] for name in case.FORWARD),
        "whole_s": fastest["whole_s"],
        "again_s": min(it.get("again_s", it["whole_s"]) for it in rounds),
        "peak_mib": min(it["peak_mib"] for it in rounds),
        "regions": fastest["regions"],
    }


def rows(case, figures):
    """Name, figure of the official project, of som, and the floor, of each line of the table."""
    theirs, ours = figures["official"], figures["som"]
    floors = figures["floors"]["stages"]
    for name in theirs["stages_s"]:
        floor = floors.get(name, {}).get("floor_s")
        yield name, theirs["stages_s"][name], ours["stages_s"][name], floor
    forward = [floors.get(name, {}).get("floor_s", 0.0) for name in case.FORWARD]
    yield "rest", theirs["rest_s"], ours["rest_s"], None
    yield "forward", theirs["forward_s"], ours["forward_s"], sum(forward)
    yield "whole", theirs["whole_s"], ours["whole_s"], None
    yield "again", theirs["again_s"], ours["again_s"], None
    yield "peak MiB", theirs["peak_mib"], ours["peak_mib"], None


def show(case, figures, options):
    print(f"{options.model}, {options.device}, {options.precision}, {options.threads} threads, seconds:")
    print(f"{'':16}{'official':>10}{'som':>10}{'ratio':>8}{'floor':>8}")
    for name, theirs, ours, floor in rows(case, figures):
        ratio = f"{theirs / ours:8.2f}" if ours else " " * 8
        floor = f"{floor:8.3f}" if floor else ""
        print(f"{name:16}{theirs:10.3f}{ours:10.3f}{ratio}{floor}")
    floors = figures["floors"]
    print(f"floor at {floors['gflop_per_s']:.0f} GFLOP/s and {floors['gb_per_s']:.0f} GB/s")
    print(f"results, and how far they are apart: {figures['apart']}")


def main():
    script = Path(sys.argv[1]).resolve()
    kind = load(script)
    given = options(kind, script, sys.argv[2:])
    torch.set_grad_enabled(False)
    case = kind(given)
    if given.prepare:
        case.prepare()
        return print(json.dumps("prepared"))
    if given.official:
        return print(json.dumps(run_official(case)))
    bench = given.bench or som_bench(script)
    again = lambda what: child([sys.executable, __file__, script, what, *sys.argv[2:]], given.threads)
    # In a process of its own, whose memory is given back.
    again("--prepare")
    sides = []
    for _ in range(given.rounds):
        side = again("--official")
        sides.append((side, child(som_command(case, bench), given.threads)))
    theirs, ours = zip(*sides)
    results = [json.loads((case.folder / f"{side}.json").read_text()) for side in ("official", "som")]
    between = apart.summary(results[0], list(map(kind.of_som, results[1])))
    if given.precision == "fp32":
        assert between["official"] == between["som"] == between["both"], between
        assert between["mask IoU"] >= 0.99, between
    figures = {"official": best(kind, theirs), "som": best(kind, ours), "apart": between}
    figures["floors"] = theirs[0]["floors"]
    print(json.dumps(figures)) if given.json else show(kind, figures, given)


if __name__ == "__main__":
    main()
