"""Executables of scripts/ as modules, for tests of what they decide."""

import importlib.machinery
import importlib.util

from slipway.paths import REPOSITORY


def script(name: str):
    """A script of scripts/ci as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(REPOSITORY / "scripts/ci" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module
