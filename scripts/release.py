"""Build what a release consists of: ``python3 scripts/release.py [--output dist]``.

Writes the wheel, each bundle as a folder and as NAME_vVERSION.zip in the shape of the MONAI Model Zoo, and SHA256SUMS
for ``sha256sum --check``. The same sources give the same bytes. What does not belong into a release is refused, not
left out.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "monai_sfda")
EARLIEST = (1980, 1, 1, 0, 0, 0)  # of zip files: a date would differ at each build
SOURCE_DATE_EPOCH = "315532800"  # the same in seconds since 1970, for the wheel
LARGEST = 25 * 2**20  # the zoo wants larger files listed in large_files.yml, and hosted elsewhere
NEEDED = ("LICENSE", "configs/metadata.json", "configs/inference.json", "docs/README.md", "models/model.pt")
UNWANTED = re.compile(r"(^|/)(eval|__pycache__|\.[^/]*|[^/]*\.(pyc|part|log|orig|rej)|[^/]*~)(/|$)")
PERSONAL = re.compile(rb"(/home/|/Users/|[A-Za-z]:\\{1,2}Users\\|/root/|/tmp/|/mnt/)[\w.-]*")


def problems(bundle: Path, version: str) -> list[str]:
    """Why a bundle cannot be released, one sentence each; none if it can."""
    found = [f"Expected {name}, found none." for name in NEEDED if not (bundle / name).is_file()]
    for path in sorted(bundle.rglob("*")):
        name = path.relative_to(bundle).as_posix()
        if UNWANTED.search(name):
            found.append(f"Expected no outputs, caches or hidden files, found {name}; delete it.")
        elif path.is_file():
            if path.stat().st_size > LARGEST:
                found.append(f"Expected files of at most 25 MB, found {name}; list it in large_files.yml.")
            if personal := PERSONAL.search(path.read_bytes()):
                found.append(f"Expected no places of one machine, found {personal[0].decode()} in {name}; remove it.")
    if not found:
        metadata = json.loads((bundle / "configs" / "metadata.json").read_text())
        pinned = metadata["required_packages_version"].get("monai-sfda")
        if pinned != version:
            found.append(f"Expected monai-sfda {version} in required_packages_version, found {pinned}.")
        if metadata["version"] not in metadata["changelog"]:
            found.append(f"Expected version {metadata['version']} in the changelog of the metadata, found none.")
    return found


def write_zip(folder: Path, target: Path) -> None:
    """Zip a folder under its own name, to the same bytes whenever and wherever its files are the same."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo((folder.name / path.relative_to(folder)).as_posix(), EARLIEST)
            entry.external_attr, entry.create_system = 0o100644 << 16, 3  # a readable file, as Unix writes it
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def write_wheel(target: Path) -> None:
    """Build the wheel from a copy, for a ``build`` folder left by an earlier build would go into it."""
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "source"
        copy.mkdir()
        for source in (ROOT / name for name in SOURCES):
            place = copy / source.name
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, place)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
        if subprocess.run([*pip, "--wheel-dir", str(target), str(copy)], env=environment).returncode:
            raise ValueError("Expected pip to build the wheel, it failed (see above).")


def release(bundles: Sequence[Path], output: Path, version: str) -> None:
    """Write everything to ``output``.

    Raises:
        ValueError: if a bundle is not fit for release, or ``output`` holds something.
    """
    bad = [f"{bundle.name}: {problem}" for bundle in bundles for problem in problems(bundle, version)]
    if bad:
        raise ValueError("\n".join(bad))
    if output.exists() and any(output.iterdir()):
        raise ValueError(f"Expected an empty folder at {output}, found files; delete them or choose another --output.")
    output.mkdir(parents=True, exist_ok=True)
    for bundle in bundles:
        folder = shutil.copytree(bundle, output / bundle.name)
        number = json.loads((bundle / "configs" / "metadata.json").read_text())["version"]
        write_zip(folder, output / f"{bundle.name}_v{number}.zip")


def write_checksums(output: Path) -> None:
    files = sorted(path for path in output.iterdir() if path.suffix in (".zip", ".whl"))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (output / "SHA256SUMS").write_text("".join(lines))


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args(words)
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert found is not None
    bundles = sorted(path.parent.parent for path in (ROOT / "bundles").glob("*/configs/metadata.json"))
    try:
        release(bundles, options.output, found[1])
        write_wheel(options.output)
    except ValueError as error:
        sys.exit(str(error))
    write_checksums(options.output)
    print((options.output / "SHA256SUMS").read_text(), end="")


if __name__ == "__main__":
    main()
