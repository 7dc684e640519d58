"""Who may import whom: the arrows of the README, read from the syntax tree."""

import ast
from pathlib import Path

import pytest

import monai_sfda

ROOT = Path(monai_sfda.__file__).parent
BASE = {"files", "functional", "passport", "places", "precision", "protocols", "root_cause", "tables"}
ALLOWED = {
    "files": set(),
    "passport": {"files", "functional"},
    "functional": set(),
    "places": set(),
    "precision": set(),
    "protocols": set(),
    "root_cause": set(),
    "tables": {"files"},
    "networks": BASE,
    "losses": BASE,
    "metrics": BASE,
    "reading": set(),  # a program of its own, which has to start quickly
    "transforms": BASE | {"reading"},
    "data": BASE | {"reading"},
    "pseudo": BASE | {"networks.layers", "networks.tap"},
    "handlers": BASE | {"metrics", "networks.moved", "networks.norm"},
    "inferers": BASE | {"metrics", "networks.fused", "networks.norm"},
    "engines": BASE | {"networks.check", "networks.layers", "networks.moved", "networks.norm", "networks.tap"},
}
FILES = sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("monai_sfda.") for name in names if name.startswith("monai_sfda.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_arrows_point_one_way(path):
    part = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if part not in ALLOWED:
        return
    for module in imported(path):
        inside = module.split(".")[0] == part
        allowed = any(module == arrow or module.startswith(f"{arrow}.") for arrow in ALLOWED[part])
        assert inside or allowed, f"{path.name} imports monai_sfda.{module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_are_absolute(path):
    relative = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative


def test_every_part_of_the_package_is_known_to_this_test():
    parts = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    assert parts - set(ALLOWED) == {
        "__init__",
        "__main__",
        "benchmark",
        "cli",
        "clinic",
        "console",
        "label",
        "overrides",
        "typed",
        "workflow",
    }
