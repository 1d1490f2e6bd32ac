"""`town.yaml`: the town, its departments, and key 1: who may see a class at most.

Must never let a file define `unreviewed`: that class belongs to the house, and nobody sees it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo

from twin_api.policy.crs import check_epsg, unit_of
from twin_api.policy.documents import Place, SensitivityClass, Town
from twin_api.policy.extent import extent_in
from twin_api.policy.fields import Fields, flag_of, items_of, many_of, one_of, table_of, text_of, title_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.names import check_name
from twin_api.policy.yaml_file import Node, Scalar, Table
from twin_api.texts import LANGUAGES, Text

UNREVIEWED: Final = "unreviewed"
ROLE_FILES: Final = ("citizen", "council", "administration")
ROLES_WITH_PARTS: Final = ("council", "administration")
PAGES: Final = ("imprint", "privacy", "accessibility")

DEPARTMENT: Final = Text("ein Amt", "department")
CLASS: Final = Text("eine Klasse", "class")
LANGUAGE: Final = Text("eine Sprache", "language")
THEME: Final = Text("ein Thema", "theme")


def read_town(node: Node, findings: Findings) -> Town:
    """The town, with stand-ins where something is wrong, so that the other files can be read on."""
    fields = Fields(node, findings, ("town", "pages", "departments", "classes"), ("themes",))
    town = fields.part("town", ("name", "ags", "epsg", "languages"), ("time_zone", "extent"))
    epsg = town.get("epsg", check_epsg, 0)
    no_departments: Mapping[str, str] = {}
    departments = fields.get("departments", _departments, no_departments)
    return Town(
        name=town.get("name", text_of, ""),
        ags=town.get("ags", _ags, ""),
        epsg=epsg,
        languages=town.get("languages", _languages, ("de",)),
        pages=fields.get("pages", _pages, {}),
        departments=departments,
        classes=_classes(fields.node("classes"), departments, findings),
        time_zone=town.get("time_zone", _time_zone, "Europe/Berlin"),
        themes=fields.get("themes", _themes, {}),
        extent=town.get("extent", extent_in(epsg if unit_of(epsg) else 0), None),
    )


def _ags(node: Node, findings: Findings) -> str:
    ags = text_of(node, findings)
    if ags and not re.fullmatch(r"[0-9]{8}", ags):
        what = Text(f"{quoted(ags)} ist kein Gemeindeschlüssel", f"{quoted(ags)} is not a municipality key (AGS)")
        findings.add(node.place, what, Text('acht Ziffern in Anführungszeichen, etwa `"09572999"`', 'eight digits in quotes, `"09572999"`'))
    return ags


def _languages(node: Node, findings: Findings) -> tuple[str, ...]:
    languages = many_of(LANGUAGES, LANGUAGE)(node, findings)
    if languages and languages[0] != "de":
        what = Text("Deutsch ist die erste Sprache", "German is the first language")
        findings.add(node.place, what, Text("`[de]` oder `[de, en]` schreiben", "write `[de]` or `[de, en]`"))
    return languages


def _pages(node: Node, findings: Findings) -> Mapping[str, str]:
    fields = Fields(node, findings, optional=PAGES)
    return {page: fields.get(page, _address, "") for page in PAGES if page in fields}


def _address(node: Node, findings: Findings) -> str:
    address = text_of(node, findings)
    if address and not re.fullmatch(r"https://[^\s<>\"]+", address):
        what = Text(f"{quoted(address)} ist keine sichere Webadresse", f"{quoted(address)} is not a secure web address")
        findings.add(node.place, what, Text("mit `https://` beginnen", "begin it with `https://`"))
    return address


def _departments(node: Node, findings: Findings) -> Mapping[str, str]:
    table = table_of(node, findings)
    for name, place in table.places.items():
        check_name(name, place, findings)
    return {name: text_of(title, findings) for name, title in table.entries.items()}


def _themes(node: Node, findings: Findings) -> Mapping[str, Text]:
    table = table_of(node, findings)
    for name, place in table.places.items():
        check_name(name, place, findings)
    return {name: title_of(title, findings) for name, title in table.entries.items()}


def _time_zone(node: Node, findings: Findings) -> str:
    name = text_of(node, findings)
    try:
        if name:
            ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        what = Text(f"{quoted(name)} ist keine Zeitzone", f"{quoted(name)} is not a time zone")
        findings.add(node.place, what, Text("etwa `Europe/Berlin` schreiben", "write `Europe/Berlin`, for example"))
    return name


def _classes(node: Node | None, departments: Mapping[str, str], findings: Findings) -> Mapping[str, SensitivityClass]:
    classes = {}
    table = table_of(node, findings) if node is not None else Table({}, {}, Place("", 1))
    for name, entry in table.entries.items():
        place = table.places[name]
        check_name(name, place, findings)
        if name == UNREVIEWED:
            what = Text(
                "die Klasse `unreviewed` ist fest eingebaut; niemand sieht sie", "the class `unreviewed` is built in; nobody sees it"
            )
            findings.add(place, what, Text("den Eintrag löschen", "delete the entry"))
        classes[name] = _class(name, entry, place, departments, findings)
    title, ground = "Ungeprüft", "Noch nicht eingestuft: niemand sieht es, und keine Freigabe hebt das auf."
    return {**classes, UNREVIEWED: SensitivityClass(UNREVIEWED, title, ground, ())}


def _class(name: str, node: Node, place: Place, departments: Mapping[str, str], findings: Findings) -> SensitivityClass:
    fields = Fields(node, findings, ("title", "ground", "seen_by"), ("audited",), place=place)
    seen_by = fields.node("seen_by")
    patterns = () if seen_by is None else tuple(_pattern(item, departments, findings) for item in items_of(seen_by, findings))
    audited = fields.get("audited", flag_of, False)
    return SensitivityClass(name, fields.get("title", text_of, ""), fields.get("ground", text_of, ""), patterns, audited)


def _pattern(node: Node, departments: Mapping[str, str], findings: Findings) -> str:
    """A role name, a part's name, or `role/*` for all parts of a role (which is not the role itself)."""
    pattern = text_of(node, findings)
    role, slash, part = pattern.partition("/")
    if not pattern:
        return ""
    if role not in ROLE_FILES:
        findings.unknown(node.place, Text("eine Rolle", "role"), role, ROLE_FILES)
    elif slash and role not in ROLES_WITH_PARTS:
        what = Text(f"die Rolle {quoted(role)} hat keine Teile", f"the role {quoted(role)} has no parts")
        findings.add(node.place, what, Text(f"{quoted(role)} schreiben", f"write {quoted(role)}"))
    elif slash and part != "*" and role == "administration":
        one_of(departments, DEPARTMENT)(Scalar(part, node.place), findings)
    elif slash and part != "*":
        check_name(part, node.place, findings)
    return pattern
