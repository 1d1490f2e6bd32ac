"""What a person says of a file that it does not say itself: which columns, how written, where on earth.

Nothing of it is ever guessed on import: `twin layers infer` proposes, a person keeps or changes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Decimal = Literal[".", ","]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the texts of a column are to be read.

    `dates` is a form of the letters DD MM YYYY YY hh mm ss, such as `DD.MM.YYYY`; without it ISO 8601. `zone` (`Europe/Berlin`,
    `+01:00`) is that of moments written without one. `nulls` are texts that mean "not known". `values` leads from a spelling in the
    file to the value meant. `unit` is the unit of the file's numbers.
    """

    decimal: Decimal = "."
    thousands: str = ""
    dates: str | None = None
    nulls: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One column of the file: the attribute it fills, and how it is read."""

    attribute: str
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True)
class Place:
    """The columns of a table that hold the place: easting (or longitude) and northing (or latitude), perhaps the height; or WKT."""

    x: str | None = None
    y: str | None = None
    z: str | None = None
    wkt: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in (self.x, self.y, self.z, self.wkt) if name)


@dataclass(frozen=True, slots=True)
class Description:
    """`columns` goes by the file's column names; a column without a rule fills the attribute of its name, read as `reading` says.

    `source_layer` and `where` choose within the file. `crs` replaces what the file says. `axes: swapped` says that northing comes
    before easting although the CRS has it the other way round; `zone_prefix` is the zone number in front of eastings (32 of 32 361 000).
    `header` is the row of a table that holds the column names, from 1.
    """

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)
    source_layer: str | None = None
    where: str | None = None
    crs: str | None = None
    axes: Literal["as-declared", "swapped"] = "as-declared"
    zone_prefix: int | None = None
    place: Place = field(default_factory=Place)
    encoding: str | None = None
    separator: str | None = None
    header: int = 1

    def rule(self, column: str) -> ColumnRule | None:
        return self.columns.get(column)
