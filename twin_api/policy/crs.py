"""Coordinate reference systems as policies name them: by EPSG number.

Must never guess a unit: a grid in metres over degrees would not be the grid that was decided.
"""

from __future__ import annotations

from functools import lru_cache

from pyproj import CRS
from pyproj.exceptions import CRSError

from twin_api.policy.fields import integer_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.yaml_file import Node
from twin_api.texts import Text


def check_epsg(node: Node, findings: Findings) -> int:
    """The EPSG number of a horizontal CRS that exists; 25382 for 25832 is the usual slip."""
    before = len(findings)
    epsg = integer_of(node, findings)
    if len(findings) == before and unit_of(epsg) is None:
        what = Text(f"ein Koordinatensystem EPSG {quoted(epsg)} gibt es nicht", f"there is no coordinate system EPSG {quoted(epsg)}")
        remedy = Text("etwa `25832` (ETRS89 / UTM 32N) oder `25833` schreiben", "write `25832` (ETRS89 / UTM 32N) or `25833`, for example")
        findings.add(node.place, what, remedy)
    return epsg


@lru_cache(maxsize=256)
def unit_of(epsg: int) -> str | None:
    """`metre`, `degree` …: the unit of the first horizontal axis; None where the number names no horizontal CRS."""
    if not 1024 <= epsg <= 999_999:
        return None
    try:
        crs = CRS.from_epsg(epsg)
    except CRSError:
        return None
    return crs.axis_info[0].unit_name if crs.axis_info and (crs.is_projected or crs.is_geographic) else None
