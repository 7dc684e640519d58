"""Set up and pass the tests: ``python3 scripts/test.py [pytest options]``.

Without options all of them, shared out by file among processes of one thread each; with options as pytest has it.
"""

import environment

environment.enter("dev")

import os  # noqa: E402
import sys  # noqa: E402

import pytest  # noqa: E402

MOST = 8  # processes: each imports PyTorch and MONAI, and holds 1 GB and more


def shared_out() -> list[str]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # or the processes wait for each other's threads
    workers = min(os.cpu_count() or 1, MOST)
    return ["--numprocesses", str(workers), "--dist", "loadfile", str(environment.ROOT / "tests")]


if __name__ == "__main__":
    status = pytest.main(["--rootdir", str(environment.ROOT), *(sys.argv[1:] or shared_out())])
    print("Tests passed." if status == 0 else "Tests failed, see above.")
    sys.exit(status)
