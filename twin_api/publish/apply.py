"""Applying policies: build what is new while readers go on, then switch every role in one short moment.

Must never leave a mixture: all of it happens in one transaction, and a failing apply changes nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import orjson
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from twin_api.layers.table import STORE
from twin_api.policy.documents import Policies
from twin_api.policy.matrix import matrix
from twin_api.publish.bulk_beside import clear_left
from twin_api.publish.definition import Definition, Shown, compile_policies
from twin_api.publish.difference import Difference, applied_policies, find_differences
from twin_api.publish.follow import follow_statements, unfollow_statements
from twin_api.publish.layers import LOCK, LayerPlan, change_layers, plan_layers
from twin_api.publish.preview import make_way
from twin_api.publish.role_schema import drop_role, drop_view, ensure_login, ensure_role, point_view, tell_about, tell_collections
from twin_api.publish.statement import execute_one, pin_session, quoted
from twin_api.publish.switch import SwitchBlocked, lock_for_switch
from twin_api.publish.table import PUBLISHED, area_index, create_statements, shared_statements
from twin_api.publish.withdraw import keep_withdrawn, leave_out_withdrawn, withdrawn_collections
from twin_api.store.audit import note
from twin_api.store.collection import About
from twin_api.store.secrets import Secrets

Connection = psycopg.Connection[tuple[Any, ...]]
Progress = Callable[[str, int, int], None]  # what is being done, steps done, steps in all

WRITERS_WAIT_S = 120  # longer than any writer may rest within a transaction


@dataclass(slots=True)
class Plan:
    """The way from what is published to what the policies want."""

    wanted: Mapping[str, Mapping[str, Shown]]
    new: dict[str, Definition] = field(default_factory=dict)  # by relation
    stale: dict[str, tuple[str, list[str]]] = field(default_factory=dict)  # relation -> layer and areas
    moved: list[tuple[str, Shown]] = field(default_factory=list)  # schema, collection to point at another table
    gone: list[tuple[str, str]] = field(default_factory=list)  # schema, collection
    new_roles: list[str] = field(default_factory=list)
    gone_roles: list[str] = field(default_factory=list)
    layers: LayerPlan = field(default_factory=LayerPlan)
    outdated: Mapping[str, dict[str, Any]] = field(default_factory=dict)  # relation that stays -> what the register has to say of it

    @property
    def shown(self) -> dict[str, Definition]:
        """By relation."""
        return {entry.definition.relation: entry.definition for entries in self.wanted.values() for entry in entries.values()}

    @property
    def touched_layers(self) -> list[str]:
        """Layers that are there and whose tables get or lose triggers, or change themselves."""
        new = {layer for d in self.new.values() for layer in (d.layer, *d.areas)}
        stale = {name for layer, areas in self.stale.values() for name in (layer, *areas)}
        return sorted((new | stale | set(self.layers.altered)) - self.layers.created)


def apply_policies(
    connection: Connection, policies: Policies, day: date, secrets: Secrets, on_progress: Progress = lambda what, done, total: None,
    *, evolve: bool = True,
) -> Plan:  # fmt: skip
    """Make the twins show what `policies` grant on `day`; connection of the owner, not in a transaction.

    Readers are never refused: they wait for the switch, some milliseconds. Writers of a layer that is rebuilt wait for the whole.
    The store's tables follow the layer files in the same step; `evolve=False` leaves them alone, for policies that are in force already.
    Raises `LayersRefused` when they cannot follow, `SwitchBlocked` when the switch cannot be had, with everything as before.
    """
    clear_left(connection)
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        differences = find_differences(connection, applied_policies(applied_files(connection)), policies, day)
        plan = make_plan(connection, policies, day)
        if evolve:
            plan.layers = plan_layers(connection, policies.layers)
            plan.layers.refuse()
        try:
            _hold_writers(connection, plan.touched_layers)
        except psycopg.errors.LockNotAvailable:
            raise SwitchBlocked() from None
        begun = time.monotonic()
        if evolve:
            plan.layers = change_layers(connection, policies.layers)
        _build(connection, plan, on_progress)
        built_s = time.monotonic() - begun
        for schema in sorted(plan.wanted.keys() - set(plan.new_roles)):
            ensure_login(connection, schema, secrets)
        plan.outdated = find_outdated(connection, plan)
        _record(connection, policies, day, differences, _outcome(connection, plan, built_s))  # until here readers go on
        lock_for_switch(
            connection, [(schema, shown.collection) for schema, shown in plan.moved] + plan.gone + _all_of(connection, plan.gone_roles)
        )
        with _forgotten_on_failure(plan.new_roles, secrets):
            _show(connection, policies, plan, secrets)
    for schema in plan.gone_roles:
        secrets.remove(schema)
    return plan


def make_plan(connection: Connection, policies: Policies, day: date) -> Plan:
    """What an apply would do now; changes nothing."""
    plan = Plan(compile_policies(policies, day))
    built = {
        r: (layer, areas) for r, layer, areas in connection.execute("SELECT relation, layer, areas FROM published.definition").fetchall()
    }
    shown = {(s, c): r for s, c, r in connection.execute("SELECT schema, collection, relation FROM published.shown").fetchall()}
    roles = {schema for (schema,) in connection.execute("SELECT schema FROM published.role").fetchall()}
    kept_out = withdrawn_collections(connection)
    plan.wanted = {schema: {n: e for n, e in entries.items() if n not in kept_out} for schema, entries in plan.wanted.items()}
    wanted = {(schema, name): entry for schema, entries in plan.wanted.items() for name, entry in entries.items()}
    needed = plan.shown
    plan.new = {relation: definition for relation, definition in sorted(needed.items()) if relation not in built}
    plan.stale = {relation: read for relation, read in sorted(built.items()) if relation not in needed}
    plan.moved = [(schema, entry) for (schema, name), entry in wanted.items() if shown.get((schema, name)) != entry.definition.relation]
    plan.gone_roles = sorted(roles - plan.wanted.keys())
    plan.gone = [key for key in sorted(shown) if key not in wanted and key[0] not in plan.gone_roles]
    plan.new_roles = sorted(plan.wanted.keys() - roles)
    return plan


def build(connection: Connection, definition: Definition, name: str) -> None:
    """Fill `published.<name>` from the store; the layer's writers must be held."""
    pin_session(connection)
    for statement in (*map(area_index, definition.areas), *create_statements(definition, name)):
        execute_one(connection, statement)


