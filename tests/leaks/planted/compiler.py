"""Leaks of the compiler: what it makes of a policy shows more than the policy grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from tests.leaks.planted.plant import Patch, Planted
from twin_api.policy.masks import Round
from twin_api.policy.masks.grid import Grid
from twin_api.publish import projection
from twin_api.publish.statement import PlainGeometry
from twin_api.store.collection import GEOMETRY, MERCATOR, Description


def _without_rule(patch: Patch) -> None:
    patch.setattr(projection, "predicate", lambda rule, source, place: sa.true())


def _unmasked(derived: str) -> Callable[[Patch], None]:
    """One of the derived columns made from the stored geometry."""

    def masked(definition: Any, source: Any) -> Any:
        columns = projection._masked_columns(definition, source)
        if definition.geometry_type:
            columns += [projection._shown_geometry(definition, source), source.c.geometry.label("_stored")]
        return projection._fenced(sa.select(*columns).where(projection.visible(definition, source)), "masked")

    def placed(definition: Any, shown: Any) -> Any:
        if not definition.geometry_type:
            return shown
        geometry, stored = shown.c[GEOMETRY], sa.type_coerce(shown.c._stored, PlainGeometry())
        flat = projection._mercator(stored if derived == "mercator" else geometry)
        wgs = projection._wgs(stored if derived == "feature" else geometry)
        return projection._fenced(sa.select(*shown.c, flat.label(MERCATOR), wgs.label(projection.WGS)), "placed")

    place = projection._place

    def by_stored_place(wgs: Any) -> Any:
        if "_stored" not in wgs.table.c:
            return place(wgs)
        return place(projection._wgs(sa.type_coerce(wgs.table.c._stored, PlainGeometry())))

    def plant(patch: Patch) -> None:
        patch.setattr(projection, "_masked", masked)
        patch.setattr(projection, "_placed", placed)
        if derived == "place":
            patch.setattr(projection, "_place", by_stored_place)

    return plant


def _without_rounding(patch: Patch) -> None:
    patch.setattr(Round, "sql", lambda self, column: column)


def _finer_cells(patch: Patch) -> None:
    told = Grid._centre_sql
    patch.setattr(Grid, "_centre_sql", lambda self, coordinate: told(Grid(self.cell_m // 2), coordinate))


def _jittered(patch: Patch) -> None:
    told = Grid._centre_sql
    patch.setattr(Grid, "_centre_sql", lambda self, coordinate: told(self, coordinate) + sa.func.random() * self.cell_m / 4)


def _with_withdrawn(patch: Patch) -> None:
    patch.setattr(projection, "is_not_withdrawn", lambda source: sa.true())


def _described(patch: Patch) -> None:
    told = Description.as_json
    hidden = {"name": "vermerk", "type": "text", "title": {"de": "Vermerk", "en": "Note"}, "unit": None, "enum": None}

    def as_json(self: Description) -> dict[str, Any]:
        document = told(self)
        return document | {"properties": [*document["properties"], hidden]}

    patch.setattr(Description, "as_json", as_json)


PLANTED: Final = (
    Planted("row rule dropped", 3, ("answers",), before=_without_rule),
    Planted("order by the stored place", 6, ("masks",), before=_unmasked("place")),
    Planted("mask not applied to the place that is filtered", 11, ("answers", "masks"), before=_unmasked("mercator"), role="council"),
    Planted("feature text built from the unmasked row", 13, ("answers",), before=_unmasked("feature"), role="council"),
    Planted("numbers not rounded", 13, ("answers",), before=_without_rounding),
    Planted("cells finer than declared", 11, ("answers",), before=_finer_cells, role="council"),
    Planted("places shaken at random", 14, ("answers", "masks"), before=_jittered, role="council"),
    Planted("withdrawn rows built again", 45, ("withdrawn",), before=_with_withdrawn),
    Planted("hidden attribute in the description", 2, ("answers",), before=_described),
)
