"""How the table of one layer becomes what its file says: every step with its SQL, and every reason why it cannot.

Must never change anything, and never lose a value that the file does not give up by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateTable, UniqueConstraint

from twin_api.layers.table import COLUMN_TYPES, GEOMETRY, ID, IMPORT, STORE, describe
from twin_api.policy.documents import GeometryType, Layer
from twin_api.policy.finding import listed
from twin_api.publish.conversion import CONVERSIONS, NO_CONVERSION, Conversion
from twin_api.publish.layer_plan import Kind, Step, both_there, geometry_holds, same_key, unfit_values, unknown_column
from twin_api.publish.statement import quoted, sql_text
from twin_api.publish.store_tables import Connection, StoredTable
from twin_api.publish.unread import unread_body, unread_statements
from twin_api.texts import Text

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
NOTHING: Final = "–"


def type_name(column: sa.Column[Any]) -> str:
    """The type as `format_type` prints it, in lower case."""
    return str(column.type.compile(dialect=_DIALECT)).split(" COLLATE")[0].lower()


_WORDS: Final = {type_name(sa.Column("x", type_)): word for word, type_ in COLUMN_TYPES.items()}


def create_steps(layer: Layer, writer: str) -> list[Step]:
    table = describe(layer)
    unread = unread_statements(layer) if unread_body(layer) else ()
    guards = guard_statements(layer.name, table.columns.keys(), writer)
    return [Step("create", layer.name, (sql_text(CreateTable(table)), *guards, *unread))]


def guard_statements(table: str, columns: Iterable[str], writer: str) -> tuple[str, str]:
    """What every table of the store has besides its definition: no TRUNCATE, and the writer's rights."""
    truncate = f"CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON {quoted(STORE, table)} EXECUTE FUNCTION published.refuse_truncate()"
    return truncate, _grant(table, columns, writer)


