"""Definitions: pure values, and their SQL does what the Python reference says."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tests.towns import DAY, Connection, Town
from twin_api.layers.table import COLUMN_TYPES
from twin_api.policy.masks import Grid, Round
from twin_api.policy.rule import All, And, Between, Compare, In, IsNull, Not, Or, Rule, shows
from twin_api.publish.definition import compile_policies
from twin_api.publish.predicate import predicate
from twin_api.publish.statement import sql_text

TYPES = {"t": "text", "i": "integer", "n": "number", "b": "boolean", "d": "date"}
VALUES: dict[str, list[Any]] = {
    "t": ["", "gut", "Gut", "ä", "z", "it's", "100%", ":x", "\\", "é"],
    "i": [-5, 0, 1, 2, 1987, 2**53],
    "n": [-0.5, 0.0, 0.1, 2.0, 1e18],
    "b": [True, False],
    "d": [date(1900, 1, 1), date(2026, 11, 22), date(2026, 11, 23)],
}


@pytest.fixture(scope="module")
def connection(town: Town) -> Iterator[Connection]:
    with town.login("owner") as connection:
        yield connection


def _rule(draw: random.Random, depth: int = 3) -> Rule:
    kind = draw.choice(["all", "compare", "in", "between", "null", "and", "or", "not"] if depth else ["compare", "in", "between", "null"])
    name = draw.choice(list(TYPES))
    some = VALUES[name]
    match kind:
        case "all":
            return All()
        case "and":
            return And(tuple(_rule(draw, depth - 1) for _ in range(draw.randint(1, 3))))
        case "or":
            return Or(tuple(_rule(draw, depth - 1) for _ in range(draw.randint(1, 3))))
        case "not":
            return Not(_rule(draw, depth - 1))
        case "null":
            return IsNull(name)
        case "in":
            return In(name, tuple(draw.sample(some, draw.randint(1, len(some)))))
        case "between":
            ends = [draw.choice(some), draw.choice(some)]
            return Between(name, *draw.choice([(ends[0], ends[1]), (None, ends[1]), (ends[0], None)]))
        case _:
            return Compare(name, draw.choice(["=", "<>", "<", "<=", ">", ">="]), draw.choice(some))


def test_a_rule_as_sql_shows_what_the_reference_shows(connection: Connection) -> None:
    draw = random.Random(20261122)
    rows = [{name: draw.choice([*VALUES[name], None]) for name in TYPES} for _ in range(80)]
    connection.execute('CREATE TEMP TABLE specimen (nr int, t text COLLATE "C", i bigint, n float8, b boolean, d date)')
    for number, row in enumerate(rows):
        connection.execute("INSERT INTO specimen VALUES (%s, %s, %s, %s, %s, %s)", [number, *row.values()])
    source = sa.table("specimen", sa.column("nr"), *(sa.column(name, COLUMN_TYPES[type_]) for name, type_ in TYPES.items()))
    for _ in range(400):
        rule = _rule(draw)
        statement = sql_text(sa.select(source.c.nr).where(predicate(rule, source)))
        shown = {number for (number,) in connection.execute(statement.encode()).fetchall()}
        assert shown == {number for number, row in enumerate(rows) if shows(rule, row)}, rule
    connection.execute("DROP TABLE specimen")


STEPS = [(type_, step) for type_ in ("number", "integer") for step in ("1", "10", "3", "250")] + [("number", "0.5"), ("number", "0.1")]


@pytest.mark.parametrize(("type_", "step"), STEPS)
def test_a_rounded_value_as_sql_is_that_of_the_reference(connection: Connection, step: str, type_: str) -> None:
    draw = random.Random(step + type_)
    values = [0, 5, -5, 15, -15, 25, 1985, 1994, 1995, *(draw.randint(-(10**6), 10**6) for _ in range(60))]
    if type_ == "number":
        values = [v / 8 for v in values] + [0.05, 0.15, 0.25, -0.35, 1e15 + 0.5, 1e-9, 123456.789, 0.1 + 0.2]
    mask, column = Round(Decimal(step)), sa.column("v", COLUMN_TYPES[type_])
    expression = sql_text(sa.select(mask.sql(column)))
    cast = "float8" if type_ == "number" else "bigint"
    for value in values:
        row = connection.execute(f"{expression} FROM (SELECT {value!r}::{cast} AS v) AS one".encode()).fetchone()
        assert row is not None
        assert row[0] == mask.value(value), value


def test_a_gridded_point_as_sql_is_that_of_the_reference(connection: Connection) -> None:
    draw = random.Random(5)
    points = [(draw.uniform(-10_000, 700_000), draw.uniform(-10_000, 5_600_000)) for _ in range(60)] + [(100.0, 200.0), (-100.0, -0.0)]
    for mask in (Grid(1), Grid(100), Grid(250)):
        for x, y in points:
            query = sql_text(sa.select(sa.func.ST_AsText(mask.sql(sa.column("g")))))
            row = connection.execute(
                f"{query} FROM (SELECT ST_GeomFromText('POINT Z ({x!r} {y!r} 412.5)', 25832) AS g) AS one".encode()
            ).fetchone()
            assert row is not None
            found = tuple(float(c) for c in row[0].removeprefix("POINT(").removesuffix(")").split())
            assert found == mask.point((x, y, 412.5))


def test_equal_grants_share_one_table(town: Town) -> None:
    compiled = compile_policies(town.policies, DAY)
    trees = {schema: shown["baeume"].definition.relation for schema, shown in compiled.items() if "baeume" in shown}
    assert trees["citizen"] == trees["council"] == trees["administration_bauhof"]
    assert trees["administration"] != trees["citizen"]


def test_a_definition_names_no_hidden_attribute(town: Town) -> None:
    shown = compile_policies(town.policies, DAY)["citizen"]["baeume"].definition
    assert "vermerk" not in repr(shown)
    assert "pate" not in repr(shown)


def test_the_order_of_attributes_in_a_file_makes_no_other_table(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False, apply=False)
    before = compile_policies(town.policies, DAY)["citizen"]["baeume"].definition.relation
    town.edit("citizen.yaml", "{art: keep, gepflanzt: keep,", "{gepflanzt: keep, art: keep,")
    assert compile_policies(town.policies, DAY)["citizen"]["baeume"].definition.relation == before


def test_a_feature_text_is_the_json_that_anybody_would_write(town: Town, connection: Connection) -> None:
    relation = compile_policies(town.policies, DAY)["administration"]["baeume"].definition.relation
    columns = "baum_nr, art, gepflanzt, hoehe_m, anzahl, geschuetzt, geprueft, status, vermerk"
    query = f"SELECT p.id, _feature, ST_X(ST_Transform(s.geometry, 4326)), ST_Y(ST_Transform(s.geometry, 4326)), {columns.replace('baum_nr', 's.baum_nr').replace(', ', ', s.')} FROM published.{relation} p JOIN store.baeume s USING (id)"
    rows = connection.execute(query.encode()).fetchall()
    assert len(rows) == 59
    for id, text, x, y, *values in rows:
        feature = json.loads(text)
        named = dict(zip(columns.split(", "), values, strict=True))
        named["gepflanzt"] = named["gepflanzt"] and named["gepflanzt"].isoformat()
        named["geprueft"] = named["geprueft"] and named["geprueft"].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert feature["id"] == str(id)
        assert feature["properties"] == named
        assert list(feature["properties"]) == columns.split(", ")
        assert feature["geometry"] == {"type": "Point", "coordinates": [pytest.approx(x, abs=6e-8), pytest.approx(y, abs=6e-8)]}
