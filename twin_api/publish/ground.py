"""The ground the administrator stands on: nothing that runs with his rights may be of the owner's making.

The owner may put triggers, rules, views, defaults, types and operators wherever it may make things, and `SET ROLE` keeps none of them from
the administrator's rights: what runs in his session can take it back. So his sessions look up names in the catalogue alone, `control` is
his, and what has to be done to the owner's tables is done by the owner's own login.
Must never read or write a row of a table that the owner can change.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from twin_api.store.engine import login_of

Connection = psycopg.Connection[tuple[Any, ...]]

_PINNED: Final = "-c search_path=pg_catalog,pg_temp"
# those who administer; no login of a town may make others
_TRUSTED: Final = "(SELECT oid FROM pg_roles WHERE rolsuper OR rolcreaterole)"
# in `control` the owner has tables with what belongs to them, and nothing that is called or that migrations read
_FOREIGN: Final = f"""
SELECT 'the schema control' FROM pg_namespace n WHERE n.nspname = 'control' AND n.nspowner NOT IN {_TRUSTED}
UNION ALL SELECT 'the right of ' || a.grantee::regrole::text || ' to make things in control'
FROM pg_namespace n, aclexplode(n.nspacl) a
WHERE n.nspname = 'control' AND a.privilege_type = 'CREATE' AND a.grantee NOT IN {_TRUSTED}
UNION ALL SELECT 'the function ' || p.oid::regprocedure::text FROM pg_proc p
WHERE p.pronamespace = to_regnamespace('control') AND p.proowner NOT IN {_TRUSTED}
UNION ALL SELECT 'the relation ' || c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = to_regnamespace('control')
AND c.relname IN ('alembic_version', 'was_public') AND (c.relkind <> 'r' OR c.relowner NOT IN {_TRUSTED})
ORDER BY 1"""
_SEES_PREPARED: Final = "SELECT has_function_privilege('pg_catalog.pg_prepared_xact()', 'EXECUTE')"
_PREPARED: Final = f"""
SELECT 'the prepared transaction ' || quote_literal(x.gid) FROM pg_prepared_xacts x JOIN pg_roles r ON r.rolname = x.owner
WHERE x.database = current_database() AND r.oid NOT IN {_TRUSTED} ORDER BY 1"""
_MAY_CREATE: Final = f"""
SELECT DISTINCT coalesce(r.rolname, 'public') FROM pg_namespace n, aclexplode(n.nspacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = 'control' AND a.privilege_type = 'CREATE' AND a.grantee NOT IN {_TRUSTED}"""


def connect_administrator(admin: str, **settings: Any) -> Connection:
    """The administrator's session, autocommit. INVARIANT: it finds no operator, function or table that it does not name with its schema."""
    told = str(conninfo.conninfo_to_dict(admin).get("options") or "")
    return psycopg.connect(admin, autocommit=True, options=f"{told} {_PINNED}".strip(), **settings)


def foreign_things(connection: Connection) -> list[str]:
    """What in `control` would run or be read with the administrator's rights although it is not of an administrator's making."""
    found = connection.execute(_FOREIGN).fetchall()
    row = connection.execute(_SEES_PREPARED).fetchone()
    if row is not None and row[0]:  # hardening takes it from everybody; a superuser sees them always
        found += connection.execute(_PREPARED).fetchall()
    return [str(name) for (name,) in found]


def take_control(connection: Connection) -> None:
    """Make `control` the administrator's, as towns of earlier versions do not have it; where it is his, nothing changes."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS control")
    row = connection.execute(f"SELECT nspowner IN {_TRUSTED} FROM pg_namespace WHERE nspname = 'control'").fetchone()
    owner = login_of(connection, "owner")
    if row is not None and not row[0]:
        with connection.transaction():
            connection.execute("ALTER SCHEMA control OWNER TO CURRENT_USER")
            connection.execute(sql.SQL("GRANT USAGE ON SCHEMA control TO {}").format(sql.Identifier(owner)))
        _end_transactions(connection, owner)
    for (name,) in connection.execute(_MAY_CREATE).fetchall():
        grantee = sql.SQL("PUBLIC") if name == "public" else sql.Identifier(name)
        connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA control FROM {}").format(grantee))


def _end_transactions(connection: Connection, login: str) -> None:
    """What began while the schema was the owner's could still put something into it."""
    query = (
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity "
        "WHERE usename = %s AND datname = current_database() AND xact_start IS NOT NULL"
    )
    connection.execute(query, [login])
