"""The triggers that keep a published table true, in the same transaction as the write; and `sync`, which takes it anew from the store.

`sync` serves what no write tells: an area that moved, a day that came, figures at their time. It changes only what differs.

INVARIANT: a published row is touched only if what it shows changed; a write that changes nothing shown leaves no trace.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from twin_api.layers.table import STORE
from twin_api.publish.definition import Definition
from twin_api.publish.projection import project, published_columns, store_source, transition_source
from twin_api.publish.statement import PINNED, literal, quoted, sql_text
from twin_api.publish.table import PUBLISHED
from twin_api.store.collection import MERCATOR

_TRANSITIONS: Final = {
    "insert": "NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
}

_FUNCTION: Final = """\
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, postgis, pg_temp {pinned}
AS {body}"""

# names of our own begin with an underscore, as no attribute does
_BODY: Final = """\
#variable_conflict use_column
DECLARE
  _touched bigint; _gained bigint; _added box2d; _removed box2d;
BEGIN
  -- an older snapshot would not see rows that were published since, and leave them standing
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the store is written in READ COMMITTED transactions only';
  END IF;
  IF TG_OP = 'INSERT' THEN
    WITH put AS (INSERT INTO {table} ({columns}) {shown} RETURNING {reach})
    SELECT count(*), count(*), ST_Extent(_reach), NULL INTO _touched, _gained, _added, _removed FROM put;
  ELSIF TG_OP = 'DELETE' THEN
    WITH gone AS (DELETE FROM {table} t USING old_rows o WHERE t.id = o.id RETURNING {t_reach})
    SELECT count(*), -count(*), NULL, ST_Extent(_reach) INTO _touched, _gained, _added, _removed FROM gone;
  ELSE
    {merge}
  END IF;
  IF _touched > 0 THEN
    PERFORM {published}.tell('{relation}', _gained, _added, _removed);
  END IF;
  RETURN NULL;
END"""

# what is shown now against what was published; `from_old` narrows what may have gone to the rows that a statement touched
_MERGE: Final = """\
WITH shown AS MATERIALIZED ({shown}),
    changed AS MATERIALIZED (
      SELECT s.*, t.id IS NULL AS _is_new, {t_reach_before} FROM shown s LEFT JOIN {table} t ON t.id = s.id
      WHERE t.id IS NULL OR ({t_columns}) IS DISTINCT FROM ({s_columns})),
    gone AS (
      DELETE FROM {table} t {from_old} NOT EXISTS (SELECT FROM shown s WHERE s.id = t.id) RETURNING {t_reach}),
    put AS (
      INSERT INTO {table} ({columns}) SELECT {columns} FROM changed
      ON CONFLICT (id) DO UPDATE SET {updates} RETURNING {reach})
    SELECT (SELECT count(*) FROM put) + (SELECT count(*) FROM gone),
      (SELECT count(*) FROM changed WHERE _is_new) - (SELECT count(*) FROM gone),
      (SELECT ST_Extent(_reach) FROM put),
      (SELECT ST_Extent(_reach) FROM (SELECT _reach FROM gone UNION ALL SELECT _before FROM changed) AS r)
    INTO _touched, _gained, _added, _removed;"""

_SYNC_FUNCTION: Final = _FUNCTION.replace("RETURNS trigger", "RETURNS bigint")
_SYNC: Final = """\
#variable_conflict use_column
DECLARE
  _touched bigint; _gained bigint; _added box2d; _removed box2d;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'the store is written in READ COMMITTED transactions only';
  END IF;
  {lock}
  {merge}
  IF _touched > 0 THEN
    PERFORM {published}.tell('{relation}', _gained, _added, _removed);
  END IF;
  UPDATE {published}.definition SET synced_at = now(), was_empty = NOT EXISTS (SELECT FROM {layer}) WHERE relation = '{relation}';
  RETURN _touched;
END"""
_AREAS: Final = """\
BEGIN
  PERFORM {sync}();
  RETURN NULL;
