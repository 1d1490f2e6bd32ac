"""Drift: whether every published table still holds exactly what its definition yields on the store. Zero is the only good answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from twin_api.publish.statement import pin_session, quoted
from twin_api.publish.table import PUBLISHED, is_fill

Connection = psycopg.Connection[tuple[Any, ...]]

_TRIGGERS = (
    "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled = 'O' AND tgname = ANY (%s) "
    "AND tgfoid = to_regprocedure(%s)"
)
_FIGURES = (
    "SELECT d.count = m.count AND d.reach IS NOT DISTINCT FROM m.reach "
    "FROM published.definition d, (SELECT count(*), {reach} AS reach FROM {table}) AS m WHERE d.relation = %s"
)
_TOLD = (
    "SELECT c.count = d.count AND c.bbox IS NOT DISTINCT FROM published.crs84(d.reach) AND (c.starts, c.ends) IS NOT DISTINCT FROM "
    "(m.starts, m.ends) FROM published.definition d, {collection} c, (SELECT {interval} FROM {table}) AS m "
    "WHERE d.relation = %s AND c.name = %s"
)


@dataclass(frozen=True, slots=True)
class Drift:
    """What is wrong with one published table; `missing` and `surplus` count rows (a changed row counts in both)."""

    relation: str
    layer: str
    missing: int
    surplus: int
    triggers_off: int
    figures_wrong: bool

    def __bool__(self) -> bool:
        return bool(self.missing or self.surplus or self.triggers_off or self.figures_wrong)


def find_drift(connection: Connection) -> list[Drift]:
    """One entry per published table, in one snapshot; about 0.2 s per 100,000 rows. Connection of the owner."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        pin_session(connection)
        query = "SELECT relation, layer, has_geometry, datetime, areas, kind, statements FROM published.definition ORDER BY layer, relation"
        return [_compare(connection, *row) for row in connection.execute(query).fetchall()]


def _compare(
    connection: Connection,
    relation: str,
    layer: str,
    has_geometry: bool,
    datetime: str | None,
    areas: list[str],
    kind: str,
    statements: list[str],
) -> Drift:
    wrong = _is_wrong(connection, relation, has_geometry, datetime)
    if kind == "figures":  # they stand until their time
        return Drift(relation, layer, 0, 0, 0, wrong)
    missing, surplus = _differences(connection, relation, statements)
    return Drift(relation, layer, missing, surplus, _triggers_off(connection, relation, layer, areas), wrong)


def _differences(connection: Connection, relation: str, statements: list[str]) -> tuple[int, int]:
    """Rows that are missing in the published table, and rows that should not be there."""
    fill = next(filter(is_fill, statements))
    columns, _, select = fill.partition(" (")[2].partition(") ")
    table = quoted(PUBLISHED, relation)
    sides = f"WITH wanted AS ({select}), found AS (SELECT {columns} FROM {table})"
    missing = _count(connection, f"{sides} SELECT count(*) FROM (SELECT * FROM wanted EXCEPT ALL SELECT * FROM found) AS d")
    surplus = _count(connection, f"{sides} SELECT count(*) FROM (SELECT * FROM found EXCEPT ALL SELECT * FROM wanted) AS d")
    return missing, surplus


def _count(connection: Connection, query: str) -> int:
    return sum(int(number) for (number,) in connection.execute(query.encode(), binary=True).fetchall())


def _triggers_off(connection: Connection, relation: str, layer: str, areas: list[str]) -> int:
    """How many of the triggers are not there, not on, or run something else."""
    events = [f"{relation}_{event}" for event in ("insert", "update", "delete")]
    wanted = [(layer, events, "follow"), *((area, [f"{relation}_areas"], "areas") for area in areas)]
    off = 0
    for table, names, kind in wanted:
        function = f"{quoted(PUBLISHED, f'{relation}_{kind}')}()"
        rows = connection.execute(_TRIGGERS, [quoted("store", table), names, function]).fetchall()
        off += len(names) - sum(int(number) for (number,) in rows)
    return off


def _is_wrong(connection: Connection, relation: str, has_geometry: bool, datetime: str | None) -> bool:
    """Whether a figure is not what the published rows say, in the register or in what any role is told."""
    table = quoted(PUBLISHED, relation)
    reach = "postgis.ST_Extent(_mercator)" if has_geometry else "NULL::postgis.box2d"
    moment = quoted(datetime) if datetime else "NULL::timestamptz"
    starts, ends = f"min({moment})::timestamptz", f"max({moment})::timestamptz"
    answers = [connection.execute(_FIGURES.format(reach=reach, table=table).encode(), [relation]).fetchone()]
    shown = connection.execute("SELECT schema, collection FROM published.shown WHERE relation = %s", [relation]).fetchall()
    for schema, collection in shown:
        interval = f"{starts} AS starts, {ends} AS ends"
        told = _TOLD.format(collection=quoted(schema, "collection"), table=table, interval=interval)
        answers.append(connection.execute(told.encode(), [relation, collection]).fetchone())
    return any(answer is None or answer[0] is not True for answer in answers)
