"""What every role sees, twice: as the policies in force grant it, and as the database's own catalogue has it; and where the two differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import sql

from twin_api.cli.doctor.patient import Patient
from twin_api.policy.matrix import describe_mask, describe_rule
from twin_api.publish.definition import Shown, compile_policies
from twin_api.publish.projection import published_columns
from twin_api.publish.table import PUBLISHED
from twin_api.publish.withdraw import withdrawn_collections
from twin_api.store.collection import about_table, closed_table, collection_table
from twin_api.texts import Text

_COLUMNS: Final = """
    SELECT n.nspname::text, c.relname::text, jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1, 2"""
_READS: Final = """
    SELECT n.nspname::text, c.relname::text, array_agg(DISTINCT d.refobjid::regclass::text)
    FROM pg_rewrite v JOIN pg_class c ON c.oid = v.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_depend d ON d.objid = v.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    WHERE n.nspname = ANY (%s) AND d.refobjid <> v.ev_class GROUP BY 1, 2"""
OWN_TABLES: Final = (collection_table, closed_table, about_table)  # by which a role's schema tells of itself

Twins = dict[str, dict[str, dict[str, Any]]]  # role -> collection -> `policy` and `database`


def tell_twins(patient: Patient, now: datetime) -> tuple[Twins, list[Text]]:
    """Both accounts by role and collection, and the contradictions between them."""
    names = {role.schema: role.name for role in patient.in_force.roles.values()}
    granted, found, away = _granted(patient), _found(patient), withdrawn_collections(patient.owner)
    closed = _closed(patient, now)
    twins: Twins = {}
    contradictions: list[Text] = []
    for schema in sorted({*granted, *found}):
        role, wanted, there = names.get(schema, schema), granted.get(schema, {}), found.get(schema, {})
        twins[role] = {}
        own = {table.name: set(table.c.keys()) for table in (make(schema) for make in OWN_TABLES)}
        contradictions += _of_own_tables(role, own, there)
        for name in sorted({*wanted, *there} - own.keys()):
            is_closed = name in away or (schema, name) in closed
            twins[role][name] = {"policy": _policy(wanted.get(name)), "database": there.get(name), "closed": is_closed}
            contradictions += _contradictions(role, name, wanted.get(name), there.get(name), is_closed)
    return twins, contradictions


def _granted(patient: Patient) -> Mapping[str, Mapping[str, Shown]]:
    return compile_policies(patient.in_force, patient.today_in_force)


def _found(patient: Patient) -> dict[str, dict[str, dict[str, Any]]]:
    """By schema and relation: the columns with their types, and what a view reads."""
    schemas = list(patient.twins)
    reads = {(s, c): sorted(read) for s, c, read in patient.owner.execute(_READS, [schemas]).fetchall()}
    found: dict[str, dict[str, dict[str, Any]]] = {schema: {} for schema in schemas}
    for schema, relation, columns in patient.owner.execute(_COLUMNS, [schemas]).fetchall():
        found[schema][relation] = {"columns": columns, "reads": reads.get((schema, relation), [])}
    return found


def _closed(patient: Patient, now: datetime) -> set[tuple[str, str]]:
    """What no reader is shown any more, and the worker will take out."""
    found = set()
    for schema in patient.twins:
        query = sql.SQL("SELECT name FROM {} WHERE shown_until <= %s").format(sql.Identifier(schema, "collection"))
        found |= {(schema, name) for (name,) in patient.owner.execute(query, [now]).fetchall()}
    return found


def _policy(shown: Shown | None) -> dict[str, Any] | None:
    if shown is None:
        return None
    definition = shown.definition
    return {
        "layer": definition.layer,
        "rows": describe_rule(definition.rows),
        "geometry": describe_mask(definition.geometry) if definition.geometry_type else "hide",
        "attributes": {column.name: describe_mask(column.mask) for column in definition.columns},
        "is_figures": definition.groups is not None,
        "until": shown.shown_until.isoformat() if shown.shown_until else None,
        "table": _table(shown),
        "columns": published_columns(definition),
    }


def _table(shown: Shown) -> str:
    return f"{PUBLISHED}.{shown.definition.relation}"


def _contradictions(role: str, name: str, shown: Shown | None, found: dict[str, Any] | None, is_closed: bool) -> Iterator[Text]:
    where = f"{role} · {name}"
    if found is None or shown is None:
        if not is_closed:
            yield _one_sided(where, is_granted=shown is not None)
        return
    wanted = set(published_columns(shown.definition))
    for column in sorted(wanted ^ set(found["columns"])):
        yield Text(f"{where}: Spalte `{column}` steht nur in {'den Richtlinien' if column in wanted else 'der Datenbank'}",
                   f"{where}: column `{column}` stands in {'the policies' if column in wanted else 'the database'} alone")  # fmt: skip
    if found["reads"] != [_table(shown)]:
        read = ", ".join(found["reads"]) or "–"
        yield Text(f"{where}: liest {read} statt {_table(shown)}", f"{where}: reads {read} instead of {_table(shown)}")


def _of_own_tables(role: str, own: Mapping[str, set[str]], there: Mapping[str, dict[str, Any]]) -> Iterator[Text]:
    """Tables with which a schema tells of itself have the columns of this program, and read nothing."""
    for name, columns in own.items():
        found = there.get(name, {"columns": {}, "reads": []})
        if set(found["columns"]) != columns or found["reads"]:
            yield Text(f"{role} · {name}: nicht die Tabelle dieses Programms", f"{role} · {name}: not the table of this program")


def _one_sided(where: str, *, is_granted: bool) -> Text:
    if is_granted:
        return Text(f"{where}: gewährt, aber nicht veröffentlicht", f"{where}: granted but not published")
    return Text(f"{where}: steht in der Datenbank, aber niemand hat es gewährt", f"{where}: stands in the database, but nobody granted it")
