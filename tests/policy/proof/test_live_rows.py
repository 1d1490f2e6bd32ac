"""What is proved of the policies holds for published rows: each role finds every item of the citizens', and can compute what they see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.policy.proof.cases import files_of
from tests.policy.proof.three_ways import draw_rows
from tests.towns import DAY, Town
from twin_api.imports.request import ImportRequest
from twin_api.imports.run import run_import
from twin_api.layers.musterdorf import write_town
from twin_api.policy.documents import Grant, Policies
from twin_api.policy.masks import Band, Grid, KeepGeometry, Reviewed, ValueMask
from twin_api.publish.layers import apply_layers
from twin_api.settings import PROJECT
from twin_api.store.collection import GEOMETRY

FEATURES = 5_000
STEPS = {
    "citizen": "baeume: {rows: {stamm_cm: {from: 0, to: 5}}, geometry: {grid_m: 100}, attributes: {art: keep, stamm_cm: {band: [1, 4]}, hoehe_m: {round: 2.5}, gepflanzt: {truncate: year}}}\n",
    "council": "baeume: {rows: stamm_cm > -1 AND NOT (stamm_cm >= 6), geometry: {grid_m: 20}, attributes: {art: keep, stamm_cm: {band: [1, 2, 4]}, hoehe_m: {round: 0.5}, gepflanzt: {truncate: month}}}\n",
}
Published = dict[Any, dict[str, Any]]


def published(town: Town, role: str, grant: Grant, policies: Policies) -> Published:
    """The items of one collection as the role itself reads them, by id."""
    names = [name for name in policies.layers[grant.layer].attributes if name in grant.attributes]
    has_place = policies.layers[grant.layer].geometry is not None and grant.geometry.word != "hide"
    columns = ", ".join(["id", *(f'"{name}"' for name in names), *([GEOMETRY] if has_place else [])])
    with town.login(role) as connection:
        rows = connection.execute(f'SELECT {columns} FROM "{grant.collection}"'.encode()).fetchall()
    keys = [*names, GEOMETRY] if has_place else names
    return {row[0]: dict(zip(keys, row[1:], strict=True)) for row in rows}


def follows(lower: ValueMask, seen: Any, upper: ValueMask, known: Any) -> bool:
    """Whether what the lower role sees follows from what the upper one does."""
    if isinstance(lower, Reviewed):
        return seen is None or seen == known
    if lower == upper:
        return bool(seen == known)
    if isinstance(upper, Band):  # a word of the finer bands tells the coarser one; where it begins is enough
        return lower.value(None if known is None else _begin(upper, known)) == seen
    return bool(lower.value(known) == seen)


def _begin(band: Band, word: str) -> float:
    return float([band.limits[0] - 1, *band.limits][(band.shown_values() or ()).index(word)])


def place_follows(lower: Any, seen: str | None, known: str | None) -> bool:
    if known is None or isinstance(lower, KeepGeometry):
        return seen == known
    assert isinstance(lower, Grid)
    return shapely.from_wkb(seen).coords[0] == lower.point(shapely.from_wkb(known).coords[0])


def check_containment(town: Town) -> int:
    """How many values were compared; fails at the first that is not contained."""
    policies, compared = town.policies, 0
    open_ = {role.schema: role.open_on(DAY) for role in policies.roles.values()}
    for name, lower in open_["citizen"].items():
        if lower.figures is not None:
            continue
        seen = published(town, "citizen", lower, policies)
        for role, upper in ((role, grants[name]) for role, grants in open_.items() if role != "citizen"):
            known = published(town, role, upper, policies)
            assert seen.keys() <= known.keys(), f"{role} misses items of {name}"
            for id_, item in seen.items():
                for attribute, mask in lower.attributes.items():
                    assert follows(mask, item[attribute], upper.attributes[attribute], known[id_][attribute]), (role, name, attribute, item)
                assert GEOMETRY not in item or place_follows(lower.geometry, item[GEOMETRY], known[id_][GEOMETRY]), (role, name, item)
                compared += len(item)
    return compared


@pytest.fixture
def steps(new_town: Callable[..., Town], tmp_path: Path) -> Town:
    """Trees of every size, seen in three degrees."""
    for name, text in files_of(STEPS).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    town = new_town(tmp_path, rows=False)
    rows = [
        {"nr": str(n), "art": row["t"], "stamm_cm": row["i"], "hoehe_m": row["n"], "gepflanzt": row["d"], "geometry": _ewkt(row)}
        for n, row in enumerate(draw_rows(5, 300))
    ]
    town.insert("baeume", rows)
    return town


def _ewkt(row: dict[str, Any]) -> str | None:
    return None if row["geometry"] is None else f"SRID=25832;{row['geometry'].wkt}"


def test_rows_of_every_degree_are_contained(steps: Town) -> None:
    assert check_containment(steps) > 300


def test_rows_of_the_tests_town_are_contained(town: Town) -> None:
    assert check_containment(town) > 10


def test_a_row_that_an_upper_role_misses_is_noticed(steps: Town) -> None:
    with steps.superuser() as connection:
        (relation,) = connection.execute(
            "SELECT relation FROM published.shown WHERE schema = 'council' AND collection = 'baeume'"
        ).fetchone() or ("",)
        connection.execute(f"DELETE FROM published.{relation} WHERE id = (SELECT id FROM citizen.baeume LIMIT 1)".encode())
    with pytest.raises(AssertionError, match="council misses items of baeume"):
        check_containment(steps)


@pytest.mark.long
def test_rows_of_the_sample_town_are_contained(new_town: Callable[..., Town], tmp_path: Path) -> None:
    town = new_town(PROJECT / "policies", rows=False, apply=False)
    policies, files = town.policies, write_town(tmp_path / "sample", 7, FEATURES)
    with town.login("owner") as connection:
        apply_layers(connection, policies.layers)
    for layer, file in files.items():
        run_import(ImportRequest([file]), policies.layers[layer], lambda: town.login("owner"))
    town.apply()
    assert check_containment(town) > 10 * FEATURES
