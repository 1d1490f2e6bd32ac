"""Proof 10: figures in PostgreSQL are those of the reference in Python: the same rows, the same groups, the same gaps."""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from typing import Any

import shapely

from tests.approving import approve_all
from tests.towns import Town
from twin_api.policy.documents import Policies
from twin_api.policy.evaluate import groups
from twin_api.policy.load import load
from twin_api.policy.rule import World
from twin_api.publish.definition import compile_grant
from twin_api.publish.projection import project, store_source
from twin_api.publish.statement import pin_session, sql_text

LANGUAGE = Path(__file__).parents[1] / "language" / "policies"
MORE = """  mehr:
    from: schaechte
    rows: all
    group_by: ortsteile
    figures: {n: count, rund: {count: all, round: 5}, s: {share: {zustand: [schlecht]}}, t: {sum: tiefe_m}, m: {mean: tiefe_m, round: 0.1}}
    at_least: %d
    refresh: daily
    release: {of: [existence, geometry, zustand, tiefe_m], reason: x, approve: [wasser], until: 2027-12-31}
"""
SIDE = 4  # districts in a row and in a column, each 100 m wide


def find_miscounted(town: Town, seed: int, rounds: int) -> list[str]:
    """Groups whose figures are others than the reference says, in the first of some drawn towns that has any."""
    random_ = random.Random(seed)
    for _ in range(rounds):
        policies = _policies(town, random_.choice((3, 5, 12)))
        areas, rows = _draw(random_)
        _put(town, areas, rows)
        if found := list(_miscounted(town, policies, areas, rows)):
            return found
    return []


def _miscounted(town: Town, policies: Policies, areas: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Iterator[str]:
    grant = policies.roles["citizen"].grants["mehr"][0]
    layer, ortsteile = policies.layers["schaechte"], policies.layers["ortsteile"]
    wanted = {g["name"]: g for g in groups(grant, layer, ortsteile, rows, World(areas={"ortsteile": areas}))}
    definition = compile_grant(policies, grant)
    query = sql_text(project(definition, store_source(definition)))
    with town.login("owner") as connection, connection.transaction():
        pin_session(connection)
        names = ("name", "n", "rund", "s", "t", "m")
        found = connection.execute(f"SELECT {', '.join(names)} FROM ({query}) AS f".encode(), binary=True).fetchall()
    if len(found) != len(wanted):
        yield f"{len(found)} groups instead of {len(wanted)}"
    for row in found:
        group = dict(zip(names, row, strict=True))
        if not all(_close(group[name], wanted[group["name"]][name]) for name in names):
            yield f"{group} instead of {wanted[group['name']]}"


def _policies(town: Town, least: int) -> Policies:
    path = town.policies_folder / "citizen.yaml"
    path.write_text((LANGUAGE / "citizen.yaml").read_text(encoding="utf-8") + MORE % least, encoding="utf-8")
    approve_all(town.policies_folder)
    return load(town.policies_folder)


def _draw(random_: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    areas = [
        {"name": f"O{number:02}", "geometry": shapely.box(x * 100, y * 100, x * 100 + 100, y * 100 + 100)}
        for number, (x, y) in enumerate((x, y) for x in range(SIDE) for y in range(SIDE))
        if random_.random() < 0.8
    ]
    weights = [random_.choice((0, 0, 1, 3, 9)) for _ in range(SIDE * SIDE)]
    rows = []
    for number in range(random_.choice((0, 5, 40, 120))):
        cell = random_.choices(range(SIDE * SIDE), [w + 0.05 for w in weights])[0]
        # on borders too: the first district by name has it
        x, y = (cell // SIDE) * 100 + random_.choice((0, 50, 99.5)), (cell % SIDE) * 100 + random_.choice((0, 50, 99.5))
        depth = random_.choice((None, 0.0, 0.1, 2.5, 2.5, -3.0, 1e6))
        rows.append(
            {"nr": f"S{number}", "zustand": random_.choice((None, "gut", "schlecht")), "tiefe_m": depth, "geometry": shapely.Point(x, y, 1)}
        )
    return areas, rows


def _put(town: Town, areas: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    town.write("DELETE FROM store.schaechte")
    town.write("DELETE FROM store.ortsteile")
    for layer, some in (("ortsteile", areas), ("schaechte", rows)):
        town.insert(layer, [row | {"geometry": f"SRID=25832;{shapely.to_wkt(row['geometry'], output_dimension=3)}"} for row in some])


def _close(one: Any, other: Any) -> bool:
    return one == other or (isinstance(one, float) and isinstance(other, float) and isclose(one, other, rel_tol=1e-12))
