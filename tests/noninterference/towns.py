"""Two towns that look alike to one role and differ in everything that is hidden from it.

They are founded once and then written to: the left and the right each for itself where the role cannot tell, both alike where it can.
INVARIANT: after every change each row looks the same to the role in both towns, as the reference in Python says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from psycopg import sql

from tests.noninterference.asking import Answer, Asked, Request
from tests.noninterference.edits import loaded
from tests.noninterference.rows import AREAS, NOW, stored
from tests.towns import DAY, Connection, Town
from twin_api.main import create_app
from twin_api.policy.approvals import APPROVALS
from twin_api.policy.documents import Policies
from twin_api.policy.rule import World
from twin_api.publish.apply import apply_policies
from twin_api.publish.figures_now import refresh_now
from twin_api.publish.withdraw import lift, withdraw

POLICIES: Final = Path(__file__).parent / "policies"
LAYERS: Final = ("ortsteile", "reviere", "baeume", "denkmale", "sitzungen", "kanalschaechte", "leitungen", "bauantraege")
UNLIMITED: Final = {"rate": 0.0, "pool_size": 2, "log_level": "error", "pool_wait_s": 30.0, "request_s": 60.0}

Row = dict[str, Any]
Step = list[Any]
Login = Literal["writer", "owner"]


class Side:
    """One of the two towns: its database, its server in this process, and what stands in its store. `journal` takes down every write."""

    def __init__(self, name: str, town: Town, journal: list[Step]) -> None:
        self.name = name
        self.town = town
        self.rows: dict[str, dict[UUID, Row]] = {layer: {} for layer in LAYERS}
        self.withdrawn: dict[UUID, str] = {}  # layer by item
        self.files = _files(town.policies_folder)
        self.policies = town.policies
        self._journal = journal
        self._logins: dict[str, Connection] = {}
        self.asked = Asked(create_app(town.settings(**UNLIMITED)), {role: town.token(role) for role in self.policies.roles})

    @property
    def world(self) -> World:
        return World({layer: list(self.rows[layer].values()) for layer in AREAS}, NOW)

    def run(self, login: Login, statement: str, values: Sequence[Any] = ()) -> None:
        self._journal.append([self.name, login, statement, [_as_word(value) for value in values]])
        self._login(login).execute(statement.encode(), values or None)

    def _login(self, login: Login) -> Connection:
        if login not in self._logins:
            self._logins[login] = self.town.login(login)
        return self._logins[login]

    def insert(self, layer: str, rows: Sequence[Row]) -> None:
        columns = list(rows[0])
        target = sql.SQL("INSERT INTO {} ({}) VALUES ").format(
            sql.Identifier("store", layer), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        one = f"({', '.join(_hole(column) for column in columns)})"
        self.run("writer", target.as_string() + ", ".join([one] * len(rows)), [stored(row[column]) for row in rows for column in columns])
        self.rows[layer] |= {row["id"]: row for row in rows}

    def update(self, layer: str, row: Row) -> None:
        columns = [column for column in row if column != "id"]
        told = ", ".join(f"{column} = {_hole(column)}" for column in columns)
        self.run("writer", f"UPDATE store.{layer} SET {told} WHERE id = %s", [*(stored(row[column]) for column in columns), row["id"]])
        self.rows[layer][row["id"]] = row

    def delete(self, layer: str, id: UUID) -> None:
        self.run("writer", f"DELETE FROM store.{layer} WHERE id = %s", [id])
        del self.rows[layer][id]

    def withdraw(self, layer: str, id: UUID) -> None:
        """As `twin withdraw`: out of every collection over the layer, of which one is called as the layer is."""
        self._journal.append([self.name, "withdraw", layer, str(id)])
        withdraw(self._login("owner"), layer, id)
        self.withdrawn[id] = layer

    def lift(self, layer: str, id: UUID) -> None:
        self._journal.append([self.name, "lift", layer, str(id)])
        lift(self._login("owner"), layer, id)
        del self.withdrawn[id]

    def clear(self) -> None:
        for layer in reversed(LAYERS):
            if self.rows[layer]:
                self.run("writer", f"DELETE FROM store.{layer}")
                self.rows[layer] = {}
        for id, layer in list(self.withdrawn.items()):
            self.lift(layer, id)

    def apply(self, files: Mapping[str, str]) -> None:
        """Put these policy files in force, with all approvals."""
        self._journal.append([self.name, "policies", dict(files)])
        policies = loaded(files)
        assert policies is not None
        with self.town.login("owner") as connection:
            apply_policies(connection, policies, DAY, self.town.secrets)
        self.files, self.policies = dict(files), policies

    def refresh_figures(self) -> None:
        self._journal.append([self.name, "figures"])
        for role, collection in figures_of(self.policies):
            refresh_now(self._login("owner"), role, collection)

    def relations(self, role: str) -> list[str]:
        """The published tables behind the role's collections."""
        query = "SELECT DISTINCT relation FROM published.shown JOIN published.role r USING (schema) WHERE r.name = %s ORDER BY relation"
        return [relation for (relation,) in self._login("owner").execute(query, [role]).fetchall()]

    def redo(self, step: Step) -> None:
        """A step of a journal, on this side."""
        match step[1]:
            case "policies":
                self.apply(step[2])
            case "figures":
                self.refresh_figures()
            case "withdraw":
                self.withdraw(step[2], UUID(step[3]))
            case "lift":
                self.lift(step[2], UUID(step[3]))
            case login:
                self.run(login, step[2], step[3])

    def close(self) -> None:
        for connection in self._logins.values():
            connection.close()


def figures_of(policies: Policies, day: date = DAY) -> list[tuple[str, str]]:
    """(role, collection) of every collection of figures, once each: roles that include a grant share what is published of it."""
    opened = [(role, name, grant) for role in policies.roles for name, grant in policies.roles[role].open_on(day).items()]
    return list({grant.place: (role, name) for role, name, grant in opened if grant.figures is not None}.values())


class Pair:
    """The left and the right town, and the loop that their servers run in."""

    def __init__(self, new_town: Callable[..., Town], policies: Path = POLICIES) -> None:
        self.journal: list[Step] = []
        self.left = Side("L", new_town(policies, rows=False), self.journal)
        self.right = Side("R", new_town(policies, rows=False), self.journal)
        self.founded_on = dict(self.left.files)
        self._runner = asyncio.Runner()
        for side in self.sides:
            self._runner.run(side.asked.start())

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.left, self.right

    def ask(self, request: Request) -> tuple[Answer, Answer]:
        self.journal.append(["ask", request.as_json()])
        return self._runner.run(self._both(request))

    async def _both(self, request: Request) -> tuple[Answer, Answer]:
        return await self.left.asked.answer(request), await self.right.asked.answer(request)

    def close(self) -> None:
        for side in reversed(self.sides):
            self._runner.run(side.asked.stop())
            side.close()
        self._runner.close()


def _files(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*.yaml")) if path.name != APPROVALS]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in paths}


def _hole(column: str) -> str:
    return "%s::postgis.geometry" if column == "geometry" else "%s"


def _as_word(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | date | datetime) else value
