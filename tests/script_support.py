"""Scripts as tests need them."""

import runpy
import sys
import types
from pathlib import Path

SCRIPTS = Path(__file__).parents[1] / "scripts"


def load(name):
    """A script's functions, without the virtual environment that it makes when it is started."""
    stub = types.ModuleType("environment")
    stub.enter = lambda extras: None
    before = sys.modules.get("environment")
    sys.modules["environment"] = stub
    try:
        return types.SimpleNamespace(**runpy.run_path(str(SCRIPTS / f"{name}.py")))
    finally:
        sys.modules.pop("environment")
        if before is not None:
            sys.modules["environment"] = before
