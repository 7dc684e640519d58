"""Set up and pass the tests: ``python3 scripts/test.py [pytest options]``."""

import environment

environment.enter("dev")

import sys  # noqa: E402

import pytest  # noqa: E402

if __name__ == "__main__":
    status = pytest.main(["--rootdir", str(environment.ROOT), *(sys.argv[1:] or [str(environment.ROOT / "tests")])])
    print("Tests passed." if status == 0 else "Tests failed, see above.")
    sys.exit(status)
