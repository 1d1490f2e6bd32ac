"""Whether every role holds what it was granted, and nobody holds anything else of this town's tables and schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.publish.statement import quoted as sql_name
from twin_api.texts import Text

_HELD: Final = """
    WITH visible AS (SELECT * FROM pg_namespace WHERE nspname !~ '^(pg_.*|information_schema)$')
    SELECT 'SCHEMA', n.nspname::text, NULL, NULL, coalesce(r.rolname, 'PUBLIC')::text, a.privilege_type
    FROM visible n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> n.nspowner
    UNION ALL SELECT 'TABLE', n.nspname, c.relname, NULL, coalesce(r.rolname, 'PUBLIC'), a.privilege_type
    FROM pg_class c JOIN visible n ON n.oid = c.relnamespace,
      aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
      LEFT JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> c.relowner AND c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p')
    UNION ALL SELECT 'COLUMN', n.nspname, c.relname, t.attname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type
    FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN visible n ON n.oid = c.relnamespace,
      aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> c.relowner"""
_WITHHELD: Final = """
    SELECT 'USAGE ON SCHEMA ' || quote_ident(%(schema)s), %(schema)s
    WHERE NOT has_schema_privilege(%(login)s, to_regnamespace(quote_ident(%(schema)s)), 'USAGE')
    UNION ALL SELECT 'SELECT ON ' || c.oid::regclass::text, c.oid::regclass::text FROM pg_class c
    WHERE c.relnamespace = to_regnamespace(quote_ident(%(schema)s)) AND c.relkind IN ('r', 'v')
    AND NOT has_table_privilege(%(login)s, c.oid, 'SELECT')"""
_STRANGE_OWNERS: Final = """
    SELECT 'TABLE', c.oid::regclass::text, c.relowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (%(schemas)s) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') AND c.relowner <> to_regrole(%(owner)s)
    UNION ALL SELECT 'SCHEMA', quote_ident(n.nspname), n.nspowner::regrole::text FROM pg_namespace n
    WHERE n.nspname = ANY (%(schemas)s) AND n.nspowner <> to_regrole(%(owner)s) ORDER BY 2"""
ADMINISTRATORS: Final = frozenset({"control", "control.alembic_version", "control.was_public"})
BASE: Final = frozenset(
    {
        ("owner", "SCHEMA", "postgis", None, "USAGE"),
        ("owner", "SCHEMA", "control", None, "USAGE"),
        ("writer", "SCHEMA", "postgis", None, "USAGE"),
        ("writer", "SCHEMA", "store", None, "USAGE"),
        ("audit", "SCHEMA", "control", None, "USAGE"),
        ("control", "SCHEMA", "control", None, "USAGE"),
        ("audit", "COLUMN", "control", "audit", "INSERT"),
        ("control", "COLUMN", "control", "audit", "INSERT"),
        ("control", "TABLE", "control", "token", "SELECT"),
        ("control", "COLUMN", "control", "token", "UPDATE"),
    }
)


class Right(NamedTuple):
    kind: str
    schema: str
    relation: str | None
    column: str | None
    grantee: str
    privilege: str

    @property
    def revoke(self) -> str:
        who = self.grantee if self.grantee == "PUBLIC" else sql_name(self.grantee)
        if self.relation is None:
            return f"REVOKE {self.privilege} ON SCHEMA {sql_name(self.schema)} FROM {who};"
        what = self.privilege if self.column is None else f"{self.privilege} ({sql_name(self.column)})"
        return f"REVOKE {what} ON {sql_name(self.schema, self.relation)} FROM {who};"


def rights_held(connection: Connection) -> list[Right]:
    """Whatever anybody holds of schemas, tables, views and columns that is not his own."""
    return [Right(*row) for row in connection.execute(_HELD).fetchall()]


def look(patient: Patient) -> Iterator[Finding]:
    connection, twins = patient.administrator, set(patient.twins)
    rights = rights_held(connection)
    ours = {"store", "published", "control", "postgis", *twins}
    for right in rights:
        suffix = patient.logins.get(right.grantee)
        if (right.schema in ours or suffix is not None) and not _is_due(right, suffix, twins) and not _is_hardening(right):
            yield _surplus(right)
    for schema in sorted(twins & set(patient.logins.values())):
        yield from _withheld(patient, schema)
    yield from _owners(patient, ours - {"postgis"})


def _withheld(patient: Patient, schema: str) -> Iterator[Finding]:
    login = f"{patient.database}_{schema}"
    for right, what in patient.administrator.execute(_WITHHELD, {"schema": schema, "login": login}).fetchall():
        yield fault(
            Text(f"{named(schema)} darf {named(what)} nicht lesen", f"{named(schema)} may not read {named(what)}"),
            Text("der Zwilling antwortet dort nicht", "the twin does not answer there"),
            f"GRANT {right} TO {sql_name(login)};",
        )


def _owners(patient: Patient, schemas: set[str]) -> Iterator[Finding]:
    owner = f"{patient.database}_owner"
    for kind, what, held_by in patient.administrator.execute(_STRANGE_OWNERS, {"schemas": sorted(schemas), "owner": owner}).fetchall():
        if what not in ADMINISTRATORS:
            yield fault(
                Text(f"{named(what)} gehört {named(held_by)}", f"{named(what)} belongs to {named(held_by)}"),
                Text("wem etwas gehört, der darf damit alles", "whoever owns a thing may do anything with it"),
                f"ALTER {kind} {what} OWNER TO {sql_name(owner)};",
            )


def _is_due(right: Right, suffix: str | None, twins: set[str]) -> bool:
    if suffix is None:
        return False
    if suffix in twins or suffix.endswith("_preview"):
        own = right.schema == suffix
        enters = (right.kind, right.privilege) == ("SCHEMA", "USAGE") and (own or right.schema == "postgis")
        transforms = (right.schema, right.relation) == ("postgis", "spatial_ref_sys")  # what PostGIS knows of CRS, nothing of a town
        return enters or ((own or transforms) and (right.kind, right.privilege) == ("TABLE", "SELECT"))
    if suffix == "writer" and right.schema == "store":
        return right.privilege in (("UPDATE",) if right.kind == "COLUMN" else ("SELECT", "INSERT", "DELETE", "USAGE"))
    if suffix == "owner" and right.schema == "postgis":
        return right.privilege in ("SELECT", "USAGE")
    return (suffix, right.kind, right.schema, right.relation, right.privilege) in BASE


def _is_hardening(right: Right) -> bool:
    """What PUBLIC holds of PostGIS is told by the check of what PUBLIC holds."""
    return right.schema == "postgis" and right.grantee == "PUBLIC"


def _surplus(right: Right) -> Finding:
    where = ".".join(part for part in (right.schema, right.relation, right.column) if part)
    return fault(
        Text(
            f"{named(right.grantee)} hat {right.privilege} auf {named(where)}",
            f"{named(right.grantee)} holds {right.privilege} on {named(where)}",
        ),
        Text(
            "das hat niemand so gewährt: was dort steht, sieht oder ändert, wer es nicht soll",
            "nobody granted it so: what stands there is seen or changed by whoever should not",
        ),
        right.revoke,
    )


CHECK = Check(
    "grants",
    Text("Rechte: jede Rolle liest ihr Schema und sonst nichts", "Grants: each role reads its schema and nothing else"),
    Text(
        "Rechte aller an Schemata, Tabellen, Sichten, Spalten; wem sie gehören",
        "everybody's rights on schemas, tables, views, columns; whose these are",
    ),
    look,
)
