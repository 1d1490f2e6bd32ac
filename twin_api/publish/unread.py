"""Changed text counts as unread: the trigger on a layer that takes back the mark of a free text when the text changes.

A mark that is set in the same statement stays: whoever sets it says that the new text has been read.
INVARIANT: it fires for every update, those that are published set-wise too.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg

from twin_api.layers.table import STORE
from twin_api.policy.documents import Layer
from twin_api.publish.statement import PINNED, literal, quoted
from twin_api.publish.table import PUBLISHED

UNREAD: Final = "unread"  # the trigger's name

_TAKEN_BACK: Final = """\
  IF OLD.{flag} AND NEW.{flag} AND NEW.{text} IS DISTINCT FROM OLD.{text} THEN
    NEW.{flag} := false;
  END IF;
"""


def unread_body(layer: Layer) -> str | None:
    """The function's body; None for a layer whose texts need no mark."""
    pairs = [(attribute.name, attribute.reviewed) for attribute in layer.attributes.values() if attribute.reviewed is not None]
    if not pairs:
        return None
    return "\nBEGIN\n" + "".join(_TAKEN_BACK.format(text=quoted(text), flag=quoted(flag)) for text, flag in pairs) + "  RETURN NEW;\nEND"


def unread_statements(layer: Layer) -> tuple[str, ...]:
    """Make trigger and function what the layer file says, or take them away."""
    table, function, body = quoted(STORE, layer.name), f"{quoted(PUBLISHED, f'{layer.name}_unread')}()", unread_body(layer)
    if body is None:
        return f"DROP TRIGGER IF EXISTS {UNREAD} ON {table}", f"DROP FUNCTION IF EXISTS {function}"
    settings = " ".join(f"SET {setting}" for setting in ("search_path = pg_catalog, pg_temp", *PINNED))
    return (
        f"CREATE OR REPLACE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql {settings} AS {literal(body)}",
        f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC",
        f"CREATE OR REPLACE TRIGGER {UNREAD} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}",
    )


def keep_unread(connection: psycopg.Connection[tuple[Any, ...]], layer: str) -> None:
    """Switch the trigger on again where all triggers of the layer were switched off."""
    table = quoted(STORE, layer)
    query = "SELECT 1 FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgname = %s"
    if connection.execute(query, [table, UNREAD]).fetchone() is not None:
        connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER {UNREAD}".encode())
