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
_FUNCTIONS: Final = """SELECT p.oid::regprocedure::text, p.pronargs FROM pg_proc p WHERE p.pronamespace IN ('pg_catalog'::regnamespace, 'postgis'::regnamespace)
AND p.prokind = 'f' AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype)
AND (p.pronargs = 0 OR p.pronargs = 1 AND p.proargtypes[0] IN ('oid'::regtype, 'regclass'::regtype, 'text'::regtype))
AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1"""
_HIDDEN_WRITES: Final = (
    "INSERT INTO store.baeume (baum_nr, status) SELECT 'CANARY-quiet-' || n, 'geplant' FROM generate_series(1000, 1200) n",
    "UPDATE store.baeume SET vermerk = 'CANARY-quiet-1' WHERE status = 'geplant'",
    "DELETE FROM store.baeume WHERE baum_nr LIKE 'CANARY-quiet-1___'",
)


def find_readable(town: Town, login: str = "citizen") -> list[str]:
    """Relations of the catalogue that the login reads and must not, or no longer reads."""
    first, *wanted = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    with town.login(login) as connection:
        found = read_or_not(connection)
    with town.superuser() as connection:
        if versions(connection) != first.rpartition(" ")[2]:  # another version has other relations: of those that are known
            found = {name: is_read for name, is_read in found.items() if any(line[2:] == name for line in wanted)}
            wanted = [line for line in wanted if line[2:] in found]
    told = [f"{'+' if is_read else '-'} {name}" for name, is_read in found.items()]
    return [f"{login}: {line}" for line in (*sorted(set(told) - set(wanted)), *(f"not {line}" for line in sorted(set(wanted) - set(told))))]


def read_or_not(connection: Connection) -> dict[str, bool]:
    return {name: _ask(connection, f"SELECT 1 FROM {name} LIMIT 1") is not None for _, name, _ in connection.execute(_RELATIONS).fetchall()}


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
            yield name, f"SELECT md5(coalesce(string_agg(r::text, ',' ORDER BY r::text), '')) FROM {name} r"
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
            lines = [f"{'+' if is_read else '-'} {name}" for name, is_read in read_or_not(connection).items()]
            SNAPSHOT.write_text("\n".join([f"PostgreSQL and PostGIS {versions(superuser)}", *lines]) + "\n", encoding="utf-8")
