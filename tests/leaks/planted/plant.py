"""What a planted leak is, and the tools to plant one. A proof that finds nothing where a leak was planted proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from psycopg import sql

from tests.towns import Town

Patch = pytest.MonkeyPatch
Spoil = Callable[[Town, Patch], None]


def _nothing(town: Town, patch: Patch) -> None:
    return None


@dataclass(frozen=True)
class Planted:
    """`channel` is the way in which it leaks, as docs/assurance.md numbers them; 50 is also for what else a break-in would reach: rights, keys.

    `before` patches the program before the town is founded, `after` spoils the town itself or the program that serves it, `prelude` runs
    in the citizens' process. With `undo` (or where nothing needs undoing: `served`) the leak stands in a town shared with others; with
    `has_every_word` in one without rows, whose policies use every word of the language.
    """

    name: str
    channel: int
    proofs: tuple[str, ...]
    before: Callable[[Patch], None] | None = None
    after: Spoil = _nothing
    undo: Spoil | None = None
    served: bool = False
    has_every_word: bool = False
    prelude: str = ""
    role: str = "citizen"

    @property
    def shares_a_town(self) -> bool:
        return self.served or self.undo is not None


def run(statement: str) -> Spoil:
    """SQL as superuser; `{db}` is the database, `{citizens}` the citizens' published trees, `{all}` the administration's."""

    def plant(town: Town, patch: Patch) -> None:
        names = {"db": town.database, "citizens": relation(town, "citizen"), "all": relation(town, "administration")}
        with town.superuser() as connection:
            connection.execute(statement.format(**names).encode())

    return plant


def each(*spoils: Spoil) -> Spoil:
    def plant(town: Town, patch: Patch) -> None:
        for spoil in spoils:
            spoil(town, patch)

    return plant


def relation(town: Town, schema: str, collection: str = "baeume") -> str:
    with town.superuser() as connection:
        query = "SELECT relation FROM published.shown WHERE schema = %s AND collection = %s"
        row = connection.execute(query, [schema, collection]).fetchone()
    assert row is not None
    return str(row[0])


def rewritten(function: str, before: str, after: str, then: str = "SELECT 1") -> Spoil:
    """A function of the schema `published` with another text; `{citizens}` as above."""

    def plant(town: Town, patch: Patch) -> None:
        name = function.format(citizens=relation(town, "citizen"))
        with town.superuser() as connection:
            row = connection.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [name]).fetchone()
            assert row is not None
            assert before in row[0], f"`{before}` is not in {name}"
            connection.execute(row[0].replace(before, after).encode())
            connection.execute(then.encode())

    return plant


def view(schema: str, collection: str, source: str = "{own}", **columns: str) -> Spoil:
    """A role's view made anew over `source`, with some columns given as expressions, new ones last; without further words as it was."""

    def plant(town: Town, patch: Patch) -> None:
        name = sql.Identifier(schema, collection).as_string()
        with town.superuser() as connection:
            query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
            names = [column for (column,) in connection.execute(query, [name]).fetchall()]
            told = [f"{columns.get(c, f't.{c}')} AS {c}" for c in (*names, *(c for c in columns if c not in names))]
            own, every = relation(town, schema, collection), relation(town, "administration")
            table = source.format(own=f"published.{own}", all=f"published.{every}")
            connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {', '.join(told)} FROM {table} t".encode())

    return plant


def patched(plant: Callable[[Patch], None]) -> Spoil:
    """A patch of the program, planted when the town stands."""
    return lambda town, patch: plant(patch)


def inside(program: str) -> str:
    """A prelude by which the process that listens runs `program` when it starts."""
    return f"""
import os, pathlib
pathlib.Path("sitecustomize.py").write_text({program!r})
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
"""
