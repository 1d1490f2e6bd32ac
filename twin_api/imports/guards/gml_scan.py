"""A GML file looked through before its reader sees it: the reader makes 0 of `abc`, drops what it cannot parse, and stops at a torn end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from twin_api.imports.finding import Finding, Findings
from twin_api.imports.guards.xml import Guard
from twin_api.texts import Text

CHUNK: Final = 256 * 1024
NAMESPACES: Final = re.compile(rb"""xmlns(?::([\w.-]+))?\s*=\s*["']http://www\.opengis\.net/gml[/"']""")
SYSTEMS: Final = re.compile(rb"""\ssrsName\s*=\s*["']([^"'<>]{1,500})["']""")
EXTENTS: Final = re.compile(rb"<(?:[\w.-]+:)?(?:Envelope|Box)\s")
LIST: Final = rb"<(?:%s)(pos|posList|coordinates)(\s[^<>]*)?>([^<]*)(?=<)"
SIGNS: Final = b"0123456789+-.eE \t\r\n"
DECIMAL: Final = re.compile(rb"[\s\"']decimal\s*=\s*[\"'](.)[\"']")
SEPARATORS: Final = re.compile(rb"[,;]")


@dataclass(slots=True)
class Scan:
    """`systems` are the names of coordinate reference systems that geometries give, in their order; `extents` those of their extents."""

    systems: dict[str, None] = field(default_factory=dict)
    extents: dict[str, None] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    _prefixes: set[bytes] = field(default_factory=set)
    _lines: int = 1
    _open: bytes = b""

    def several_systems(self) -> list[str]:
        """The names, if they are not one: also if an extent speaks of another, since the reader takes that for the geometries, too."""
        codes = {_code(name) for name in self.systems}
        foreign = [name for name in self.extents if codes and _code(name) not in codes]
        return [*self.systems, *foreign] if foreign or len(self.systems) > 1 else []

    def read(self, path: Path) -> None:
        """One pass, memory flat. Raises `FileRefused` for what is no XML, or more than plain XML."""
        guard = Guard(path.name)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                guard.feed(chunk)
                self._feed(self._open + chunk)
        guard.close()

    def _feed(self, octets: bytes) -> None:
        """All elements but the last, which may not be complete: it is kept for the next time."""
        last = max(0, octets.rfind(b"<"))
        self._prefixes |= {prefix + b":" if prefix else b"" for prefix in NAMESPACES.findall(octets, 0, last)}
        for named in SYSTEMS.finditer(octets, 0, last):
            is_extent = EXTENTS.match(octets, octets.rfind(b"<", 0, named.start()))
            (self.extents if is_extent else self.systems)[named[1].decode(errors="replace")] = None
        for found in re.finditer(LIST % b"|".join(map(re.escape, self._prefixes)), octets[: last + 1]):
            if not _holds_numbers(found[1], found[2] or b"", found[3]):
                self._report(found[1].decode(), self._lines + octets.count(b"\n", 0, found.start()))
        self._lines += octets.count(b"\n", 0, last)
        self._open = octets[last:]

    def _report(self, element: str, line: int) -> None:
        """Without what stands there: the place of a thing may be nobody's business."""
        what = Text(f"Zeile {line}: in `gml:{element}` stehen keine Koordinaten", f"line {line}: `gml:{element}` holds no coordinates")
        remedy = Text("Zahlen mit Dezimalpunkt, durch Leerzeichen getrennt", "numbers with a decimal point, separated by spaces")
        self.findings.add(Finding(what, remedy))


def _code(name: str) -> str:
    return re.split(r"[:/#]", name.strip())[-1].casefold()


def _holds_numbers(element: bytes, attributes: bytes, text: bytes) -> bool:
    if element == b"coordinates":
        decimal = DECIMAL.search(attributes)
        text = text.replace(decimal[1], b".") if decimal else text
        text = SEPARATORS.sub(b" ", text)
    if text.translate(None, SIGNS):
        return False
    try:
        return len(list(map(float, text.split()))) >= 2
    except ValueError:
        return False
