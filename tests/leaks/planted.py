"""Leaks planted on purpose, each in a town of its own, and the proofs that must find them. A proof that finds nothing here proves nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import pytest
import sqlalchemy as sa
from psycopg import sql

from tests.leaks import walk
from tests.leaks.absent import find_lingering, find_presence
from tests.leaks.answers import find_leaks
from tests.leaks.grants import find_surplus
from tests.leaks.process import find_keys, find_logged
from tests.leaks.reach import find_reach
from tests.leaks.truth import find_stale_figures, find_traces, find_untruth
from tests.towns import Town
from twin_api import problems
from twin_api.block import Block, Route
from twin_api.blocks import features
from twin_api.door import answering, headers
from twin_api.door import door as door_module
from twin_api.encodings import openapi
from twin_api.identity.subject import Subject
from twin_api.policy.masks import Round
from twin_api.publish import projection
from twin_api.publish.statement import PlainGeometry
from twin_api.query import page, window
from twin_api.store import twin as twin_module
from twin_api.store.collection import GEOMETRY, MERCATOR, Collection, Property
from twin_api.texts import Text

Patch = pytest.MonkeyPatch
CAUGHT: Final[dict[str, list[str]]] = {}  # by planted leak: the proofs that found it, filled by the tests


@dataclass(frozen=True)
class Planted:
    """`before` patches the program before the town is founded, `after` spoils the town itself, `prelude` runs in the citizens' process."""

    name: str
    proofs: tuple[str, ...]
    before: Callable[[Patch], None] = lambda patch: None
    after: Callable[[Town, Patch], None] = lambda town, patch: None
    prelude: str = ""
    role: str = "citizen"


PROOFS: Final[Mapping[str, Callable[[Town, Planted], list[str]]]] = {
    "answers": lambda town, leak: find_leaks(town, [leak.role], at_most=3),
    "grants": lambda town, leak: find_surplus(town),
    "reach": lambda town, leak: find_reach(town, [leak.role], at_most=1),
    "drift": lambda town, leak: find_untruth(town, seed=7, rounds=4),
    "traces": lambda town, leak: find_traces(town),
    "figures": lambda town, leak: find_stale_figures(town),
    "absent": lambda town, leak: find_presence(town, [leak.role]),
    "gone at once": lambda town, leak: find_lingering(town),
    "process": lambda town, leak: find_keys(town, leak.prelude),
    "logs": lambda town, leak: find_logged(town),
}


# -- in the compiler, before anything is published


def _without_rule(patch: Patch) -> None:
    patch.setattr(projection, "predicate", lambda rule, source, place: sa.true())


def _unmasked(derived: str) -> Callable[[Patch], None]:
    """One of the derived columns made from the stored geometry."""

    def masked(definition: Any, source: Any) -> Any:
        columns = [source.c.id, *(c.mask.sql(source.c[c.name]).label(c.name) for c in definition.columns)]
        if definition.geometry_type:
            columns.append(sa.type_coerce(definition.geometry.sql(source.c.geometry), PlainGeometry()).label(GEOMETRY))
        columns.append(source.c.geometry.label("_stored"))
        return projection._fenced(sa.select(*columns).where(projection.predicate(definition.rows, source)), "masked")

    def placed(definition: Any, shown: Any) -> Any:
        if not definition.geometry_type:
            return shown
        stored = {derived: shown.c._stored}
        flat = sa.func.ST_Transform(sa.func.ST_Force2D(stored.get("mercator", shown.c[GEOMETRY])), 3857)
        wgs = sa.func.ST_ForcePolygonCCW(sa.func.ST_Transform(stored.get("feature", shown.c[GEOMETRY]), 4326))
        columns = [sa.type_coerce(flat, PlainGeometry()).label(MERCATOR), sa.type_coerce(wgs, PlainGeometry()).label("_wgs")]
        return projection._fenced(sa.select(*shown.c, *columns), "placed")

    def plant(patch: Patch) -> None:
        patch.setattr(projection, "_masked", masked)
        patch.setattr(projection, "_placed", placed)

    return plant


def _without_rounding(patch: Patch) -> None:
    patch.setattr(Round, "sql", lambda self, column: column)


# -- in the database


def _run(statement: str) -> Callable[[Town, Patch], None]:
    """SQL as superuser; `{db}` is the database, `{citizens}` the citizens' published trees, `{all}` the administration's."""

    def plant(town: Town, patch: Patch) -> None:
        with town.superuser() as connection:
            names = {"db": town.database, "citizens": _relation(town, "citizen"), "all": _relation(town, "administration")}
            connection.execute(statement.format(**names).encode())

    return plant


def _relation(town: Town, schema: str, collection: str = "baeume") -> str:
    with town.superuser() as connection:
        query = "SELECT relation FROM published.shown WHERE schema = %s AND collection = %s"
        row = connection.execute(query, [schema, collection]).fetchone()
    assert row is not None
    return str(row[0])


