"""Writes the stubs of the contract in `proto/` before the package is built."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PROJECT = Path(__file__).resolve().parent
sys.path.insert(0, str(PROJECT.parents[1] / "proto"))

import stubs  # noqa: E402


class BuildWithStubs(build_py):
    def run(self) -> None:
        stubs.write(PROJECT / "src")
        self.packages = None  # found again: the stubs are new
        self.finalize_options()
        super().run()


setup(cmdclass={"build_py": BuildWithStubs})
