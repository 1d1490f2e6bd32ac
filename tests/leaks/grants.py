"""Proof 2: what every database role holds, as readable text; `grants.txt` is what it must be.

`python -m tests.leaks.grants --write` writes the file anew from a town of its own. Read the difference before you commit it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.towns import Town

SNAPSHOT: Final = Path(__file__).parent / "grants.txt"

_OURS: Final = "(SELECT oid, rolname FROM pg_roles WHERE starts_with(rolname, current_database() || '_') UNION ALL SELECT 0, 'PUBLIC')"
# of everything with an access list: who holds what, defaults made explicit; the owner's own rights are left out
_QUERIES: Final = {
    "role": """SELECT rolname || ': ' || concat_ws(' ', CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN rolinherit THEN 'INHERIT' END,
      CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcanlogin THEN 'LOGIN' END,
      CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END, 'limit ' || rolconnlimit,
      (SELECT string_agg(s, ' ' ORDER BY s) FROM pg_db_role_setting d, unnest(d.setconfig) s WHERE d.setrole = r.oid))
      FROM pg_roles r WHERE starts_with(rolname, current_database() || '_')""",
    "member": """SELECT m.rolname || ' is a member of ' || g.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member
      JOIN pg_roles g ON g.oid = a.roleid
      WHERE starts_with(m.rolname, current_database() || '_') OR starts_with(g.rolname, current_database() || '_')""",
    "database": """SELECT o.rolname || ': ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) FROM pg_database d,
      aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a JOIN {ours} o ON o.oid = a.grantee
      WHERE d.datname = current_database() GROUP BY o.rolname""",
    "schema": """SELECT n.nspname || ' owned by ' || n.nspowner::regrole FROM pg_namespace n
      WHERE n.nspname !~ '^pg_(toast|temp)' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      UNION ALL SELECT n.nspname || ' ' || o.rolname || ': ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
      FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a JOIN {ours} o ON o.oid = a.grantee
      WHERE a.grantee <> n.nspowner GROUP BY n.nspname, o.rolname""",
    "language": """SELECT l.lanname || ' ' || o.rolname FROM pg_language l, aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a
      JOIN {ours} o ON o.oid = a.grantee WHERE a.grantee <> l.lanowner""",
    "relation": """SELECT c.relnamespace::regnamespace || '.' || c.relname || ' (' || c.relkind::text || ') owned by ' || c.relowner::regrole
      FROM pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p') AND c.relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
      UNION ALL SELECT c.relnamespace::regnamespace || '.' || c.relname || ' ' || o.rolname || ': '
      || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
      FROM pg_class c, aclexplode(c.relacl) a JOIN {ours} o ON o.oid = a.grantee
      WHERE a.grantee <> c.relowner AND c.relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
      GROUP BY c.oid, c.relnamespace, c.relname, o.rolname""",
    "column": """SELECT c.oid::regclass || ' ' || o.rolname || ': ' || a.privilege_type || ' (' || string_agg(t.attname, ', ' ORDER BY t.attname) || ')'
      FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a JOIN {ours} o ON o.oid = a.grantee
      WHERE c.relnamespace::regnamespace::text !~ '^(pg_.*|information_schema)$'
      GROUP BY c.oid, o.rolname, a.privilege_type""",
    "view": """SELECT v.ev_class::regclass || ' reads ' || string_agg(DISTINCT d.refobjid::regclass::text, ', ')
      FROM pg_rewrite v JOIN pg_depend d ON d.objid = v.oid AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
      JOIN pg_class c ON c.oid = v.ev_class WHERE d.refobjid <> v.ev_class AND c.relnamespace::regnamespace::text !~ '^(pg_.*|information_schema|postgis)$'
      GROUP BY v.ev_class""",
    "function": """SELECT p.pronamespace::regnamespace || '.' || p.proname || ' ' || o.rolname || CASE WHEN p.prosecdef THEN ' (as its owner)' ELSE '' END
      FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a JOIN {ours} o ON o.oid = a.grantee
      WHERE p.pronamespace <> 'pg_catalog'::regnamespace AND a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner
      AND NOT (p.pronamespace = 'postgis'::regnamespace AND o.rolname = current_database() || '_owner') GROUP BY p.pronamespace, p.proname, o.rolname, p.prosecdef""",
    "catalogue function": """SELECT p.proname || ' ' || o.rolname FROM pg_proc p, aclexplode(p.proacl) a JOIN {ours} o ON o.oid = a.grantee
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND o.oid <> 0 AND a.grantee <> p.proowner""",
    "catalogue function taken from PUBLIC": """SELECT p.proname::text FROM pg_proc p
      LEFT JOIN pg_init_privs i ON i.objoid = p.oid AND i.classoid = 'pg_proc'::regclass,
      LATERAL (SELECT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) AS now,
        i.initprivs IS NULL OR EXISTS (SELECT FROM aclexplode(i.initprivs) a WHERE a.grantee = 0) AS before) AS is_public
      WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f'
      GROUP BY p.proname HAVING bool_or(before) AND NOT bool_or(now)""",
    "default": """SELECT d.defaclrole::regrole || ' ' || coalesce(d.defaclnamespace::regnamespace::text, 'everywhere') || ' ' || d.defaclobjtype::text || ': '
      || d.defaclacl::text FROM pg_default_acl d""",
}  # fmt: skip


def held(connection: psycopg.Connection[Any], database: str) -> list[str]:
    """The whole matrix, one right a line; the database's name is `<db>`. Connection of a superuser."""
    lines = [f"read on PostgreSQL and PostGIS {versions(connection)}"]
    for what, query in _QUERIES.items():
        rows = connection.execute(query.format(ours=_OURS).encode()).fetchall()
        lines += sorted({f"{what}: {row[0]}".replace(f"{database}_", "<db>_") for row in rows})
    return lines


def find_surplus(town: Town) -> list[str]:
    """Rights held that are not in the snapshot, and rights of the snapshot that are not held."""
    wanted = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    with town.superuser() as connection:
        found = held(connection, town.database)
        exists = {
            name for (name,) in connection.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace").fetchall()
        }
    if found[0] != wanted[0]:  # another version has other catalogue functions: more may be taken, and those there are not need not be
        wanted = [line for line in wanted if "taken from PUBLIC: " not in line or line.rpartition(" ")[2] in exists]
        found = [line for line in found if "taken from PUBLIC: " not in line or line in wanted]
    surplus = [f"holds more: {line}" for line in found[1:] if line not in set(wanted)]
    return surplus + [f"holds less: {line}" for line in wanted[1:] if line not in set(found)]


def versions(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(
        "SELECT current_setting('server_version_num')::int / 10000, extversion FROM pg_extension WHERE extname = 'postgis'"
    ).fetchone()
    assert row is not None
    return f"{row[0]} {'.'.join(row[1].split('.')[:2])}"


def fresh_town() -> Iterator[Town]:
    from tests.conftest import POLICIES, _home
    from tests.towns import make_template
    from twin_api.store.embedded import Cluster
    from twin_api.store.secrets import Secrets

    cluster = Cluster(_home(), Secrets(_home() / "secrets"))
    cluster.ensure_running()
    make_template(cluster)
    with tempfile.TemporaryDirectory() as folder:
        town = Town(cluster, Path(folder), POLICIES)
        town.settle(rows=False)
        yield town
        town.raze()


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"{__doc__}")
    for town in fresh_town():
        with town.superuser() as connection:
            SNAPSHOT.write_text("\n".join(held(connection, town.database)) + "\n", encoding="utf-8")