def _hold_writers(connection: Connection, layers: Iterable[str]) -> None:
    """Let writers of these layers wait until the end of the transaction; raises `SwitchBlocked` when one does not end."""
    connection.execute(f"SET LOCAL lock_timeout = '{WRITERS_WAIT_S}s'".encode())
    for layer in layers:
        connection.execute(f"LOCK TABLE {quoted(STORE, layer)} IN ACCESS EXCLUSIVE MODE".encode())


def _build(connection: Connection, plan: Plan, on_progress: Progress) -> None:
    for done, (relation, definition) in enumerate(plan.new.items()):
        on_progress(definition.layer, done, len(plan.new))
        build(connection, definition, relation)
        register(connection, definition)
        for statement in follow_statements(definition):
            execute_one(connection, statement)
    on_progress("", len(plan.new), len(plan.new))


def register(connection: Connection, definition: Definition) -> None:
    told = {"relation": definition.relation, **_registered(definition)}
    insert = sql.SQL("INSERT INTO published.definition ({}) VALUES ({})")
    columns = sql.SQL(", ").join(map(sql.Identifier, told))
    connection.execute(insert.format(columns, sql.SQL(", ").join(map(sql.Placeholder, told))), told)
    empty = f"UPDATE published.definition SET was_empty = NOT EXISTS (SELECT FROM {quoted(STORE, definition.layer)}) WHERE relation = %s"
    connection.execute(empty.encode(), [definition.relation])
    connection.execute("SELECT published.measure(%s)", [definition.relation])


def _registered(definition: Definition) -> dict[str, Any]:
    """What the register says of a table, and how it is built the next time."""
    relation = definition.relation
    return {
        "layer": definition.layer,
        "datetime": definition.datetime,
        "has_geometry": definition.geometry_type is not None,
        "statements": [*create_statements(definition, relation)],
        "shared": [*shared_statements(definition, relation)],
        "kind": "figures" if definition.groups else "items",
        "areas": list(definition.areas),
        "due": definition.due,
        "refresh": definition.groups.figures.refresh if definition.groups else None,
        "zone": definition.zone,
    }


def find_outdated(connection: Connection, plan: Plan) -> dict[str, dict[str, Any]]:
    """Published tables that stay and that another version of the program has registered or built in another way.

    By relation, with what this version would write down; what they show is the same.
    """
    wanted = {relation: _registered(definition) for relation, definition in sorted(plan.shown.items()) if relation not in plan.new}
    names = next(iter(wanted.values()), {})
    query = sql.SQL("SELECT relation, {} FROM published.definition").format(sql.SQL(", ").join(map(sql.Identifier, names or ["layer"])))
    found = {relation: dict(zip(names, told, strict=False)) for relation, *told in connection.execute(query).fetchall()}
    return {relation: told for relation, told in wanted.items() if relation in found and found[relation] != told}


def _renew(connection: Connection, outdated: Mapping[str, dict[str, Any]]) -> None:
    for relation, told in outdated.items():
        names = sql.SQL(", ").join(map(sql.Identifier, told))
        update = sql.SQL("UPDATE published.definition SET ({}) = ROW({}) WHERE relation = %(relation)s")
        connection.execute(update.format(names, sql.SQL(", ").join(map(sql.Placeholder, told))), {"relation": relation, **told})


