"""Writes the stubs of the contract in `proto/` before the package is built or packed."""

import sys
from pathlib import Path

from setuptools import setup

PROJECT = Path(__file__).resolve().parent
CONTRACT = PROJECT.parents[1] / "proto"

if (CONTRACT / "stubs.py").is_file():
    sys.path.insert(0, str(CONTRACT))
    import stubs

    stubs.write(PROJECT / "src")
elif not (PROJECT / "src" / "som").is_dir():
    # A source distribution holds the stubs, and not the contract.
    raise SystemExit("neither proto/ nor the stubs made of it are there")

setup()
