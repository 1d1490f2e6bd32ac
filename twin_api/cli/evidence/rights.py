"""Who holds what in the database: every grant by login and relation, functions, attributes and limits of logins, hardening, drift.

Names of the town's database are left out, so that two towns with the same policies compare.
"""

from __future__ import annotations

from typing import Any, Final

from twin_api.cli.doctor.check import Examined, examine
from twin_api.cli.doctor.checks import CHECKS
from twin_api.cli.doctor.checks.grants import Right, rights_held
from twin_api.cli.doctor.checks.hardening import callable_functions
from twin_api.cli.doctor.checks.logins import ATTRIBUTES, logins_as_made, memberships
from twin_api.cli.doctor.checks.server import WISHES, setting_of
from twin_api.cli.doctor.patient import Patient
from twin_api.publish.drift import find_drift
from twin_api.publish.hardening import still_public

DECISIVE: Final = ("logins", "grants", "hardening")  # a fault of these contradicts what is promised
RETOLD: Final = ("migrations", "policies", "upkeep", *DECISIVE)  # their words name relations and logins; others may name paths or hosts
CHECKED: Final = (*RETOLD, "neighbours", "server", "secrets", "deadlines")  # not how the machine fares at this moment


def tell_rights(patient: Patient) -> dict[str, Any]:
    """By login, without the database's name: relation -> privileges, functions; and what everybody still holds."""
    logins = patient.logins
    grants: dict[str, dict[str, list[str]]] = {}
    for right in sorted(rights_held(patient.administrator), key=repr):
        if right.grantee in logins or right.schema in {"store", "published", "control", *patient.twins}:
            held = grants.setdefault(logins.get(right.grantee, right.grantee), {})
            held.setdefault(_what(right), []).append(_privilege(right))
    return {
        "grants": grants,
        "functions": _functions(patient),
        "logins": {logins[name]: _login(row) for name, row in logins_as_made(patient).items()},
        "members": [[logins.get(name, name) for name in pair] for pair in memberships(patient)],
        "everybody_still_holds": [f"{held.kind} {held.name}" for held in still_public(patient.administrator)],
    }


def tell_hardening(patient: Patient) -> dict[str, Any]:
    """The server's settings that durability and a silent log rest on."""
    return {wish.name: {"is": setting_of(patient.administrator, wish.name), "recommended": wish.good} for wish in WISHES}


def tell_drift(patient: Patient) -> dict[str, Any]:
    """For each published table how many rows differ from what its definition yields on the store at this moment."""
    found = find_drift(patient.owner)
    tables = {
        f"{entry.layer} {entry.relation}": {
            "missing": entry.missing, "surplus": entry.surplus, "triggers_off": entry.triggers_off, "figures_wrong": entry.figures_wrong,
        }
        for entry in found
    }  # fmt: skip
    return {"tables": tables, "differing": sum(map(bool, found))}


def tell_doctor(patient: Patient) -> dict[str, Any]:
    """How each check of `twin doctor` ends that looks at policies and rights; `drift` has a file of its own."""
    return {check.name: _outcome(examine(check, patient)) for check in CHECKS if check.name in CHECKED}


def _outcome(examined: Examined) -> dict[str, Any]:
    told = examined.as_json()
    findings = [finding for finding in told["findings"] if finding["severity"] != "note"]
    retold = {"findings": [finding["what"]["de"] for finding in findings]} if told["name"] in RETOLD else {}
    return {"outcome": told["outcome"], "complaints": len(findings), **retold}


def _what(right: Right) -> str:
    return f"{right.kind.lower()} {right.schema}" + (f".{right.relation}" if right.relation else "")


def _privilege(right: Right) -> str:
    return f"{right.privilege} ({right.column})" if right.column else right.privilege


def _functions(patient: Patient) -> dict[str, dict[str, Any]]:
    """Without the owner's: he holds all of PostGIS, and serves nobody."""
    logins = {name: suffix for name, suffix in patient.logins.items() if suffix != "owner"}
    held: dict[str, list[str]] = {suffix: [] for suffix in logins.values()}
    for login, function, _, _ in callable_functions(patient.administrator, tuple(logins)):
        held[logins[login]].append(function)
    return {suffix: {"count": len(functions), "list": functions} for suffix, functions in held.items()}


def _login(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "attributes": [word for column, word in ATTRIBUTES.items() if row[column]],
        "can_log_in": row["rolcanlogin"],
        "connections": row["rolconnlimit"],
        "settings": sorted(row["settings"]),
    }
