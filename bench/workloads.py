"""What is asked: items by id, pages in boxes with few or many hits, by a filter, the largest page, the first and the last of a walk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, pi, radians, sqrt
from pathlib import Path
from random import Random
from uuid import UUID

from bench.servers import Asked, Cursors, Name
from bench.town import Town
from twin_api.query.window import cursor
from twin_api.store.twin import Key

BOXES = 200  # per workload, each about a building drawn by lot
FILTER = "hoehe_m > 8 AND baujahr BETWEEN 1900 AND 1980 AND art <> 'garage'"  # about a third of the buildings
WALKED = 1_000  # features a page of a walk over all


@dataclass(frozen=True, slots=True)
class Workload:
    """`lasts` is how many times a usual round this one needs, to see enough requests."""

    name: str
    title: str
    connections: int
    asked: tuple[Asked, ...]
    folder: Path
    lasts: int = 1

    def paths(self, server: Name) -> Path:
        """The file of the paths for a server."""
        path = self.folder / f"{self.name}.{server}.txt"
        path.write_text("".join(f"{asked.path(server)}\n" for asked in self.asked))
        return path


def make_workloads(town: Town, chance: Random) -> list[Workload]:
    folder = town.home / "paths"
    folder.mkdir(exist_ok=True)
    ids = make_ids(town)
    some = tuple(Asked(id=id) for id in chance.sample(ids, min(5_000, len(ids))))
    few, many = (_boxes(town, chance.sample(ids, min(BOXES, len(ids))), hits) for hits in (150, 1_500))
    filtered = tuple(replace(asked, filter=FILTER) for asked in many)
    first, last = Asked(limit=WALKED), Asked(limit=WALKED, cursor=_cursors(town, len(ids) - WALKED))
    return [
        Workload("W3", "one feature by id", 16, some, folder),
        Workload("W1a", "100 of ~150 in a bbox", 16, few, folder),
        Workload("W1b", "100 of ~1,500 in a bbox", 16, many, folder),
        Workload("W2", "10,000 features", 2, (Asked(limit=10_000),), folder, 2),
        Workload("W4", "100 in a bbox by a filter", 16, filtered, folder),
        Workload("W8a", "first 1,000 of all", 2, (first,), folder),
        Workload("W8b", "last 1,000 of all", 2, (last,), folder),
        *(Workload(f"W9-{number}", "one feature by id", number, some, folder) for number in (1, 64)),
        *(Workload(f"W9-{number}b", "100 of ~150 in a bbox", number, few, folder) for number in (1, 64)),
    ]


def make_ids(town: Town, number: int | None = None) -> list[str]:
    """Ids of buildings, in their order, which says nothing about place; all of them unless a number is given."""
    with town.peers() as connection:
        return [str(id) for (id,) in connection.execute("SELECT id FROM gebaeude ORDER BY id LIMIT %s", [number]).fetchall()]


def _cursors(town: Town, number: int) -> Cursors:
    """How each server goes on after so many features of its own order: ours and the limit by key, tipg by number."""
    with town.peers() as connection:
        (theirs,) = connection.execute("SELECT id FROM gebaeude ORDER BY id OFFSET %s LIMIT 1", [number - 1]).fetchone() or ("",)
    with town.citizen() as connection:
        last = connection.execute("SELECT _place, id FROM citizen.gebaeude ORDER BY _place, id OFFSET %s LIMIT 1", [number - 1])
        ours = cursor(Key(*(last.fetchone() or ("", UUID(int=0)))))
    return {"ours": {"cursor": ours}, "limit": {"after": str(theirs)}, "tipg": {"offset": str(number)}}


def _boxes(town: Town, ids: list[str], hits: int) -> tuple[Asked, ...]:
    """A box about each of these buildings that holds about so many: as large as a circle about it with so many neighbours."""
    query = """
        SELECT ST_X(here.at), ST_Y(here.at), ST_DistanceSphere(here.at, last.at)
        FROM (SELECT id, ST_Centroid(geom) AS at FROM gebaeude WHERE id = ANY (%s::uuid[])) here CROSS JOIN LATERAL
             (SELECT ST_Centroid(geom) AS at FROM gebaeude ORDER BY geom <-> here.at OFFSET %s LIMIT 1) last
        ORDER BY here.id"""
    with town.peers() as connection:
        found = connection.execute(query, [ids, hits]).fetchall()
    return tuple(Asked(limit=100, bbox=_bbox(x, y, distance_m * sqrt(pi) / 2)) for x, y, distance_m in found)


def _bbox(x: float, y: float, half_m: float) -> str:
    degrees = half_m / 111_195
    return ",".join(f"{corner:.6f}" for corner in (x - degrees / cos(radians(y)), y - degrees, x + degrees / cos(radians(y)), y + degrees))
