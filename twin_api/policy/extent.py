"""Where the town lies: a rectangle in the town's own coordinate system, by which an import knows coordinates that cannot be meant.

Must never be taken for a border: it grants nothing, hides nothing and cuts nothing off.
"""

from __future__ import annotations

from math import isfinite
from typing import Final

from twin_api.policy.crs import holds
from twin_api.policy.documents import Extent
from twin_api.policy.fields import Reader, items_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node, Scalar
from twin_api.texts import Text

FORM: Final = "[674000, 5536000, 682000, 5544000]"


def extent_in(epsg: int) -> Reader[Extent | None]:
    """A reader for `[west, south, east, north]` in this CRS; None after a finding."""

    def read(node: Node, findings: Findings) -> Extent | None:
        before = len(findings)
        numbers = [_number(item, findings) for item in items_of(node, findings)]
        if len(findings) > before:
            return None
        wrong = _wrong(epsg, numbers)
        if wrong is None:
            return Extent(epsg, *numbers)
        remedy = Text(f"`[West, Süd, Ost, Nord]` in EPSG {epsg} schreiben, etwa `{FORM}`",
                      f"write `[west, south, east, north]` in EPSG {epsg}, such as `{FORM}`")  # fmt: skip
        findings.add(node.place, wrong, remedy)
        return None

    return read


def _number(node: Node, findings: Findings) -> float:
    if isinstance(node, Scalar) and isinstance(node.value, int | float) and not isinstance(node.value, bool) and isfinite(node.value):
        return float(node.value)
    shown = quoted(node.value) if isinstance(node, Scalar) else "`…`"
    what = Text(f"{shown} ist keine Koordinate", f"{shown} is no coordinate")
    findings.add(node.place, what, Text("eine Zahl ohne Anführungszeichen schreiben", "write a number without quotes"))
    return 0.0


def _wrong(epsg: int, numbers: list[float]) -> Text | None:
    if len(numbers) != 4:
        return Text(f"ein Rechteck hat vier Zahlen, hier stehen {len(numbers)}", f"a rectangle has four numbers, here are {len(numbers)}")
    west, south, east, north = numbers
    if not (west < east and south < north):
        return Text(
            "Westen liegt nicht links von Osten, oder Süden nicht unter Norden", "west is not left of east, or south not below north"
        )
    if epsg and not holds(epsg, (west, south), (east, north)):
        return Text(f"dieses Rechteck liegt außerhalb des Gebiets von EPSG {epsg}", f"this rectangle lies outside the area of EPSG {epsg}")
    return None
