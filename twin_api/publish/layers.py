"""Layer files become tables of the store: new, renamed, retyped and dropped attributes, all in one step or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from twin_api.layers.table import STORE
from twin_api.layers.table import describe as describe_table
from twin_api.policy.documents import Layer
from twin_api.publish.evolution import Evolution, create_steps, type_name
from twin_api.publish.layer_plan import LayerPlan, LayersRefused, absent_layer, describe, other_in_store, still_shown
from twin_api.publish.statement import execute_one, pin_session, quoted
from twin_api.publish.store_tables import Connection, stored_tables
from twin_api.store.engine import login_of
from twin_api.texts import Text

__all__ = ["LOCK", "LayerPlan", "LayersRefused", "apply_layers", "change_layers", "check_layers", "describe", "plan_layers"]

LOCK: Final = 7_403_001  # advisory: one apply at a time in a database, of layers or policies


def plan_layers(connection: Connection, layers: Mapping[str, Layer]) -> LayerPlan:
    """What has to be done to the store, and everything that stands in the way; changes nothing."""
    with connection.transaction():
        return _plan(connection, layers)[0]


def change_layers(connection: Connection, layers: Mapping[str, Layer]) -> LayerPlan:
    """Make the tables follow the files; in a transaction that holds off the writers of every layer that changes.

    Planned anew, because until they were held off they may have written. Raises `LayersRefused` before anything is done.
    """
    plan, _ = _plan(connection, layers)
    plan.refuse()
    for step in plan.steps:
        for statement in step.statements:
            execute_one(connection, statement)
    return plan


def check_layers(connection: Connection, layers: Mapping[str, Layer]) -> list[Text]:
    """Why policies over these files cannot stand on the store as it is; what it holds besides does not matter."""
    stored, reasons = stored_tables(connection), []
    for layer in layers.values():
        if layer.name not in stored:
            reasons.append(absent_layer(layer.name))
            continue
        columns = stored[layer.name].columns
        wanted = {column.name: type_name(column) for column in describe_table(layer).columns}
        reasons += [other_in_store(layer.name, name) for name, type_ in wanted.items() if columns.get(name) != type_]
    return reasons


def apply_layers(connection: Connection, layers: Mapping[str, Layer]) -> LayerPlan:
    """Layers without policies, in one transaction; connection of the owner. Refuses to touch what is published."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        plan, _ = _plan(connection, layers)
        plan.refuse()
        for layer in plan.altered:
            connection.execute(f"LOCK TABLE {quoted(STORE, layer)} IN ACCESS EXCLUSIVE MODE".encode())
        plan, evolutions = _plan(connection, layers)
        plan.refusals += _published(connection, evolutions)
        plan.refuse()
        return change_layers(connection, layers)


def _plan(connection: Connection, layers: Mapping[str, Layer]) -> tuple[LayerPlan, list[Evolution]]:
    pin_session(connection)
    stored, writer = stored_tables(connection), login_of(connection, "writer")
    plan = LayerPlan(left=sorted(stored.keys() - layers.keys()))
    evolutions = []
    for layer in layers.values():
        if layer.name not in stored:
            plan.steps += create_steps(layer, writer)
            continue
        evolution = Evolution(connection, layer, stored[layer.name], writer)
        evolution.plan()
        plan.steps += evolution.steps
        plan.refusals += evolution.refusals
        evolutions.append(evolution)
    return plan, evolutions


def _published(connection: Connection, evolutions: Iterable[Evolution]) -> list[Text]:
    """What would change under a published table. Its statements are searched for the names: rather one too many than one too few."""
    query = "SELECT array_to_string(statements, ' ') FROM published.definition"
    definitions = [text for (text,) in connection.execute(query).fetchall()]
    reasons = []
    for evolution in evolutions:
        layer = evolution.layer.name
        reading = [text for text in definitions if re.search(rf'\bstore"?\."?{layer}\b', text)]
        for column in sorted(evolution.changed_columns()):
            if any(re.search(rf'\."?{column}\b', text) for text in reading):
                reasons.append(still_shown(layer, column))
    return reasons
