"""The one way to print: text as it is given, without markup, in lines that the terminal wraps."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

NARROWEST = 80


def screen(quiet: bool = False) -> Console:
    """Standard output; names of users' own that hold brackets are printed as they are."""
    plain = {"markup": False, "emoji": False, "highlight": False, "force_jupyter": False}
    return Console(soft_wrap=True, quiet=quiet, **plain)


def print_tables(*tables: Table) -> None:
    """Print tables in no fewer columns than NARROWEST: a terminal wraps their lines, Rich would cut their figures."""
    console = screen()
    console.width = max(console.width, NARROWEST)
    console.print(*tables)


def shown(path: Path) -> str:
    """A path as a user would type it: relative if it is below the working directory."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
