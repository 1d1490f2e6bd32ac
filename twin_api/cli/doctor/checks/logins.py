"""Whether every login of this town is what it was made as: no rights over the server, no membership, its limits as set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from psycopg.rows import dict_row

from twin_api.cli.doctor.check import Check
from twin_api.cli.doctor.finding import Finding, fault, named, warning
from twin_api.cli.doctor.patient import Connection, Patient
from twin_api.policy.finding import listed
from twin_api.publish.migrate import BASE_LOGINS
from twin_api.publish.statement import quoted as sql_name
from twin_api.texts import Text

ATTRIBUTES: Final = {
    "rolsuper": "SUPERUSER",
    "rolinherit": "INHERIT",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
    "rolbypassrls": "BYPASSRLS",
}
_LOGINS: Final = """
    SELECT r.*, shobj_description(r.oid, 'pg_authid') AS mark,
      (SELECT coalesce(array_agg(s), '{}') FROM pg_db_role_setting d, unnest(d.setconfig) s WHERE d.setrole = r.oid) AS settings
    FROM pg_roles r WHERE r.rolname = ANY (%s) ORDER BY r.rolname"""
_MEMBERS: Final = """
    SELECT m.rolname, g.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
    WHERE m.rolname <> current_user AND (m.rolname = ANY (%(ours)s) OR g.rolname = ANY (%(ours)s)) ORDER BY 1, 2"""
_SETTING: Final = re.compile(r"ALTER ROLE %I SET (\w+) = (?:''([^']*)''|(\w+))'")
_OVER = Text(
    "wer sie übernimmt, ist nicht mehr auf seinen Zwilling beschränkt", "whoever takes it over is not confined to its twin any more"
)


def logins_as_made(patient: Patient) -> dict[str, dict[str, Any]]:
    """The catalogue's row of each login of this town, with its settings, by name."""
    cursor = patient.administrator.cursor(row_factory=dict_row)
    return {row["rolname"]: row for row in cursor.execute(_LOGINS, [list(patient.logins)]).fetchall()}


def memberships(patient: Patient) -> list[tuple[str, str]]:
    """Member and group, where either is a login of this town."""
    return patient.administrator.execute(_MEMBERS, {"ours": list(patient.logins)}).fetchall()


def look(patient: Patient) -> Iterator[Finding]:
    connection = patient.administrator
    logins = logins_as_made(patient)
    wanted = {f"{patient.database}_{suffix}" for suffix in (*BASE_LOGINS, *patient.twins)}
    yield from _roll(patient, set(logins), wanted)
    settings = _wanted_settings(connection)
    for name, login in logins.items():
        yield from _attributes(name, login)
        if not login["mark"].startswith("twin-api base "):
            yield from _limits(name, login, settings, patient.is_superuser)
    for member, group in memberships(patient):
        yield fault(
            Text(f"{named(member)} ist Mitglied von {named(group)}", f"{named(member)} is a member of {named(group)}"),
            Text("ein Mitglied erbt oder nimmt sich die Rechte der Gruppe", "a member has or takes the rights of the group"),
            f"REVOKE {sql_name(group)} FROM {sql_name(member)};",
        )


def _roll(patient: Patient, found: set[str], wanted: set[str]) -> Iterator[Finding]:
    for name in sorted(wanted - found):
        base = name.removeprefix(f"{patient.database}_") in BASE_LOGINS
        yield fault(
            Text(f"{named(name)} fehlt oder ist keine Anmeldung dieser Stadt", f"{named(name)} is missing, or no login of this town"),
            Text("ihr Zwilling antwortet nicht", "its twin does not answer"),
            "twin migrate" if base else "twin policy apply",
        )
    for name in sorted(found - wanted):
        preview = name.endswith("_preview")
        yield (warning if preview else fault)(
            Text(f"{named(name)} gehört zu keiner Rolle mehr", f"{named(name)} belongs to no role any more"),
            Text("eine vergessene Anmeldung überwacht niemand", "nobody watches a forgotten login"),
            f"SELECT control.drop_login('{name.removeprefix(patient.database + '_')}');",
        )


def _attributes(name: str, login: Mapping[str, Any]) -> Iterator[Finding]:
    held = [word for column, word in ATTRIBUTES.items() if login[column]]
    if held:
        yield fault(
            Text(f"{named(name)} ist {', '.join(held)}", f"{named(name)} is {', '.join(held)}"),
            _OVER,
            f"ALTER ROLE {sql_name(name)} {' '.join(f'NO{word}' for word in held)};",
        )
    if not login["rolcanlogin"]:
        yield fault(
            Text(f"{named(name)} darf sich nicht anmelden", f"{named(name)} may not log in"),
            Text("was sie bedient, steht still", "what it serves stands still"),
            f"ALTER ROLE {sql_name(name)} LOGIN;",
        )


def _limits(name: str, login: Mapping[str, Any], wanted: Mapping[str, str], by_superuser: bool) -> Iterator[Finding]:
    found = dict(setting.split("=", 1) for setting in login["settings"])
    suffix = name.removeprefix(str(login["mark"]).removeprefix("twin-api ") + "_")
    wanted = {**wanted, "search_path": f"{suffix}, postgis"}
    differing = sorted(key for key in {*wanted, *found} if _plain(found.get(key)) != _plain(wanted.get(key)))
    if not by_superuser and differing == ["temp_file_limit"] and "temp_file_limit" not in found:
        yield warning(
            Text(f"{named(name)} darf unbegrenzt Platten belegen", f"{named(name)} may fill the disk"),
            Text("nur ein Superuser kann das begrenzen", "only a superuser can limit it"),
            f"ALTER ROLE \"{name}\" SET temp_file_limit = '{wanted['temp_file_limit']}';",
        )
    elif differing:
        yield fault(
            Text(f"{named(name)} hat andere Grenzen: {listed(differing)}", f"{named(name)} has other limits: {listed(differing)}"),
            Text(
                "eine Anfrage kann die Datenbank länger oder stärker belasten als gedacht",
                "a request may burden the database longer or more than meant",
            ),
            "twin policy apply",
        )
    if login["rolconnlimit"] < 0:
        yield fault(
            Text(f"{named(name)} darf beliebig viele Verbindungen öffnen", f"{named(name)} may open any number of connections"),
            Text("ein Zwilling kann alle anderen aussperren", "one twin can lock all others out"),
            f"ALTER ROLE {sql_name(name)} CONNECTION LIMIT 100;",
        )


def _wanted_settings(connection: Connection) -> dict[str, str]:
    """As the function that makes logins says: there is one place where the limits stand."""
    row = connection.execute("SELECT pg_get_functiondef(to_regprocedure('control.ensure_login(text,text)'))").fetchone()
    text = str(row[0]) if row else ""
    return {name: quoted_value or word for name, quoted_value, word in _SETTING.findall(text) if word != "I"}


def _plain(value: str | None) -> str | None:
    return None if value is None else value.replace('"', "")


CHECK = Check(
    "logins",
    Text("Anmeldungen: ohne Macht über den Server, mit ihren Grenzen", "Logins: without power over the server, within their limits"),
    Text(
        "Attribute, Mitgliedschaften und Grenzen jeder Anmeldung der Stadt", "attributes, memberships and limits of each login of the town"
    ),
    look,
)