END"""


def follow_statements(definition: Definition) -> list[str]:
    """All that keeps the table: `sync`, and but for figures, which move at their own time, a trigger for each event and area layer."""
    relation = definition.relation
    sync = quoted(PUBLISHED, f"{relation}_sync")
    statements = _function(_SYNC_FUNCTION, sync, _sync_body(definition))
    if definition.groups is not None:
        return statements
    follow = quoted(PUBLISHED, f"{relation}_follow")
    statements += _function(_FUNCTION, follow, _follow_body(definition))
    for event, transition in _TRANSITIONS.items():
        statements.append(
            f"CREATE OR REPLACE TRIGGER {quoted(f'{relation}_{event}')} AFTER {event.upper()} ON {quoted(STORE, definition.layer)} "
            f"REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {follow}()"
        )
    if definition.areas:
        areas = quoted(PUBLISHED, f"{relation}_areas")
        statements += _function(_FUNCTION, areas, _AREAS.format(sync=sync))
        statements += [
            f"CREATE OR REPLACE TRIGGER {quoted(f'{relation}_areas')} AFTER INSERT OR UPDATE OR DELETE ON {quoted(STORE, area)} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {areas}()"
            for area in definition.areas
        ]
    return statements


def unfollow_statements(layer: str, areas: Sequence[str], relation: str) -> list[str]:
    triggers = [f"DROP TRIGGER IF EXISTS {quoted(f'{relation}_{event}')} ON {quoted(STORE, layer)}" for event in _TRANSITIONS]
    triggers += [f"DROP TRIGGER IF EXISTS {quoted(f'{relation}_areas')} ON {quoted(STORE, area)}" for area in areas]
    functions = [f"DROP FUNCTION IF EXISTS {quoted(PUBLISHED, f'{relation}_{name}')}()" for name in ("follow", "areas", "sync")]
    return [*triggers, *functions]


def _function(template: str, name: str, body: str) -> list[str]:
    text = template.format(function=name, pinned=" ".join(f"SET {setting}" for setting in PINNED), body=literal(body))
    return [text, f"REVOKE ALL ON FUNCTION {name}() FROM PUBLIC"]


def _follow_body(definition: Definition) -> str:
    words = _words(definition)
    shown = sql_text(project(definition, transition_source(definition, "new_rows")))
    return _BODY.format(**words, shown=shown, merge=_MERGE.format(**words, shown=shown, from_old="USING old_rows o WHERE t.id = o.id AND"))


def _sync_body(definition: Definition) -> str:
    words = _words(definition)
    shown = sql_text(project(definition, store_source(definition)))
    # writers under way are waited for, so that their rows are taken too; figures need none of that
    lock = "" if definition.groups else f"LOCK TABLE {quoted(STORE, definition.layer)} IN SHARE ROW EXCLUSIVE MODE;"
    return _SYNC.format(**words, lock=lock, merge=_MERGE.format(**words, shown=shown, from_old="WHERE"))


def _words(definition: Definition) -> dict[str, str]:
    """What the bodies name: the table, its columns, and how far a row reaches."""
    columns = published_columns(definition)
    reach = quoted(MERCATOR) if definition.geometry_type else "NULL::geometry"
    qualified = f"t.{reach}" if definition.geometry_type else reach
    return {
        "published": PUBLISHED,
        "relation": definition.relation,
        "layer": quoted(STORE, definition.layer),
        "table": quoted(PUBLISHED, definition.relation),
        "columns": ", ".join(quoted(c) for c in columns),
        "t_columns": ", ".join(f"t.{quoted(c)}" for c in columns),
        "s_columns": ", ".join(f"s.{quoted(c)}" for c in columns),
        "updates": ", ".join(f"{quoted(c)} = EXCLUDED.{quoted(c)}" for c in columns if c != "id"),
        "reach": f"{reach} AS _reach",
        "t_reach": f"{qualified} AS _reach",
        "t_reach_before": f"{qualified} AS _before",
    }
