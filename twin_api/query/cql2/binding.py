"""What a filter is read against: a collection's properties and the CRS of its coordinates. It gathers the values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from psycopg.types.numeric import Int8

from twin_api.query.ask import hint
from twin_api.query.clause import Params
from twin_api.query.cql2.expression import (
    DECIMAL,
    FAMILIES,
    WORDS,
    Attribute,
    Expression,
    Literal,
    Operand,
    Value,
    call,
    quoted,
    refuse,
)  # fmt: skip
from twin_api.query.cql2.geometry import GEOMETRY_NAME, Shown
from twin_api.query.cql2.numbers import as_decimal, fits_integer, fits_number
from twin_api.query.cql2.times import as_day
from twin_api.query.crs import Crs
from twin_api.store.collection import Collection
from twin_api.texts import Text

PREFIX: Final = "filter_"


class Binding(ABC):
    """INVARIANT: a name is looked up among what the collection shows; a hidden one is as unknown as one that never was."""

    def __init__(self, collection: Collection, crs: Crs) -> None:
        self.collection = collection
        self.crs = crs
        self.params: Params = {}

    @abstractmethod
    def operand(self, node: Any) -> Operand:
        """A node of the tree as a value or an expression; raises `InvalidParameter`."""

    def condition(self, node: Any) -> Expression:
        """A node that is true, false or unknown."""
        return self.expression(self.operand(node), "boolean")

    def property(self, name: str) -> Expression:
        shown = self.collection.property(name)
        if shown is not None:
            return Attribute(shown.name, shown.type)
        kind = self.collection.description.geometry_type
        if kind is not None and name == GEOMETRY_NAME:
            return Shown(kind)
        known = [*(p.name for p in self.collection.description.properties), *([GEOMETRY_NAME] if kind else [])]
        told = hint(name, known)
        return refuse(f"{quoted(name)} gibt es hier nicht: {told.de}", f"{quoted(name)} is no property here: {told.en}")

    def value(self, type_: str, value: Any) -> Value:
        name = f"{PREFIX}{len(self.params)}"
        self.params[name] = value
        return Value(name, type_)

    def expression(self, operand: Operand, family: str) -> Expression:
        """The operand as an expression of a family of types."""
        if FAMILIES[operand.type] != family:
            given, wanted = WORDS[FAMILIES[operand.type]], WORDS[family]
            refuse(f"hier steht {given.de}, verlangt ist {wanted.de}", f"there is {given.en} where {wanted.en} is wanted")
        return self.bound(operand, shared_type([operand]))

    def alike(self, operands: Sequence[Operand]) -> list[Expression]:
        """All operands as expressions of one type: what can be compared with each other."""
        type_ = self.type_of_all(operands)
        return [self.bound(operand, type_) for operand in operands]

    def type_of_all(self, operands: Sequence[Operand]) -> str:
        families = list(dict.fromkeys(FAMILIES[operand.type] for operand in operands))
        if len(families) > 1:
            one, other = (WORDS[family] for family in families[:2])
            times = _TIMES if "time" in families else Text("", "")
            refuse(
                f"{one.de} und {other.de} lassen sich nicht vergleichen{times.de}", f"{one.en} and {other.en} cannot be compared{times.en}"
            )
        return shared_type(operands)

    def bound(self, operand: Operand, type_: str) -> Expression:
        """The operand as an expression of exactly this type, one of its family."""
        if isinstance(operand, Literal):
            return self.value(type_, as_parameter(operand.value, type_))
        if operand.type == type_:
            return operand
        return call(as_day, "date", operand) if type_ == "date" else as_decimal(operand)


_TIMES: Final = Text(
    "; Zeiten als `DATE('2026-11-20')` oder `TIMESTAMP('2026-11-20T12:00:00Z')` schreiben",
    "; write times as `DATE('2026-11-20')` or `TIMESTAMP('2026-11-20T12:00:00Z')`",
)


def shared_type(operands: Sequence[Operand]) -> str:
    """The type in which operands of one family are compared: exactly for numbers, by days where one of the times is a day."""
    types = {operand.type for operand in operands if not isinstance(operand, Literal)}
    literals = [operand for operand in operands if isinstance(operand, Literal)]
    match FAMILIES[operands[0].type]:
        case "time":
            return "datetime" if all(operand.type == "datetime" for operand in operands) else "date"
        case "number" if types == {"integer"} and all(fits_integer(literal.value) for literal in literals):
            return "integer"
        case "number" if types == {"number"} and all(fits_number(literal.value) for literal in literals):
            return "number"
        case "number":
            return DECIMAL
        case family:
            return family


def as_parameter(value: Any, type_: str) -> Any:
    """The value as the driver sends it for this type."""
    match type_:
        case "integer":
            return Int8(int(value))
        case "number":
            return float(value)
        case "decimal":
            return Decimal(repr(value))
        case "date":
            return value.astimezone(UTC).date() if isinstance(value, datetime) else value
        case _:
            return value
