"""The triggers that keep a published table true, in the same transaction as the write.

INVARIANT: a published row is touched only if what it shows changed; a write that changes nothing shown leaves no trace.
"""

from __future__ import annotations

from typing import Final

from twin_api.layers.table import STORE
from twin_api.publish.definition import Definition
from twin_api.publish.projection import project, published_columns, transition_source
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
    WITH shown AS MATERIALIZED ({shown}),
    changed AS MATERIALIZED (
      SELECT s.*, t.id IS NULL AS _is_new, {t_reach_before} FROM shown s LEFT JOIN {table} t ON t.id = s.id
      WHERE t.id IS NULL OR ({t_columns}) IS DISTINCT FROM ({s_columns})),
    gone AS (
      DELETE FROM {table} t USING old_rows o
      WHERE t.id = o.id AND NOT EXISTS (SELECT FROM shown s WHERE s.id = t.id) RETURNING {t_reach}),
    put AS (
      INSERT INTO {table} ({columns}) SELECT {columns} FROM changed
      ON CONFLICT (id) DO UPDATE SET {updates} RETURNING {reach})
    SELECT (SELECT count(*) FROM put) + (SELECT count(*) FROM gone),
      (SELECT count(*) FROM changed WHERE _is_new) - (SELECT count(*) FROM gone),
      (SELECT ST_Extent(_reach) FROM put),
      (SELECT ST_Extent(_reach) FROM (SELECT _reach FROM gone UNION ALL SELECT _before FROM changed) AS r)
    INTO _touched, _gained, _added, _removed;
  END IF;
  IF _touched > 0 THEN
    PERFORM {published}.tell('{relation}', _gained, _added, _removed);
  END IF;
  RETURN NULL;
END"""


def follow_statements(definition: Definition) -> list[str]:
    """The function and its three statement triggers, one per event."""
    relation = definition.relation
    function = quoted(PUBLISHED, f"{relation}_follow")
    statements = [_function(definition, function), f"REVOKE ALL ON FUNCTION {function}() FROM PUBLIC"]
    for event, transition in _TRANSITIONS.items():
        statements.append(
            f"CREATE OR REPLACE TRIGGER {quoted(f'{relation}_{event}')} AFTER {event.upper()} ON {quoted(STORE, definition.layer)} "
            f"REFERENCING {transition} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    return statements


def unfollow_statements(layer: str, relation: str) -> list[str]:
    triggers = [f"DROP TRIGGER IF EXISTS {quoted(f'{relation}_{event}')} ON {quoted(STORE, layer)}" for event in _TRANSITIONS]
    return [*triggers, f"DROP FUNCTION IF EXISTS {quoted(PUBLISHED, f'{relation}_follow')}()"]


def _function(definition: Definition, function: str) -> str:
    columns = published_columns(definition)
    reach = quoted(MERCATOR) if definition.geometry_type else "NULL::geometry"
    qualified = f"t.{reach}" if definition.geometry_type else reach
    body = _BODY.format(
        published=PUBLISHED,
        relation=definition.relation,
        table=quoted(PUBLISHED, definition.relation),
        columns=", ".join(quoted(c) for c in columns),
        t_columns=", ".join(f"t.{quoted(c)}" for c in columns),
        s_columns=", ".join(f"s.{quoted(c)}" for c in columns),
        updates=", ".join(f"{quoted(c)} = EXCLUDED.{quoted(c)}" for c in columns if c != "id"),
        shown=sql_text(project(definition, transition_source(definition, "new_rows"))),
        reach=f"{reach} AS _reach",
        t_reach=f"{qualified} AS _reach",
        t_reach_before=f"{qualified} AS _before",
    )
    return _FUNCTION.format(function=function, pinned=" ".join(f"SET {setting}" for setting in PINNED), body=literal(body))
