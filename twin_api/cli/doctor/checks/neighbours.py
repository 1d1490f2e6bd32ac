"""Whether this town's logins stay in its database, and nobody else's come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named, warning
from twin_api.cli.doctor.patient import Patient
from twin_api.policy.finding import listed
from twin_api.publish.statement import quoted as sql_name
from twin_api.texts import Text

_OPEN: Final = """
    SELECT d.datname::text FROM pg_database d WHERE d.datallowconn AND d.datname <> current_database() AND EXISTS (
      SELECT FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT')
    ORDER BY 1"""
_OUT: Final = """
    SELECT r.rolname::text, d.datname::text FROM pg_database d, aclexplode(d.datacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE d.datname <> current_database() AND a.privilege_type = 'CONNECT' AND r.rolname = ANY (%s) ORDER BY 1, 2"""
_IN: Final = """
    SELECT r.rolname::text FROM pg_database d, aclexplode(d.datacl) a JOIN pg_roles r ON r.oid = a.grantee
    WHERE d.datname = current_database() AND a.grantee <> d.datdba AND r.rolname <> current_user AND NOT r.rolsuper
    AND r.rolname <> ALL (%s) GROUP BY 1 ORDER BY 1"""


def look(patient: Patient) -> Iterator[Finding]:
    connection, ours = patient.administrator, list(patient.logins)
    for (login,) in connection.execute(_IN, [ours]).fetchall():
        yield fault(
            Text(
                f"{named(login)} gehört nicht zu dieser Stadt und darf in ihre Datenbank",
                f"{named(login)} is none of this town and may enter its database",
            ),
            Text(
                "von innen sind Namen, Größen und Aktivität aller Zwillinge zu sehen",
                "from inside the names, sizes and activity of all twins can be seen",
            ),
            f"REVOKE ALL ON DATABASE {sql_name(patient.database)} FROM {sql_name(login)};",
        )
    for login, database in connection.execute(_OUT, [ours]).fetchall():
        yield fault(
            Text(f"{named(login)} darf in die Datenbank {named(database)}", f"{named(login)} may enter the database {named(database)}"),
            Text("dort gilt keine unserer Härtungen", "none of our hardening holds there"),
            f"REVOKE ALL ON DATABASE {sql_name(database)} FROM {sql_name(login)};",
        )
    opened = [database for (database,) in connection.execute(_OPEN).fetchall()]
    if opened:
        yield warning(
            Text(
                f"jede Anmeldung darf in andere Datenbanken: {listed(opened)}", f"every login may enter other databases: {listed(opened)}"
            ),
            Text(
                "von dort sind Größen und Aktivität aller Datenbanken zu sehen",
                "from there the sizes and activity of all databases can be seen",
            ),
            " ".join(f"REVOKE CONNECT ON DATABASE {sql_name(database)} FROM PUBLIC;" for database in opened[:10]),
        )


CHECK = Check(
    "neighbours",
    Text("Nachbarn: keine Anmeldung geht in eine andere Datenbank", "Neighbours: no login enters another database"),
    Text(
        "wer in diese Datenbank darf, und in welche andere ihre Anmeldungen dürfen",
        "who may enter this database, and which others its logins may enter",
    ),
    look,
)