@dataclass(slots=True)
class Evolution:
    """A layer file next to its table. `steps` and `refusals` are filled by `plan`; columns go by their stored names until renamed."""

    connection: Connection
    layer: Layer
    stored: StoredTable
    writer: str
    steps: list[Step] = field(default_factory=list)
    refusals: list[Text] = field(default_factory=list)
    table: sa.Table = field(init=False)

    def __post_init__(self) -> None:
        self.table = describe(self.layer)

    def plan(self) -> None:
        """Look at every difference between file and table; reads rows only where values convert, go, or must be told apart."""
        self._refuse_leftovers()
        changes = [*self._rename(), *self._retype(), *self._drop(), *self._add(), *self._geometry()]
        before, after = self._key()
        changes = [*before, *changes, *after]
        if changes:
            changes.append(self._step("settle", _grant(self.layer.name, self.table.columns.keys(), self.writer)))
        if unread_body(self.layer) != self.stored.unread:
            changes.append(self._step("settle", *unread_statements(self.layer)))
        self.steps += changes

    @property
    def renamed(self) -> dict[str, str]:
        """New name -> stored name, of what is still to be renamed."""
        columns = self.stored.columns
        return {a.name: a.was for a in self.layer.attributes.values() if a.was in columns and a.name not in columns}

    @property
    def retyped(self) -> dict[str, tuple[str, str]]:
        """Attribute -> stored type and type in the file, as the layer file calls them."""
        pairs: dict[str, tuple[str, str]] = {}
        for attribute in self.layer.attributes.values():
            stored = self.stored.columns.get(self._stored_name(attribute.name))
            before = _WORDS.get(stored or "", stored)
            if before is not None and before != attribute.type:
                pairs[attribute.name] = (before, attribute.type)
        return pairs

    @property
    def dropped(self) -> list[str]:
        return [name for name in self.layer.dropped if name in self.stored.columns]

    def changed_columns(self) -> set[str]:
        """Stored columns whose name, type or being there changes: whatever reads them has to change too."""
        columns = {*self.renamed.values(), *self.dropped, *(self._stored_name(name) for name in self.retyped)}
        return columns | ({GEOMETRY} if any(step.kind == "geometry" for step in self.steps) else set())

    def _stored_name(self, attribute: str) -> str:
        return self.renamed.get(attribute, attribute)

    def _refuse_leftovers(self) -> None:
        clashes = [a for a in self.layer.attributes.values() if a.was in self.stored.columns and a.name in self.stored.columns]
        self.refusals += [both_there(self.layer.name, a.was or "", a.name) for a in clashes]
        known = {ID, GEOMETRY, IMPORT, *self.layer.attributes, *self.renamed.values(), *self.dropped, *(a.was for a in clashes)}
        for column in self.stored.columns:
            if column not in known:
                self.refusals.append(unknown_column(self.layer.name, column, self._count(column)))

    def _rename(self) -> Iterator[Step]:
        for after, before in self.renamed.items():
            rename = self._alter(f"RENAME COLUMN {quoted(before)} TO {quoted(after)}")
            checks = () if after in self.retyped else self._checks(after)
            yield self._step("rename", *self._no_checks(before), rename, *checks, before=before, after=after)

    def _retype(self) -> Iterator[Step]:
        """A column that is renamed too has its new name by then, and no CHECK any more."""
        for name, (before, after) in self.retyped.items():
            conversion = CONVERSIONS.get((before, after), NO_CONVERSION)
            rows, number = self._unfit(quoted(self._stored_name(name)), conversion)
            if number:
                self.refusals.append(unfit_values(self.layer.name, name, (before, after), rows, number))
                continue
            type_ = self.table.c[name].type.compile(dialect=_DIALECT)
            change = self._alter(f"ALTER COLUMN {quoted(name)} TYPE {type_} USING {conversion.value(quoted(name))}")
            checks = () if name in self.renamed else self._no_checks(name)
            yield self._step("retype", *checks, change, *self._checks(name), attribute=name, before=before, after=after)

    def _drop(self) -> Iterator[Step]:
        for name in self.dropped:
            yield self._step("drop", self._alter(f"DROP COLUMN {quoted(name)}"), attribute=name, values=self._count(name))

    def _add(self) -> Iterator[Step]:
        for name in self.layer.attributes:
            if self._stored_name(name) not in self.stored.columns:
                yield self._step("add", self._add_column(name), attribute=name)

    def _geometry(self) -> Iterator[Step]:
        """Coordinates are never moved or cut: a geometry changes only where none is stored yet."""
        before = self.stored.columns.get(GEOMETRY)
        after = type_name(self.table.c[GEOMETRY]) if GEOMETRY in self.table.c else None
        if before == after:
            return
        number = self._count(GEOMETRY) if before else 0
        words = _geometry_words(before), _geometry_words(after)
        if number:
            self.refusals.append(geometry_holds(self.layer.name, *words, number))
            return
        drop = [self._alter(f"DROP COLUMN {GEOMETRY}")] if before else []
        add = [self._add_column(GEOMETRY)] if after else []
        yield self._step("geometry", *drop, *add, before=words[0], after=words[1])

    def _key(self) -> tuple[list[Step], list[Step]]:
        """What has to be done before and after everything else; the key is unique all the way."""
        wanted = set(self.layer.key)
        changes = {self._stored_name(name) for name in wanted} != self.stored.key
        if not changes and not wanted & self.retyped.keys():
            return [], []
        number = self._duplicates() if wanted else 0
        if number:
            self.refusals.append(same_key(self.layer.name, self.layer.key, number))
        constraint = quoted(f"{self.layer.name}_key")
        drop = [self._step("settle", self._alter(f"DROP CONSTRAINT {constraint}"))] if self.stored.key else []
        unique = [sql_text(AddConstraint(c)) for c in self.table.constraints if isinstance(c, UniqueConstraint)]
        after = listed(self.layer.key) if wanted else NOTHING
        return drop, [self._step("key" if changes else "settle", *unique, after=after)]

    def _duplicates(self) -> int:
        """How many rows would share their key with another one; 0 where that cannot be told yet because values do not convert."""
        values = []
        for name in self.layer.key:
            stored, types = self._stored_name(name), self.retyped.get(name)
            conversion = CONVERSIONS.get(types, NO_CONVERSION) if types else None
            if conversion is not None and self._unfit(quoted(stored), conversion)[1]:
                return 0
            value = quoted(stored) if stored in self.stored.columns else "NULL::text"
            values.append(conversion.value(value) if conversion else value)
        columns = ", ".join(f"{value} AS k{number}" for number, value in enumerate(values))
        names = ", ".join(f"k{number}" for number in range(len(values)))
        return self._ask(
            f"SELECT coalesce(sum(n), 0)::bigint FROM (SELECT count(*) AS n FROM (SELECT {columns} FROM {_name(self.layer)}) AS r "
            f"GROUP BY {names} HAVING count(*) > 1) AS shared"
        )

    def _unfit(self, column: str, conversion: Conversion) -> tuple[list[object], int]:
        """Up to three rows whose values do not convert, and how many there are."""
        query = (
            f"SELECT {ID}, count(*) OVER () FROM {_name(self.layer)} "
            f"WHERE {column} IS NOT NULL AND ({conversion.fits(column)}) IS NOT TRUE ORDER BY {ID} LIMIT 3"
        )
        rows = self.connection.execute(query.encode()).fetchall()
        return [row for row, _ in rows], rows[0][1] if rows else 0

    def _count(self, column: str) -> int:
        return self._ask(f"SELECT count({quoted(column)}) FROM {_name(self.layer)}")

    def _ask(self, query: str) -> int:
        row = self.connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0

    def _no_checks(self, column: str) -> list[str]:
        return [self._alter(f"DROP CONSTRAINT {quoted(name)}") for name in self.stored.checks.get(column, ())]

    def _checks(self, column: str) -> list[str]:
        """Those of a new table; unnamed like there, so that PostgreSQL calls them the same."""
        constraints = self.table.c[column].constraints
        return [self._alter(f"ADD CHECK ({sql_text(c.sqltext)})") for c in constraints if isinstance(c, sa.CheckConstraint)]

    def _add_column(self, name: str) -> str:
        return self._alter(f"ADD COLUMN {sql_text(CreateColumn(self.table.c[name]))}")

    def _alter(self, change: str) -> str:
        return f"ALTER TABLE {_name(self.layer)} {change}"

    def _step(self, kind: Kind, *statements: str, attribute: str = "", before: str = "", after: str = "", values: int = 0) -> Step:
        return Step(kind, self.layer.name, statements, attribute, before, after, values)


def _geometry_words(type_: str | None) -> str:
    """`geometry(pointz,25832)` as the layer file says it."""
    kind, _, srid = (type_ or "").removeprefix("geometry(").removesuffix(")").partition(",")
    names = {name.lower(): name for name in get_args(GeometryType)}
    return f"`{names.get(kind, kind)}` (EPSG:{srid})" if type_ else NOTHING


def _name(layer: Layer) -> str:
    return quoted(STORE, layer.name)


def _grant(table: str, columns: Iterable[str], writer: str) -> str:
    """The writer reads, inserts, deletes and updates everything but the id and where it comes from."""
    changed = ", ".join(quoted(name) for name in columns if name not in (ID, IMPORT))
    return f"GRANT SELECT, INSERT, DELETE, UPDATE ({changed}) ON {quoted(STORE, table)} TO {quoted(writer)}"
