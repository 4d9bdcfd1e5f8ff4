"""The package's imports only point down: each room imports from the floors below, and nothing goes in a circle."""

import ast
import functools
import graphlib

import pytest

from tests.conftest import ROOT

# From the ground up. Rooms on one floor do not import each other; within a room, files may, but not in a circle.
FLOORS = [
    {"errors", "conventions", "optimizations", "settings", "schedules", "recipe", "utils"},
    {"ops"},
    {"data", "models"},
    {"training", "results"},
    {"finish"},
    {"run", "callbacks"},
    {"benchmarks", "studies"},
    {"cli"},
    {"commands"},
    {"__main__"},
]
GROUND = FLOORS[0]
PACKAGE = ROOT / "keras_mnist"


def modules():
    """Every module of the package by its dotted name."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


MODULES = dict(modules())


def imports(name, path):
    """The package's modules that a file imports, at its top or inside a function, but not for type hints alone."""
    found = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            ours = node.module.split(".")[0] == "keras_mnist"
            assert not ours or node.module in MODULES, f"{path}: {node.module} is no module"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {known for known in found if known in MODULES and known not in (name, "keras_mnist")}


@functools.cache
def graph():
    """What each module imports: parsed by the process that tests it, and not by all that collect its tests."""
    return {name: imports(name, path) for name, path in MODULES.items()}


def room(name):
    """The room of a module: what follows the package's name."""
    return name.split(".")[1]


def floor(name):
    (number,) = [number for number, rooms in enumerate(FLOORS) if room(name) in rooms]
    return number


@pytest.mark.parametrize("name", sorted(set(MODULES) - {"keras_mnist"}))
def test_imports_point_down(name):
    for imported in graph()[name]:
        below = floor(imported) < floor(name)
        same_room = room(imported) == room(name) or {room(imported), room(name)} <= GROUND
        assert below or same_room, f"{name} imports {imported}"


def test_nothing_goes_in_a_circle():
    # A package's __init__ names its own files, which import what is in it: that is one thing, not a circle.
    order = graphlib.TopologicalSorter(
        {name: {other for other in found if not name.startswith(f"{other}.")} for name, found in graph().items()}
    )
    try:
        order.prepare()
    except graphlib.CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_public_names_import_nothing_by_themselves():
    assert graph()["keras_mnist"] == set()
