"""The grids of exact transformations: the Python package of PROJ brings none, the system's has those that stood the test of time.

Without the grid an import stops and names it; nothing here makes a transformation less exact.
"""

from __future__ import annotations

from pathlib import Path

from pyproj import datadir

from twin_api.texts import Text

NATIONWIDE = "BETA2007"  # DHDN to ETRS89 for all of Germany, by the surveying authorities (AdV)


def offer_grids(folder: Path) -> None:
    """Let this process' PROJ look for grids in this folder too, after its own: its own database of definitions stays the only one."""
    if folder.is_dir() and str(folder) not in datadir.get_data_dir().split(":"):
        datadir.append_data_dir(str(folder))


def how_to_get(grid: str) -> Text:
    """What to do about a grid that is not there."""
    if NATIONWIDE in grid:
        return Text("das Systempaket `proj-data` einrichten", "install the system's package `proj-data`")
    return Text(f"das Gitter holen (`pyproj sync --file {grid}`)", f"fetch the grid (`pyproj sync --file {grid}`)")
