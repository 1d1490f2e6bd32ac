"""Proof 2, over the whole catalogue: which of PostgreSQL's own relations a login can read, and whether anything in them, or any function that it
may call, tells of a write to hidden rows. `catalogue.txt` is what can be read; `docs/separation.md` says what that shows.

`python -m tests.leaks.catalogue --write` writes the file anew. Read the difference before you commit it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.leaks.grants import fresh_town, versions
from tests.towns import Town

SNAPSHOT: Final = Path(__file__).parent / "catalogue.txt"
Connection = psycopg.Connection[tuple[Any, ...]]

_RELATIONS: Final = """SELECT c.oid, c.relnamespace::regnamespace || '.' || c.relname, c.relisshared FROM pg_class c
WHERE c.relkind IN ('r', 'v') AND c.relnamespace::regnamespace::text IN ('pg_catalog', 'information_schema') ORDER BY 2"""
# of the cluster, where other towns come and go while we look: names of databases and logins
_OF_THE_CLUSTER: Final = ("pg_catalog.pg_roles", "pg_catalog.pg_user", "pg_catalog.pg_group")
# what a vacuum enters at its own time, for every table: the sizes that remain by nature
_COUNTED: Final = "ARRAY['relpages', 'reltuples', 'relallvisible', 'relfrozenxid', 'relminmxid']"
_FUNCTIONS: Final = """SELECT p.oid::regprocedure::text, p.pronargs FROM pg_proc p WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'postgis'::regnamespace)
AND p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
AND (p.pronargs = 0 OR p.pronargs = 1 AND p.proargtypes[0] IN ('oid'::regtype, 'regclass'::regtype, 'text'::regtype))
AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1"""
_HIDDEN_WRITES: Final = (
    "INSERT INTO store.baeume (baum_nr, status) SELECT 'CANARY-quiet-' || n, 'geplant' FROM generate_series(1000, 1020) n",
    "UPDATE store.baeume SET vermerk = 'CANARY-quiet-1' WHERE status = 'geplant'",
    "DELETE FROM store.baeume WHERE baum_nr LIKE 'CANARY-quiet-1___'",
)


def find_readable(town: Town, login: str = "citizen") -> list[str]:
    """Relations of the catalogue that the login reads and must not, or no longer reads."""
    first, *wanted = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    with town.login(login) as connection:
        found = readings(connection)
    with town.superuser() as connection:
        if not first.endswith(f" {versions(connection)}"):  # another version has other relations: of those that are known
            known = {line[2:] for line in wanted}
            found = [line for line in found if line[2:] in known]
            wanted = [line for line in wanted if line[2:] in {told[2:] for told in found}]
    surplus, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    return [f"{login}: {line}" for line in surplus] + [f"{login}: no longer {line}" for line in missing]


def readings(connection: Connection) -> list[str]:
    """A line for each relation of the catalogue: `+` is read whole, `~` in some of its columns, `-` not at all."""
    return [f"{_reading(connection, name)} {name}" for _, name, _ in connection.execute(_RELATIONS).fetchall()]


def _reading(connection: Connection, name: str) -> str:
    if _ask(connection, f"SELECT * FROM {name} LIMIT 1") is not None:
        return "+"
    return "-" if _ask(connection, f"SELECT 1 FROM {name} LIMIT 1") is None else "~"


def find_telling(town: Town, login: str = "citizen") -> list[str]:
    """What of the catalogue, and which functions, answer otherwise after writes that show nothing to the login. Changes the town."""
    with town.login(login) as connection, town.superuser() as superuser:
        connection.execute("SET statement_timeout = '2s'")
        questions = dict(_questions(connection, superuser))
        steady = _steady(connection, questions)
        for statement in _HIDDEN_WRITES:
            town.write(statement)
        return [f"{login}: {what} tells of a hidden write" for what, told in steady.items() if _ask(connection, questions[what]) != told]


def _steady(connection: Connection, questions: Mapping[str, str]) -> dict[str, object]:
    """The answers of those that answer, and the same when asked twice: not clocks, nor what is drawn by lot."""
    once = {what: _ask(connection, question) for what, question in questions.items()}
    return {what: told for what, told in once.items() if told is not None and _ask(connection, questions[what]) == told}


def _questions(connection: Connection, superuser: Connection) -> Iterator[tuple[str, str]]:
    for _, name, is_shared in connection.execute(_RELATIONS).fetchall():
        if not is_shared and name not in _OF_THE_CLUSTER:
            row = f"(to_jsonb(r) - {_COUNTED})::text" if name == "pg_catalog.pg_class" else "r::text"
            yield name, f"SELECT md5(coalesce(string_agg({row}, ',' ORDER BY {row}), '')) FROM {name} r"
    hidden = superuser.execute(
        "SELECT oid FROM pg_class WHERE relnamespace IN ('store'::regnamespace, 'published'::regnamespace)"
    ).fetchall()
    oids = ", ".join(str(oid) for (oid,) in hidden)
    for function, arguments in connection.execute(_FUNCTIONS).fetchall():
        name = function.partition("(")[0]
        if arguments == 0:
            yield function, f"SELECT md5(coalesce(string_agg(f::text, ','), '')) FROM {name}() f"
        elif function.endswith("(text)"):
            yield function, f"SELECT {name}('store.baeume')::text"
        else:
            of_each = f"(SELECT string_agg(f::text, ',') FROM {name}(o::{function.partition('(')[2].rstrip(')')}) f)"
            yield function, f"SELECT md5(coalesce(string_agg({of_each}, ','), '')) FROM unnest(ARRAY[{oids}]::oid[]) o"


def _ask(connection: Connection, question: str) -> object:
    """The first row, or None where it is refused."""
    try:
        return connection.execute(question.encode()).fetchone() or ()
    except psycopg.Error:
        return None


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"{__doc__}")
    for town in fresh_town():
        with town.superuser() as superuser, town.login("citizen") as connection:
            told = [f"PostgreSQL and PostGIS {versions(superuser)}", *readings(connection)]
            SNAPSHOT.write_text("\n".join(told) + "\n", encoding="utf-8")
