"""Whether what PostgreSQL and PostGIS hand to everybody is taken back, also what came since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.policy.finding import listed
from twin_api.publish.hardening import HardeningUnknown, readable_functions, still_public
from twin_api.publish.migrate import BASE_LOGINS
from twin_api.publish.statement import quoted as sql_name
from twin_api.texts import Text

_KINDS: Final = {
    "database": Text("Rechte an der Datenbank", "rights on the database"),
    "schema": Text("Schemata", "schemas"),
    "language": Text("Sprachen", "languages"),
    "function": Text("Funktionen von PostGIS", "functions of PostGIS"),
    "relation": Text("Tabellen von PostGIS", "tables of PostGIS"),
    "catalogue function": Text("Funktionen des Katalogs", "functions of the catalogue"),
    "column": Text("Quelltexte von Funktionen", "source texts of functions"),
}
_EXECUTABLE: Final = """
    SELECT r.rolname::text, p.oid::regprocedure::text, p.pronamespace::regnamespace::text, p.proname::text
    FROM pg_proc p, aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner AND r.rolname = ANY (%s) ORDER BY 1, 2"""
_OPEN: Final = """
    SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace::regnamespace::text = ANY (%s)
    AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0) ORDER BY 1"""
_LARGE: Final = """
    SELECT o.oid, coalesce(r.rolname, 'PUBLIC')::text, a.privilege_type FROM pg_largeobject_metadata o, aclexplode(o.lomacl) a
    LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee = 0 OR r.rolname = ANY (%s) ORDER BY 1, 2"""
SHOWN: Final = 6


def look(patient: Patient) -> Iterator[Finding]:
    connection = patient.administrator
    twins = [name for name, suffix in patient.logins.items() if suffix not in BASE_LOGINS]
    try:
        held = still_public(connection)
    except HardeningUnknown:
        yield fault(
            Text("`control.harden()` fehlt oder ist nicht vom Verwalter", "`control.harden()` is missing, or not the administrator's"),
            Text("was jedem offen steht, ist nicht festzustellen", "what is open to everybody cannot be told"),
            "twin migrate",
        )
        return
    for kind, rights in groupby(held, key=lambda right: right.kind):
        yield _public(_KINDS[kind], [right.name for right in rights], patient.is_superuser)
    yield from _callable(patient, twins)
    yield from _large_objects(connection, twins)


def callable_functions(connection: Connection, logins: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Login, function with its arguments, schema and bare name, of whatever was granted to these logins by name."""
    return connection.execute(_EXECUTABLE, [list(logins)]).fetchall()


def _callable(patient: Patient, twins: list[str]) -> Iterator[Finding]:
    connection = patient.administrator
    reading = readable_functions(connection)
    for login, function, schema, name in callable_functions(connection, twins):
        if schema != "postgis" or name not in reading:
            yield fault(
                Text(f"{named(login)} darf {named(function)} ausführen", f"{named(login)} may execute {named(function)}"),
                Text(
                    "ein Zwilling ruft nur, was seine Abfragen brauchen; anderes kann rechnen, warten, verraten",
                    "a twin calls what its queries need; other functions may compute, wait, betray",
                ),
                f"REVOKE EXECUTE ON FUNCTION {function} FROM {sql_name(login)};",
            )
    for (function,) in connection.execute(_OPEN, [["store", "published", "control", *patient.twins]]).fetchall():
        yield fault(
            Text(f"jeder darf {named(function)} ausführen", f"everybody may execute {named(function)}"),
            Text("sie kann mit den Rechten ihres Eigentümers laufen", "it may run with its owner's rights"),
            f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC;",
        )


def _large_objects(connection: Connection, twins: list[str]) -> Iterator[Finding]:
    for oid, grantee, privilege in connection.execute(_LARGE, [twins]).fetchall():
        yield fault(
            Text(f"das große Objekt {oid} steht {named(grantee)} offen", f"the large object {oid} is open to {named(grantee)}"),
            Text("es steht neben allen Richtlinien", "it stands beside all policies"),
            f"REVOKE {privilege} ON LARGE OBJECT {oid} FROM {grantee if grantee == 'PUBLIC' else sql_name(grantee)};",
        )


def _public(kind: Text, names: list[str], is_superuser: bool) -> Finding:
    what = Text(
        f"jeder hat noch {len(names)} {kind.de}: {listed(names, SHOWN)}",
        f"everybody still holds {len(names)} {kind.en}: {listed(names, SHOWN)}",
    )
    why = Text(
        "wer in irgendeinem Zwilling SQL einschleust, erfährt Größen, Namen oder Statistik der anderen",
        "whoever injects SQL in any twin learns sizes, names or statistics of the others",
    )
    if is_superuser:
        return fault(what, why, "twin migrate")
    return warning(
        what,
        why,
        Text(
            "der Verwalter kann es nicht; ein Superuser ruft in dieser Datenbank: SELECT control.harden();",
            "the administrator cannot; a superuser calls in this database: SELECT control.harden();",
        ),
    )


CHECK = Check(
    "hardening",
    Text("Härtung: niemand ruft, was er nicht braucht", "Hardening: nobody calls what is not needed"),
    Text(
        "was PUBLIC an Datenbank, Schemata, Sprachen, Funktionen hält, auch seit einer neuen Fassung von PostGIS; was Zwillinge aufrufen",
        "what PUBLIC holds of database, schemas, languages and functions, also since a new version of PostGIS; what twins call",
    ),
    look,
)
