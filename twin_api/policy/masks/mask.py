"""What a mask is: a deterministic coarsening of one value or geometry, as SQL for the publisher and as Python for the tests.

Must never depend on anything but the value it masks: averaging, repeating or asking neighbours gives nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement

Coordinates: TypeAlias = Sequence[Any]


class ValueMask(Protocol):
    """A mask for an attribute. `word` is its name in policy files; equal masks are equal values."""

    word: str

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The masked value as an expression over the stored column; same type as the column."""

    def value(self, value: Any) -> Any:
        """The masked value; the reference that `sql` is tested against. None stays None."""

    def shows_at_least(self, other: ValueMask) -> bool:
        """Whether whoever sees this one could compute what `other` shows."""

    def as_policy(self) -> str | dict[str, Any]:
        """As it is written in a policy file."""


class GeometryMask(Protocol):
    """A mask for a layer's geometry. `hide` shows none."""

    word: str

    def shown_type(self, stored_type: str) -> str | None:
        """The type of the shown geometry; None where nothing is shown."""

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The masked geometry, in the layer's own CRS, as an expression over the stored one."""

    def point(self, coordinates: Coordinates) -> Coordinates | None:
        """The masked coordinates of a single point (layer's CRS); the reference that `sql` is tested against."""

    def shows_at_least(self, other: GeometryMask) -> bool:
        """Whether whoever sees this one could compute what `other` shows."""

    def as_policy(self) -> str | dict[str, Any]:
        """As it is written in a policy file."""
