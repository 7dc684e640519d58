"""Run a script inside the project's own virtual environment, made on first use. Needs Python and pip only."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def enter(extras: str) -> None:
    """Continue the calling script under ``.venv``, with the package and ``extras`` installed at the tested versions."""
    if Path(sys.prefix).resolve() == HOME.resolve():
        return
    if sys.version_info < (3, 10):  # noqa: UP036 - the one place where an older Python gets this far
        sys.exit(
            f"Expected Python 3.10 or newer, found {sys.version.split()[0]}; start this script with a newer python3."
        )
    mark = HOME / f"installed-{extras}"
    wanted = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")))
    if not (mark.exists() and mark.read_text() == wanted.hexdigest()):
        print("Setting up .venv (once; downloads PyTorch and MONAI) ...", flush=True)
        if not PYTHON.exists():
            venv.create(HOME, with_pip=True)
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        constraints = ["--constraint", str(ROOT / "constraints.txt")]
        # The pinned PyTorch first: other packages would draw in the newest one.
        for what in (["torch"], ["--editable", f"{ROOT}[{extras}]"]):
            if subprocess.run([*pip, *constraints, *what]).returncode:
                sys.exit(
                    "Expected pip to install the packages, it failed (see above); check the network and run again."
                )
        mark.write_text(wanted.hexdigest())
    raise SystemExit(subprocess.run([str(PYTHON), *sys.argv]).returncode)
