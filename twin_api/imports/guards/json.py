"""What JSON lets a writer say and a reader passes over in silence: a name given twice, a NUL, half a character, no end of columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

import orjson

from twin_api.imports.finding import Finding, Findings, refuse
from twin_api.imports.places.crs_names import leads_elsewhere
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MEMBER_BYTES: Final = 64 * 1024 * 1024  # of one feature: a million corners, generously written
COLUMNS: Final = 1_000
STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
REMEDY: Final = Text("das Objekt neu ausgeben lassen", "export the feature again")


class NameTwice(Exception):
    """An object has two members of this name."""


class MemberCheck:
    """Looks at each feature's text and adds to the findings what would change or vanish on the way through a reader."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._columns: set[str] = set()
        self.seen = 0

    def look(self, octets: bytes) -> None:
        """One feature, an object, as it stands in the file."""
        self.seen += 1
        try:
            member = orjson.loads(octets)
            names = _names(member)
        except (orjson.JSONDecodeError, RecursionError):
            self._look_closely(octets)
            return
        self._note_columns(member)
        self._check_system(octets, member)
        if (octets.count(b":") != names and STRINGS.sub(b"", octets).count(b":") != names) or b"\\u0000" in octets:
            self._look_closely(octets)

    def _look_closely(self, octets: bytes) -> None:
        """By the slow parser, which hands over every name, NaN and half characters as well."""
        try:
            text = octets.decode()
            member = json.loads(text, object_pairs_hook=_unique)
        except NameTwice as twice:
            name = str(twice)
            self._report(Text(f"{quoted(name)} kommt zweimal vor", f"{quoted(name)} is there twice"))
        except (ValueError, RecursionError):
            return  # no JSON at all: its reader says where
        else:
            self._note_columns(member)
            self._check_system(octets, member)
            if any(_is_odd(text) for text in _texts(member)):
                self._report(Text("ein Text mit NUL oder einem halben Zeichen", "a text with NUL or half a character"))

    def _check_system(self, octets: bytes, member: dict[str, Any]) -> None:
        """A coordinate system of one feature, or of its geometry, is not in RFC 7946, but readers know it."""
        if b"crs" in octets:
            geometry = member.get("geometry")
            check_system(member.get("crs"))
            check_system(geometry.get("crs") if isinstance(geometry, dict) else None)

    def _note_columns(self, member: dict[str, Any]) -> None:
        properties = member.get("properties")
        if isinstance(properties, dict) and not properties.keys() <= self._columns:
            self._columns |= properties.keys()
            if len(self._columns) > COLUMNS:
                what = Text(
                    f"die Objekte haben zusammen mehr als {COLUMNS} Spalten", f"the features have more than {COLUMNS} columns in all"
                )
                raise refuse(what, Text("nur die nötigen ausgeben", "export only those that are needed"))

    def _report(self, what: Text) -> None:
        self._findings.add(Finding(what, REMEDY, self.seen))


def check_system(crs: Any) -> None:
    """Raises `FileRefused` unless the member `crs` is a name (GeoJSON 2008): a reader fetches what it takes for an address."""
    if crs is None:
        return
    names = list(_texts(crs)) if isinstance(crs, dict) else []
    if not names or crs.get("type") == "link" or any(leads_elsewhere(name) for name in names):
        raise refuse(
            Text("das Koordinatensystem ist eine Adresse oder ein Pfad statt eines Namens",
                 "the coordinate reference system is an address or a path instead of a name"),
            Text("einen Namen wie `urn:ogc:def:crs:EPSG::25832`", "a name such as `urn:ogc:def:crs:EPSG::25832`"),
        )  # fmt: skip


def _names(thing: dict[str, Any]) -> int:
    """How many names the objects hold that do not stand in a list."""
    count = len(thing)
    for value in thing.values():
        if type(value) is dict:  # twice as fast as `isinstance`, and this is asked of every value of a file
            count += _names(value)
    return count


def _texts(member: Any) -> Iterable[str]:
    """Every text and every name."""
    things = [member]
    while things:
        thing = things.pop()
        if isinstance(thing, str):
            yield thing
        elif isinstance(thing, dict):
            things += [*thing, *thing.values()]
        elif isinstance(thing, list):
            things += thing


def _is_odd(text: str) -> bool:
    return "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, value in pairs:
        if name in names:
            raise NameTwice(name)
        names[name] = value
    return names
