"""What a source file says of places and of tables: coordinate system, columns of coordinates, encoding, separator."""

from __future__ import annotations

import re
from typing import Final

from pyproj import CRS
from pyproj.exceptions import CRSError

from twin_api.imports.description import Place
from twin_api.policy.fields import Fields, Reader, integer_of, text_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node, Scalar
from twin_api.texts import Text

AXES: Final = ("as-declared", "swapped")
ZONES: Final = (1, 60)
HEADERS: Final = (1, 1000)
PLACE: Final = ("x", "y", "z", "wkt")
_NAMED_CRS: Final = re.compile(r"[A-Z]+:[A-Za-z0-9_.]+(\+[0-9]+)?")  # nothing else of all that PROJ would understand, such as paths


def crs_of(node: Node, findings: Findings) -> str:
    """A coordinate reference system by authority and code, perhaps with its heights: `EPSG:25832`, `EPSG:25832+7837`."""
    if isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        what = Text(f"{quoted(node.value)} allein ist kein Koordinatensystem", f"{quoted(node.value)} alone is no coordinate system")
        findings.add(node.place, what, Text(f"`EPSG:{node.value}` schreiben", f"write `EPSG:{node.value}`"))
        return ""
    name = text_of(node, findings)
    if name and not _is_known(name):
        what = Text(f"ein Koordinatensystem {quoted(name)} gibt es nicht", f"there is no coordinate system {quoted(name)}")
        findings.add(node.place, what, Text("etwa `EPSG:25832` schreiben", "write `EPSG:25832`, for example"))
    return name


def _is_known(name: str) -> bool:
    if not _NAMED_CRS.fullmatch(name):
        return False
    try:
        CRS.from_user_input(name)
    except CRSError:
        return False
    return True


def whole_within(limits: tuple[int, int]) -> Reader[int]:
    least, most = limits

    def read(node: Node, findings: Findings) -> int:
        before, number = len(findings), integer_of(node, findings)
        if len(findings) == before and not least <= number <= most:
            what = Text(f"{quoted(number)} liegt nicht zwischen {least} und {most}", f"{quoted(number)} is not between {least} and {most}")
            findings.add(node.place, what, Text("die Zahl berichtigen", "correct the number"))
        return number

    return read


def place_of(node: Node, findings: Findings) -> Place:
    """The columns that hold the place: `x` and `y`, perhaps `z`; or `wkt`."""
    fields = Fields(node, findings, optional=PLACE)
    place = Place(**{key: fields.get(key, text_of, None) for key in PLACE if key in fields})
    if (place.x is None) != (place.y is None) or (place.z and place.x is None) or (place.wkt is not None) == (place.x is not None):
        what = Text("der Ort steht entweder in `x` und `y` (dazu `z`) oder in `wkt`", "the place is in `x` and `y` (with `z`), or in `wkt`")
        findings.add(fields.place, what, Text("`{x: …, y: …}` oder `{wkt: …}` schreiben", "write `{x: …, y: …}` or `{wkt: …}`"))
    return place


def encoding_of(node: Node, findings: Findings) -> str:
    name = text_of(node, findings)
    if name and not _is_encoding(name):
        what = Text(f"eine Zeichenkodierung {quoted(name)} gibt es nicht", f"there is no encoding {quoted(name)}")
        findings.add(node.place, what, Text("etwa `utf-8`, `cp1252`, `iso-8859-1`", "such as `utf-8`, `cp1252`, `iso-8859-1`"))
    return name


def _is_encoding(name: str) -> bool:
    """Whether Python knows it as one of text: `zip` and `rot13` are encodings too."""
    try:
        return bool("a".encode(name))
    except (LookupError, ValueError):
        return False


def separator_of(node: Node, findings: Findings) -> str:
    """One sign, or the word `tab`."""
    sign = node.value if isinstance(node, Scalar) and node.value == "\t" else text_of(node, findings)
    if sign == "tab":
        return "\t"
    if isinstance(sign, str) and (len(sign) == 1 or not sign):
        return sign
    what = Text(f"{quoted(sign)} ist nicht ein einzelnes Zeichen", f"{quoted(sign)} is not a single sign")
    findings.add(node.place, what, Text('etwa `";"`, `","` oder `tab` schreiben', 'write `";"`, `","` or `tab`'))
    return ""
