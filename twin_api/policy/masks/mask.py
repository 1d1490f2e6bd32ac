"""What a mask is: a deterministic coarsening of one value or geometry, as SQL for the publisher and as Python for tests and proofs.

Must never depend on anything but the stored row and the areas it names: averaging, repeating or asking neighbours gives nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, Protocol, TypeAlias

from sqlalchemy import ColumnElement

from twin_api.policy.rule import Row, World
from twin_api.texts import Text

Coordinates: TypeAlias = Sequence[Any]
NO_ROW: Final[Row] = {}
STORE: Final = "store"  # the schema of the layers' tables


class MaskRefused(Exception):  # a fact about the policy, not a failure of the program
    """The mask cannot be had in this way: what is wrong, and what would be right."""

    def __init__(self, what: Text, remedy: Text) -> None:
        super().__init__(what.en)
        self.what, self.remedy = what, remedy


def refuse_argument(word: str, argument: object) -> None:
    """For masks that are one word and nothing else."""
    if argument is not None:
        what = Text(f"`{word}` steht allein, ohne Angabe dahinter", f"`{word}` stands alone, with nothing after it")
        raise MaskRefused(what, Text(f"`{word}` schreiben", f"write `{word}`"))


class ValueMask(Protocol):
    """A mask for an attribute. `word` is its name in policy files; equal masks are equal values."""

    word: ClassVar[str]

    @classmethod
    def parse(cls, argument: object, type_: str) -> ValueMask:
        """From what follows the word in a policy file (None: nothing), for an attribute of that type. Raises `MaskRefused`."""

    @property
    def reads(self) -> tuple[str, ...]:
        """Boolean attributes of the row that decide besides the value itself."""

    def shown_type(self, type_: str) -> str:
        """The type of what is shown for an attribute of that type."""

    def shown_values(self) -> tuple[str, ...] | None:
        """All values it can show, where they are few and known."""

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The masked value as an expression over the stored column."""

    def value(self, value: Any, row: Row = NO_ROW) -> Any:
        """The masked value; the reference that `sql` is tested against. None stays None."""

    def shows_at_least(self, other: ValueMask) -> bool:
        """Whether whoever sees this one could compute what `other` shows."""

    def as_policy(self) -> str | dict[str, Any]:
        """As it is written in a policy file."""


class GeometryMask(Protocol):
    """A mask for a layer's geometry. `hide` shows none."""

    word: ClassVar[str]

    @classmethod
    def parse(cls, argument: object, type_: str) -> GeometryMask:
        """From what follows the word in a policy file (None: nothing), for a geometry of that type. Raises `MaskRefused`."""

    def shown_type(self, stored_type: str) -> str | None:
        """The type of the shown geometry; None where nothing is shown."""

    def sql(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """The masked geometry, in the layer's own CRS, as an expression over the stored one."""

    def point(self, coordinates: Coordinates, world: World | None = None) -> Coordinates | None:
        """The masked coordinates of a single point (layer's CRS); the reference that `sql` is tested against."""

    def shows_at_least(self, other: GeometryMask) -> bool:
        """Whether whoever sees this one could compute what `other` shows."""

    def as_policy(self) -> str | dict[str, Any]:
        """As it is written in a policy file."""