def _all_of(connection: Connection, schemas: list[str]) -> list[tuple[str, str]]:
    """All relations of these schemas: their views, and the tables which readers hold together with a view."""
    query = "SELECT schema, collection FROM published.shown WHERE schema = ANY (%s)"
    views = [(s, c) for s, c in connection.execute(query, [schemas]).fetchall()]
    return views + [(schema, table) for schema in schemas for table in ("collection", "_closed")]


@contextmanager
def _forgotten_on_failure(schemas: list[str], secrets: Secrets) -> Iterator[None]:
    """A server takes a role with a secret for one that is there: made for nothing, the secret has to go again."""
    try:
        yield
    except BaseException:
        for schema in schemas:
            secrets.remove(schema)
        raise


def _show(connection: Connection, policies: Policies, plan: Plan, secrets: Secrets) -> None:
    names = {role.schema: role.name for role in policies.roles.values()}
    for schema in plan.new_roles:
        ensure_role(connection, schema, names[schema], secrets)
    _switch(connection, plan)
    for role in policies.roles.values():
        tell_about(connection, role.schema, About(policies.town.name, policies.town.pages, role.announce))


def _switch(connection: Connection, plan: Plan) -> None:
    for schema, collection in plan.gone:
        drop_view(connection, schema, collection)
    for schema in plan.gone_roles:
        drop_role(connection, schema)
    for schema, shown in plan.moved:
        point_view(connection, schema, shown)
    for schema, entries in plan.wanted.items():
        tell_collections(connection, schema, entries)
    for relation, (layer, areas) in plan.stale.items():
        for statement in unfollow_statements(layer, areas, relation):
            execute_one(connection, statement)
        connection.execute("DELETE FROM published.definition WHERE relation = %s", [relation])
        make_way(connection, relation)
        connection.execute(f"DROP TABLE {quoted(PUBLISHED, relation)}".encode())
    _renew(connection, plan.outdated)
    for relation in plan.new:  # what was withdrawn while it was built
        if leave_out_withdrawn(connection, relation):
            connection.execute("SELECT published.measure(%s)", [relation])
    keep_withdrawn(connection)
    connection.execute("SELECT published.spread(relation) FROM published.definition")


def applied_files(connection: Connection) -> dict[str, str]:
    """The texts of the policy files in force, by name; empty before the first apply."""
    row = connection.execute("SELECT files FROM control.policy ORDER BY id DESC LIMIT 1").fetchone()
    return dict(row[0]) if row else {}


def _outcome(connection: Connection, plan: Plan, seconds: float) -> dict[str, Any]:
    """What was built: the next forecast learns from it."""
    size = f"SELECT coalesce(sum(count), 0), coalesce(sum(pg_total_relation_size(format('{PUBLISHED}.%%I', relation)::regclass)), 0)"
    row = connection.execute(f"{size} FROM published.definition WHERE relation = ANY (%s)".encode(), [list(plan.new)]).fetchone()
    rows, bytes_ = (int(row[0]), int(row[1])) if row else (0, 0)
    return {"tables": len(plan.new), "rows": rows, "bytes": bytes_, "seconds": round(seconds, 3)}


def _reasons(policies: Policies, day: date) -> list[dict[str, Any]]:
    """Every release that is in force: what it lifts out of its class, why, on whose word and until when."""
    return [
        {
            "role": role.name, "collection": grant.collection, "of": sorted(release.of), "reason": release.reason,
            "approve": release.approve, "heard": release.heard, "until": release.until.isoformat(), "place": str(release.place),
        }
        for role in policies.roles.values()
        for grant in role.open_on(day).values()
        if (release := grant.release) is not None
    ]  # fmt: skip


def _record(connection: Connection, policies: Policies, day: date, differences: list[Difference], outcome: dict[str, Any]) -> None:
    """The applied files with matrix, reasons and differences; nothing where they are those of the last apply."""
    version = hashlib.sha256(repr((sorted(policies.files.items()), day.isoformat())).encode()).hexdigest()[:16]
    last = connection.execute("SELECT version FROM control.policy ORDER BY id DESC LIMIT 1").fetchone()
    if last and last[0] == version:
        return
    rows = [asdict(row) for row in matrix(policies, day)]
    connection.execute(
        "INSERT INTO control.policy (version, files, matrix, reasons, diff, outcome) VALUES (%s, %s, %s, %s, %s, %s)",
        [
            version,
            Jsonb(dict(policies.files)),
            Jsonb(rows, dumps=orjson.dumps),
            Jsonb(_reasons(policies, day)),
            Jsonb([difference.as_json() for difference in differences]),
            Jsonb(outcome),
        ],
    )
    note(connection, "policy.apply", {"version": version})
