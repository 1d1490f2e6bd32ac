"""The audit log: what was done, by whom, in the transaction that did it.

Must never hold a value of a row, and is never changed: its own login may only append.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb


def note(connection: psycopg.Connection[Any], action: str, what: Mapping[str, Any]) -> None:
    """Append a line; `action` is a dotted word such as `policy.apply`."""
    connection.execute("INSERT INTO control.audit (action, what) VALUES (%s, %s)", [action, Jsonb(dict(what))])
