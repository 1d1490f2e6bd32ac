"""Functions of our own that a filter may call (OGC 21-065r2, 7.10; OGC 19-079r2, /req/filter/get-functions-operation).

Every one is total: a NULL gives NULL, and no value makes it fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from twin_api.query.cql2.binding import Binding
from twin_api.query.cql2.expression import DECIMAL, GEOMETRY_TYPE, Expression, Sql, call, refuse
from twin_api.query.cql2.geometry import Drawn
from twin_api.query.cql2.numbers import as_decimal
from twin_api.query.cql2.texts import fold
from twin_api.texts import Text


@dataclass(frozen=True, slots=True)
class Argument:
    title: Text
    family: str  # as in `expression.FAMILIES`


@dataclass(frozen=True, slots=True)
class Function:
    """`make` gets its arguments as `arguments` says, numbers as decimals; its value is of the type `returns`."""

    name: str
    title: Text
    arguments: tuple[Argument, ...]
    returns: str
    make: Callable[..., Sql]


def _whole(make: Callable[[Sql], Sql]) -> Callable[[Sql], Sql]:
    return lambda value: sa.cast(make(value), sa.BigInteger())


def _part(name: str) -> Callable[[Sql], Sql]:
    """Of a day or of a moment, which is read in UTC whatever zone the session has."""
    return lambda time: sa.cast(sa.extract(name, sa.func.timezone(sa.literal_column("'UTC'"), sa.cast(time, _MOMENT))), sa.BigInteger())


def _numeric(name: str) -> Callable[[Sql], Sql]:
    return lambda number: getattr(sa.func, name)(number, type_=sa.Numeric())


def _measured(name: str) -> Callable[..., Sql]:
    """On the spheroid of WGS 84, so in true metres whatever CRS the layer has."""
    return lambda *places: getattr(sa.func, name)(*places, type_=sa.Double())


def _on_spheroid(geometry: Sql) -> Sql:
    return sa.func.geography(geometry, type_=sa.types.NullType())


DISTANCE: Final = _measured("ST_Distance")
_MOMENT: Final = sa.DateTime(timezone=True)
_TEXT: Final = Argument(Text("Text", "text"), "text")
_NUMBER: Final = Argument(Text("Zahl", "number"), "number")
_TIME: Final = Argument(Text("Tag oder Zeitpunkt", "day or moment"), "time")
_GEOMETRY: Final = Argument(Text("Geometrie", "geometry"), GEOMETRY_TYPE)

FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("fold", Text("Ohne Groß- und Kleinschreibung und ohne Akzente", "without case and accents"), (_TEXT,), "text", fold),
    Function("length", Text("Anzahl der Zeichen", "number of characters"), (_TEXT,), "integer", _whole(sa.func.char_length)),
    Function("abs", Text("Betrag", "absolute value"), (_NUMBER,), DECIMAL, _numeric("abs")),
    Function(
        "round", Text("Auf die nächste ganze Zahl, Hälften von null weg", "to the nearest whole number, halves away from zero"), (_NUMBER,),
        DECIMAL, _numeric("round"),
    ),
    Function("floor", Text("Nächste ganze Zahl darunter", "next whole number below"), (_NUMBER,), DECIMAL, _numeric("floor")),
    Function("ceiling", Text("Nächste ganze Zahl darüber", "next whole number above"), (_NUMBER,), DECIMAL, _numeric("ceil")),
    Function("year", Text("Jahr, in UTC", "year, in UTC"), (_TIME,), "integer", _part("year")),
    Function("month", Text("Monat von 1 bis 12, in UTC", "month from 1 to 12, in UTC"), (_TIME,), "integer", _part("month")),
    Function("day", Text("Tag des Monats, in UTC", "day of the month, in UTC"), (_TIME,), "integer", _part("day")),
    Function("area_m2", Text("Fläche in Quadratmetern", "area in square metres"), (_GEOMETRY,), "number", _measured("ST_Area")),
    Function("length_m", Text("Länge in Metern", "length in metres"), (_GEOMETRY,), "number", _measured("ST_Length")),
    Function("distance_m", Text("Abstand in Metern", "distance in metres"), (_GEOMETRY, _GEOMETRY), "number", DISTANCE),
)  # fmt: skip
_BY_NAME: Final = {function.name: function for function in FUNCTIONS}


def bind_function(binding: Binding, name: str, args: list[Any]) -> Expression:
    """A call by name, whatever its case; raises `InvalidParameter` where there is none, or not with these arguments."""
    function = _BY_NAME.get(name)
    if function is None:
        known = ", ".join(f"`{known}`" for known in _BY_NAME)
        refuse(f"diese Funktion gibt es nicht; bekannt sind {known}", f"there is no such function; known are {known}")
    if len(args) != len(function.arguments):
        count = len(function.arguments)
        refuse(
            f"`{name}` verlangt {count} Argument{'' if count == 1 else 'e'}", f"`{name}` wants {count} argument{'' if count == 1 else 's'}"
        )
    wanted = zip(args, function.arguments, strict=True)
    bound = [binding.expression(binding.operand(arg), argument.family) for arg, argument in wanted]
    if any(isinstance(part, Drawn) and not part.is_measurable for part in bound):
        refuse(
            f"`{name}` misst keine Strecke zum Gegenpunkt auf der Erde: einen Punkt dazwischen zeichnen",
            f"`{name}` measures no edge to the opposite point of the earth: draw a point in between",
        )
    return call(function.make, function.returns, *map(_as_argument, bound))


def _as_argument(part: Expression) -> Expression:
    """Numbers as decimals, geometries on the spheroid, where a constant one is put once."""
    if part.type == GEOMETRY_TYPE:
        return call(_on_spheroid, GEOMETRY_TYPE, part)
    return as_decimal(part) if part.type in ("integer", "number") else part
