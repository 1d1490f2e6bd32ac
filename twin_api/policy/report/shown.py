"""What a grant shows of a layer: its own, and the layers of areas it names.

Must never count what a rule reads as shown: a rule chooses, it does not print.
"""

from __future__ import annotations

from collections.abc import Iterator

from twin_api.policy.check import GEOMETRY
from twin_api.policy.documents import Grant, Layer
from twin_api.policy.masks import Area
from twin_api.policy.rule import insides_of


def areas_of(grant: Grant) -> set[str]:
    """The layers whose areas the grant puts its items or its groups in."""
    areas = {inside.layer for inside in insides_of(grant.rows)}
    areas |= {grant.geometry.layer} if isinstance(grant.geometry, Area) else set()
    return areas | ({grant.figures.group_by} if grant.figures is not None and grant.figures.by_area else set())


def names_shown(grant: Grant, layer: Layer) -> Iterator[str]:
    """Attributes of the layer, and `geometry`, that the grant shows something of."""
    figures = grant.figures
    if layer.name in areas_of(grant):  # the areas are named by their key, and stand on the map
        yield from (*layer.key, GEOMETRY)
    if grant.layer != layer.name:
        return
    yield from grant.attributes
    if figures is not None:
        yield from (figure.attribute for figure in figures.figures if figure.attribute is not None)
        yield GEOMETRY if figures.by_area else figures.group_by
    elif grant.geometry.word != "hide":
        yield GEOMETRY
