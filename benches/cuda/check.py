"""Checks and times som's learned segmenters on a machine with a GPU, PyTorch and no Rust.

`cargo xtask cuda` packs this file with everything it runs into target/cuda.tar.xz: of each plugin a
folder, named as its segmenter, with its tests, their program and its comparison with the official
project. There:

    python3 check.py                   # parity, then the networks' times in fp32 and bf16
    python3 check.py --device cpu --untimed --precisions fp32     # parity alone, without a GPU

It needs PyTorch 2.11.0, numpy, pillow, pycocotools and segment-anything (those that are no part of
PyTorch are taken along where `cargo xtask cuda --python 3.12` packed them). To time the other plugins,
it fetches their official projects with git, and needs what their `official.txt` names. Further
arguments, such as `--rounds 3`, go to the comparisons. Everything measured is printed as tables, and written to
report.json.
"""

import argparse
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOM = HERE / "bin/som"
WHEELS = HERE / "wheels"


def plugins():
    """The folder of each plugin that was packed, and its comparison."""
    sys.path.insert(0, str(HERE / "learned"))
    from compare import load

    for script in sorted(HERE.glob("*/official.py")):
        yield script.parent, load(script)


def prepare():
    """Unpacks the wheels that were taken along, and lets the programs find PyTorch's libtorch."""
    packages = HERE / "packages"
    for wheel in WHEELS.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(packages)
    paths = [str(packages), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    sys.path.insert(0, str(packages))
    import torch

    print(f"PyTorch {torch.__version__} at {torch.__path__[0]}")
    link = HERE / "libtorch/torch"
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(torch.__path__[0])


def describe(device):
    import torch

    if device == "cpu":
        return f"CPU, {os.cpu_count()} cores"
    index = int(device.partition(":")[2] or 0)
    return f"{torch.cuda.get_device_name(index)}, CUDA {torch.version.cuda}"


def intermediates(plugin, device):
    """The plugin's own tests against the numbers of the official project, on this device."""
    environment = {**os.environ, "SOM_TEST_DEVICE": device}
    ran = subprocess.run([plugin / "parity"], cwd=plugin, env=environment)
    return ran.returncode == 0


def segment(segmenter, fixture, device, precision, params):
    """What `som segment` finds in the image of a fixture."""
    (weights,) = fixture.glob("checkpoint.*")
    settings = {"weights": weights, "device": device, "precision": precision}
    settings |= {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in params.items()
    }
    command = [SOM, "segment", fixture / "image.png", "--segmenter", segmenter]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    output = subprocess.check_output([str(part) for part in command])
    return json.loads(output)["regions"]


def parity(plugin, official, device, precision):
    """Every official run of the fixtures through the command, against the official results."""
    from apart import in_order, iou, not_empty, score_gap

    rows = []
    for fixture in sorted(path.parent for path in plugin.glob("tests/assets/*/expected.json")):
        for name, params, expected in official.settings(fixture):
            found = segment(plugin.name, fixture, device, precision, params)
            found = list(map(official.of_som, found))
            expected = not_empty(expected)
            # In less than single precision a mask near a threshold may come or go.
            pairs = in_order(expected, found)
            row = {"fixture": f"{fixture.name}.{name}"}
            row |= {"expected": len(expected), "found": len(found)}
            row["worst_iou"] = min((iou(*pair) for pair in pairs), default=1.0)
            row["worst_score"] = max((score_gap(*pair) for pair in pairs), default=0.0)
            row["of_same"] = all(a["what"] == b["what"] for a, b in pairs)
            rows.append(row)
    return rows


def is_exact(row):
    same = row["found"] == row["expected"] and row["of_same"]
    return same and row["worst_iou"] >= 0.99 and row["worst_score"] <= 1e-3


def timings(plugin, model, device, precision, options, more):
    command = [sys.executable, HERE / "learned/compare.py", plugin / "official.py", "--json"]
    command += ["--model", model]
    command += ["--device", device, "--precision", precision]
    command += ["--threads", options.threads, "--rounds", options.rounds]
    command += ["--folder", HERE / "timed" / plugin.name, "--photo", HERE / "coffee.png"]
    command += ["--bench", plugin / "bench", *more]
    output = subprocess.check_output([str(part) for part in command], text=True)
    return json.loads(output.strip().splitlines()[-1])


def check(plugin, official, options, keep):
    """The tables of parity of one plugin; true if it is what the official project computes."""
    device = options.device
    exact = intermediates(plugin, device)
    keep("intermediates", exact)
    print(f"\n| {plugin.name} | fixture | masks | expected | least IoU | score off by |")
    print("|---|---|---|---|---|---|")
    for precision in options.precisions:
        rows = parity(plugin, official, device, precision)
        keep(f"parity.{precision}", rows)
        for row in rows:
            cells = [precision, row["fixture"], row["found"], row["expected"]]
            cells += [f"{row['worst_iou']:.4f}", f"{row['worst_score']:.1e}"]
            print(f"| {' | '.join(map(str, cells))} |")
        if precision == "fp32":
            exact = exact and all(map(is_exact, rows))
    verdict = "is" if exact else "IS NOT"
    print(f"\nfp32 on {device} {verdict} what the official project computes")
    return exact


def time_networks(plugin, official, options, more, keep):
    """The table of times of one plugin."""
    print(f"\n| {plugin.name} | precision | stage | official, ms | som, ms | times | floor, ms |")
    print("|---|---|---|---|---|---|---|")
    from compare import rows

    for model in official.MODELS:
        for precision in options.precisions:
            timed = timings(plugin, model, options.device, precision, options, more)
            keep(f"timings.{model}.{precision}", timed)
            for stage, theirs, ours, floor in rows(official, timed):
                if not stage.startswith("peak"):
                    row = [model, precision, stage, f"{1e3 * theirs:.1f}", f"{1e3 * ours:.1f}"]
                    row += [f"{theirs / ours:.2f}" if ours else ""]
                    row += [f"{1e3 * floor:.1f}" if floor else ""]
                    print(f"| {' | '.join(row)} |", flush=True)
            print(f"{model} {precision}: {timed['apart']}", file=sys.stderr)
    print(f"\n{official.NOTE}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--device", default="cuda")
    arguments.add_argument("--untimed", action="store_true", help="check parity alone")
    arguments.add_argument("--precisions", nargs="*", default=["fp32", "bf16"])
    arguments.add_argument("--rounds", type=int, default=1, help="runs of each, taking turns")
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    options, more = arguments.parse_known_args()
    prepare()
    report, report_file = {"machine": describe(options.device)}, HERE / "report.json"
    print(report["machine"])
    exact = True
    for plugin, official in plugins():
        figures = report.setdefault(plugin.name, {})

        def keep(key, value):
            figures[key] = value
            report_file.write_text(json.dumps(report, indent=1))

        exact = check(plugin, official, options, keep) and exact
        if not options.untimed:
            time_networks(plugin, official, options, more, keep)
    sys.exit(not exact)


if __name__ == "__main__":
    main()