def _rewritten(function: str, before: str, after: str, then: str = "SELECT 1") -> Callable[[Town, Patch], None]:
    """A function of the schema `published` with another text; `{citizens}` as above."""

    def plant(town: Town, patch: Patch) -> None:
        name = function.format(citizens=_relation(town, "citizen"))
        with town.superuser() as connection:
            row = connection.execute("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", [name]).fetchone()
            assert row is not None
            assert before in row[0], f"`{before}` is not in {name}"
            connection.execute(row[0].replace(before, after).encode())
            connection.execute(then.encode())

    return plant


def _view(schema: str, collection: str, source: str, **columns: str) -> Callable[[Town, Patch], None]:
    """A role's view made anew over `source`, with some columns given as expressions, new ones last."""

    def plant(town: Town, patch: Patch) -> None:
        view = sql.Identifier(schema, collection).as_string()
        with town.superuser() as connection:
            query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
            names = [name for (name,) in connection.execute(query, [view]).fetchall()]
            told = [f"{columns.get(name, f't.{name}')} AS {name}" for name in (*names, *(c for c in columns if c not in names))]
            table = source.format(
                own=f"published.{_relation(town, schema, collection)}", all=f"published.{_relation(town, 'administration')}"
            )
            connection.execute(f"CREATE OR REPLACE VIEW {view} AS SELECT {', '.join(told)} FROM {table} t".encode())

    return plant


_COUNT_THE_STORE: Final = "EXECUTE format('SELECT count(*) FROM store.%I', d.layer) INTO d.count; FOR s IN"
_STORED_PLACE: Final = "(SELECT postgis.ST_Transform(postgis.ST_Force2D(s.geometry), 3857)::postgis.geometry(Point, 3857) FROM store.kanalschaechte s WHERE s.id = t.id)"


# -- in the server


def _always_shown(patch: Patch) -> None:
    for module in (page, twin_module):
        patch.setattr(module, "is_shown", lambda table: sa.true())


def _never_looked_up_again(patch: Patch) -> None:
    patch.setattr(twin_module.Twin, "collection", twin_module.Twin.known)


def _error_text_let_out(patch: Patch) -> None:
    patch.setattr(window, "read_value", lambda parameter, type_, text: text)
    patch.setattr(door_module, "Unexpected", lambda: problems.Unexpected(str(sys.exc_info()[1])))


def _hidden_filter(town: Town, patch: Patch) -> None:
    _view("citizen", "baeume", "{own}", vermerk="(SELECT s.vermerk FROM store.baeume s WHERE s.id = t.id)")(town, patch)
    known = Collection.property
    hidden = Property("vermerk", "text", Text("Vermerk"))
    patch.setattr(Collection, "property", lambda self, name: hidden if name == "vermerk" else known(self, name))


def _versioned_etag(town: Town, patch: Patch) -> None:
    def of_row_versions(body: bytes, digest_size: int) -> Any:
        with town.superuser() as connection:
            row = connection.execute("SELECT sum(xmin::text::bigint) FROM store.baeume").fetchone()
        return blake2b(body + repr(row).encode(), digest_size=digest_size)

    patch.setattr(answering, "blake2b", of_row_versions)


def _cached_for_everybody(patch: Patch) -> None:
    answer = answering.cached_response

    async def public(*told: Any) -> Any:
        response = await answer(*told)
        response.headers["Cache-Control"] = "public, no-cache"
        return response

    patch.setattr(door_module, "cached_response", public)


def _open_to_every_page(patch: Patch) -> None:
    patch.setattr(headers, "_shared", lambda origins, secure: headers._open(secure))


def _parts_open_to_their_family(patch: Patch) -> None:
    patch.setattr(Subject, "holds", lambda self, role: any(role.partition("/")[0] == held.partition("/")[0] for held in self.roles))


def _hinted(patch: Patch) -> None:
    patch.setattr(window, "PARAMETERS", (*window.PARAMETERS, "vermerk", "antragsteller"))


def _documented(patch: Patch) -> None:
    told = openapi.item_parameters
    hidden = {"name": "geprueft", "in": "query", "required": False, "schema": {"type": "string"}}
    patch.setattr(openapi, "item_parameters", lambda collection: [*told(collection), hidden])


def _telling_cursor(patch: Patch) -> None:
    told = features.cursor
    patch.setattr(features, "cursor", lambda key: told(key) + "Q0FOQVJZLWJhdW0tNDE")  # CANARY-baum-41


def _new_route(patch: Patch) -> None:
    room = Block("new", (Route("/new/{thing}", features.get_items, lambda collections: {}),))
    patch.setattr(walk, "BLOCKS", (*walk.BLOCKS, room))


