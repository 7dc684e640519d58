"""Who may import whom: the drawing of the house, held against the syntax tree."""

import ast
from pathlib import Path

import pytest

import monai_sfda

PACKAGE = Path(monai_sfda.__file__).parent

# A room may use the rooms named beside it, and those have to stand above it: so no arrow points up, and there is no
# circle. `room.file` opens one file of a room only. Rooms on one level do not know of each other. Nothing stands below
# the organs, so that nothing generic knows of one; only the configs of bundles name them.
HOUSE = """
    root_cause
    files
    findings
    functional
    digits
    pieces
    places
    precision
    protocols
    typed
    tables          files
    json_file       files
    overrides       typed
    mask_file
    recipe_list     json_file
    recipe_table    json_file recipe_list
    schedule        json_file recipe_list tables
    console         root_cause
    failures        files root_cause tables
    fingerprint     files
    passport        files functional json_file
    older           console files
    workflow        console json_file older overrides
    template        console files json_file

    reading
    choice

    metrics         pieces
    networks        files functional precision
    losses          files functional precision protocols tables
    transforms      files functional mask_file pieces

    method          networks.norm protocols transforms.views

    imageio         files reading transforms.nested
    data            failures files mask_file places reading tables
    volumes         data files imageio mask_file pieces reading transforms
    pseudo          files fingerprint functional networks.layers networks.tap protocols
    inferers        functional networks.fast networks.norm precision protocols
    handlers        digits files functional json_file metrics networks.moved root_cause tables
    engines         networks.check networks.layers networks.moved networks.norm networks.tap precision protocols
    same_run        data.pseudonyms files json_file mask_file places

    report          files pieces
    prediction      data digits failures files findings functional imageio json_file mask_file metrics pieces \
                    reading report tables transforms volumes
    delivery        digits engines files functional json_file metrics networks.moved overrides passport pieces \
                    precision protocols report

    datasets        files tables

    training        data files functional imageio json_file passport report tables volumes

    benchmark       choice console delivery files json_file metrics passport recipe_list report tables training \
                    workflow
    candidates      choice console data delivery failures files functional imageio json_file mask_file metrics \
                    networks overrides passport places reading report tables transforms volumes workflow
    arguments       json_file overrides places recipe_list typed
    adapting        arguments candidates console delivery json_file overrides places recipe_list same_run schedule \
                    typed workflow
    cli             adapting arguments benchmark candidates console failures json_file overrides passport places \
                    prediction recipe_list recipe_table template training typed workflow
    label           cli console delivery files json_file mask_file overrides places recipe_list tables volumes \
                    workflow

    organs          files findings pieces
"""
ROOMS = {words[0]: words[1:] for words in map(str.split, HOUSE.splitlines()) if words}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("monai_sfda.") for name in names if name.startswith("monai_sfda.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_uses_only_what_the_house_allows(path):
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    for name in imported(path) - {"__version__"}:
        allowed = any(f"{name}.".startswith(f"{arrow}.") for arrow in [room, *ROOMS[room]])
        assert allowed, f"{path.name} imports monai_sfda.{name}, which the house does not allow to {room}"


def test_arrows_point_to_rooms_that_stand_above():
    standing = list(ROOMS)
    for room, arrows in ROOMS.items():
        for arrow in arrows:
            assert standing.index(arrow.split(".")[0]) < standing.index(room), f"{room} points down to {arrow}"


def test_the_house_draws_every_room_and_no_arrow_that_nobody_takes():
    assert {room_of(path) for path in FILES} - {"__init__", "__main__"} == set(ROOMS)
    taken = {room: set().union(*(imported(path) for path in FILES if room_of(path) == room)) for room in ROOMS}
    unused = {
        f"{room} -> {arrow}"
        for room, arrows in ROOMS.items()
        for arrow in arrows
        if not any(f"{name}.".startswith(f"{arrow}.") for name in taken[room])
    }
    assert not unused


def test_operators_that_pytorch_keeps_to_itself_are_called_in_one_room():
    private = [path for path in FILES if "torch.ops." in path.read_text()]
    allowed = {"precision.py"}  # asks which of them the processor can run
    assert {path.name for path in private if path.parent.name != "fast"} == allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_are_absolute(path):
    relative = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative
