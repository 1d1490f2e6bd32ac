"""The sample town as files: one GeoPackage for each layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from twin_api.layers.musterdorf import buildings, civic, flood, land, nature, sewer, supply, traffic
from twin_api.layers.musterdorf.plan import BY_DEFAULT, SHARES
from twin_api.layers.musterdorf.sheet import Sheet
from twin_api.layers.musterdorf.town import Town, found

LAYERS: Final = tuple(SHARES)


def write_town(
    folder: Path, seed: int = 7, size: int = BY_DEFAULT, on_progress: Callable[[str, int, int], None] = lambda layer, done, total: None
) -> dict[str, Path]:
    """Write the sample town as `<folder>/<layer>.gpkg` in EPSG:25832; the same seed and size write the same features.

    `size` is the number of features in all, met within a tenth; a million take one core a minute or two and half a gigabyte.
    `on_progress` hears of each layer when it is written: its name, how many layers are done, and how many there are.
    Raises `ValueError` for a size below 5,000, which is too small for eight districts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, Path] = {}
    for sheet in _sheets(found(seed, size)):
        files[sheet.layer] = sheet.write(folder)
        on_progress(sheet.layer, len(files), len(LAYERS))
    return files


def _sheets(town: Town) -> Iterator[Sheet]:
    """One after the other, so that only one is in memory."""
    known = buildings.buildings(town)
    people = land.residents(town, known)
    yield land.boundary(town, people)
    yield land.districts(town, people)
    yield land.parcels(town)
    yield traffic.streets(town)
    yield traffic.obstacles(town)
    yield buildings.sheet(town, known)
    yield nature.trees(town)
    yield traffic.lights(town)
    yield traffic.gullies(town)
    net = sewer.sewer(town)
    yield sewer.manholes(town, net)
    yield sewer.pipes(town, net)
    yield supply.water(town)
    yield supply.power(town)
    yield supply.hydrants(town)
    yield buildings.vacancies(town, known)
    yield buildings.projects(town)
    yield civic.agenda(town)
    water = flood.flood(town)
    yield flood.areas(water)
    yield flood.affected(town, water, known)
    yield traffic.passers_by(town)
    yield civic.schools(town, known)
    yield nature.playgrounds(town)