_HANDED: Final = """
import importlib
serve = importlib.import_module("twin_api.cli.serve")
hand = serve._hand
serve._hand = lambda names, folder: hand([*names, "council"], folder)
"""
_INHERITED: Final = """
import os
execute, word = os.execve, os.environ["TWIN_DATABASE_URL"]
os.execve = lambda program, words, environment: execute(program, words, {**environment, "DATABASE_URL": word})
"""


PLANTED: Final = (
    Planted("row rule dropped", ("answers",), before=_without_rule),
    Planted("mask not applied to the place that is filtered", ("answers",), before=_unmasked("mercator"), role="council"),
    Planted("feature text built from the unmasked row", ("answers",), before=_unmasked("feature"), role="council"),
    Planted("numbers not rounded", ("answers",), before=_without_rounding),
    Planted("filter on the stored geometry", ("answers",), after=_view("council", "kanalschaechte", "{own}", _mercator=_STORED_PLACE), role="council"),
    Planted("view pointing at another role's table", ("answers", "grants"), after=_view("citizen", "baeume", "{all}")),
    Planted(
        "another role's collection in the list",
        ("answers",),
        after=_run("INSERT INTO citizen.collection SELECT * FROM administration.collection WHERE name = 'kanalschaechte'"),
    ),
    Planted(
        "count taken from the store",
        ("answers", "drift"),
        after=_rewritten("spread", "FOR s IN", _COUNT_THE_STORE, "SELECT published.spread(relation) FROM published.definition"),
    ),
    Planted(
        "trigger skips an update that hides a row",
        ("drift", "figures"),
        after=_rewritten("{citizens}_follow", "WHERE t.id = o.id AND NOT EXISTS", "WHERE false AND t.id = o.id AND NOT EXISTS"),
    ),
    Planted("trigger disabled", ("drift",), after=_run('ALTER TABLE store.baeume DISABLE TRIGGER "{citizens}_update"')),
    Planted("figures do not shrink", ("figures",), after=_rewritten("tell", "IF removed IS NOT NULL AND (", "IF false AND (")),
    Planted(
        "published row touched by a hidden edit",
        ("traces",),
        after=_rewritten("{citizens}_follow", "WHERE t.id IS NULL OR (", "WHERE true OR ("),
    ),
    Planted("ETag made of row versions", ("answers", "traces"), after=_versioned_etag),
    Planted("expired release still open", ("gone at once",), before=_always_shown),
    Planted("known collections kept over a policy change", ("gone at once",), before=_never_looked_up_again),
    Planted("PostGIS function granted to PUBLIC", ("grants", "reach"),
            after=_run("GRANT EXECUTE ON FUNCTION postgis.st_estimatedextent(text, text, text) TO PUBLIC")),
    Planted("catalogue function given back to PUBLIC", ("grants", "reach"), after=_run("GRANT EXECUTE ON FUNCTION pg_database_size(name) TO PUBLIC")),
    Planted("USAGE on the store's schema", ("grants",), after=_run("GRANT USAGE ON SCHEMA store TO {db}_citizen")),
    Planted("published table granted", ("grants", "reach"),
            after=_run("GRANT USAGE ON SCHEMA published TO {db}_citizen; GRANT SELECT ON published.{all} TO {db}_citizen")),
    Planted("one column of the store granted", ("grants", "reach"),
            after=_run("GRANT USAGE ON SCHEMA store TO {db}_citizen; GRANT SELECT (vermerk) ON store.baeume TO {db}_citizen")),
    Planted("login made a member of the owner", ("grants", "reach"), after=_run("GRANT {db}_owner TO {db}_citizen")),
    Planted("the text of a database error let out", ("answers",), before=_error_text_let_out),
    Planted("hidden attribute taken as a filter", ("answers", "absent"), after=_hidden_filter),
    Planted("hidden names offered as a hint", ("answers",), before=_hinted),
    Planted("hidden attribute in the OpenAPI document", ("answers",), before=_documented),
    Planted("hidden value in a cursor", ("answers",), before=_telling_cursor),
    Planted("a new route that nobody walks", ("answers",), before=_new_route),
    Planted("the council's answers cached for everybody", ("answers",), before=_cached_for_everybody, role="council"),
    Planted("the council's answers open to every page", ("answers",), before=_open_to_every_page, role="council"),
    Planted("token of a family opens its parts", ("answers",), before=_parts_open_to_their_family),
    Planted("another role's secret handed to the citizens' process", ("process",), prelude=_HANDED),
    Planted("the administrator's address left in the environment", ("process",), prelude=_INHERITED),
    Planted("statements logged with their values", ("grants", "logs"), after=_run("ALTER ROLE {db}_writer SET log_statement = 'all'")),
)  # fmt: skip
