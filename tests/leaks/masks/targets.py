"""Hidden rows to attack: cells of a grid, areas, steps, bands, years and months, and neighbours in one cell."""

from __future__ import annotations

from typing import Final

from tests.leaks.masks.attack import Target, point
from tests.town.rows import EAST, NORTH

X, Y = EAST - 400.0, NORTH - 400.0  # the corner of a cell of 100 m in which nothing else lies

# in the town of Kanaria, for the council: {grid_m: 100} and {round: 10}
MANHOLE_PLACE: Final = Target(
    "council", "kanalschaechte", "kanalschaechte", ("schacht_nr", "CANARY-schacht-2"),
    within=[{"geometry": point(X + dx, Y + dy, z)} for dx, dy, z in ((50, 50, 415), (0, 0, 1), (99.9999, 99.9999, 999), (13.37, 77.7, 415.01))],
    beyond=[{"geometry": point(X + dx, Y + dy, 415)} for dx, dy in ((-0.0001, 50), (100, 50), (50, 100), (50, -0.0001))],
)  # fmt: skip
MANHOLE_YEAR: Final = Target(
    "council", "kanalschaechte", "kanalschaechte", ("schacht_nr", "CANARY-schacht-2"),
    within=[{"baujahr": year} for year in (1990, 1985, 1994, 1989)], beyond=[{"baujahr": 1984}, {"baujahr": 1995}],
)  # fmt: skip

# in the town of every word of the language, for citizens
TREE_AREA: Final = Target(
    "citizen", "baumorte", "baeume", ("nr", "B0"),
    within=[{"geometry": point(x, y)} for x, y in ((500, 1500), (0.001, 1000.001), (999.999, 1999.999), (7.7, 1313.1))],
    beyond=[{"geometry": point(500, 999.999)}],
)  # fmt: skip
TREE_BAND: Final = Target(
    "citizen", "baeume", "baeume", ("nr", "B1"),
    within=[{"hoehe_m": height} for height in (15.0, 10.0, 19.999999, 12.5)], beyond=[{"hoehe_m": 9.999999}, {"hoehe_m": 20.0}],
)  # fmt: skip
TREE_YEAR: Final = Target(
    "citizen", "baeume", "baeume", ("nr", "B1"),
    within=[{"gepflanzt": day} for day in ("2001-06-15", "2001-01-01", "2001-12-31")],
    beyond=[{"gepflanzt": "2000-12-31"}, {"gepflanzt": "2002-01-01"}],
)  # fmt: skip
TREE_MONTH: Final = Target(
    "citizen", "baeume", "baeume", ("nr", "B1"),
    within=[{"gesehen": moment} for moment in ("2026-05-17T12:00:00Z", "2026-05-01T00:00:00Z", "2026-05-31T23:59:59Z")],
    beyond=[{"gesehen": "2026-04-30T23:59:59Z"}, {"gesehen": "2026-06-01T00:00:00Z"}],
)  # fmt: skip
