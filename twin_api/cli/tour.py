"""`twin tour`: the sample town shows in five steps what the three twins are, asking its own server, and leaves everything as it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Any, Final

import httpx
import typer

from twin_api.cli import context
from twin_api.cli.change import say_differences
from twin_api.policy.documents import Policies
from twin_api.policy.load import load_applied, load_texts
from twin_api.publish.apply import Connection, applied_files, apply_policies
from twin_api.publish.difference import find_differences
from twin_api.publish.withdraw import lift, withdraw, withdrawn_collections
from twin_api.settings import Settings
from twin_api.store.control import create_token, revoke_tokens
from twin_api.texts import Text

MANHOLES: Final = "kanalschaechte"
LIGHTS: Final = "strassenlaternen"
ROLES: Final = ("citizen", "council", "administration/bauhof", "administration/wasser")
WHO: Final = {
    "citizen": Text("Bürger", "citizens"),
    "council": Text("Rat", "council"),
    "administration/bauhof": Text("Bauhof", "works yard"),
    "administration/wasser": Text("Abwasser", "sewers"),
}
# what the fourth step changes: the council sees the grade of a street as it is, not in steps of a half
FILE, BEFORE, AFTER = "council.yaml", "zustandsnote: {round: 0.5}", "zustandsnote: keep"
TOKEN: Final = "tour "  # noqa: S105  # the beginning of a name, no secret


def tour() -> None:
    """See the same manhole as four roles, a change arrive, a policy change and a withdrawal; ends as it began."""
    with context.owner() as connection:
        if not leads_somewhere(connection):
            context.fail(_NOT_MUSTERDORF)
        files = applied_files(connection)
        with _tokens(connection) as tokens:
            asyncio.run(_walk(connection, load_applied(files), tokens))
    context.say(Text("\nAlles ist wieder, wie es war. Was geschah, steht im Protokoll (control.audit).",
                     "\nEverything is as it was. What happened stands in the audit log (control.audit)."))  # fmt: skip


def leads_somewhere(connection: Connection) -> bool:
    """Whether the policies in force are those of the sample town, as far as the tour needs them."""
    written = applied_files(connection).get(FILE, "")
    return BEFORE in written and {MANHOLES, LIGHTS}.isdisjoint(withdrawn_collections(connection))


_NOT_MUSTERDORF = Text(
    "Die Führung geht durch Musterdorf, wie `bin/demo` es einrichtet, mit unveränderten Richtlinien.",
    "The tour leads through Musterdorf as `bin/demo` sets it up, with its policies unchanged.",
)


@contextmanager
def _tokens(connection: Connection) -> Iterator[Mapping[str, str]]:
    """A token for each role that wants one, ended afterwards."""
    pepper = context.secrets().ensure("pepper")
    roles = [role for role in ROLES if role != "citizen"]
    made = {role: create_token(connection, pepper, TOKEN + role, [role], timedelta(minutes=15)) for role in roles}
    try:
        yield {role: token.text() for role, token in made.items()}
    finally:
        for token in made.values():
            revoke_tokens(connection, token.id)


class Visitor:
    """Asks the real server as one role or another."""

    def __init__(self, client: httpx.AsyncClient, tokens: Mapping[str, str]) -> None:
        self._client, self._tokens = client, tokens

    async def get(self, role: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._tokens[role]}"} if role in self._tokens else {}
        return await self._client.get(f"/{role}/{path}", headers=headers)

    async def item(self, role: str, id: str) -> Mapping[str, Any] | None:
        answer = await self.get(role, f"collections/{MANHOLES}/items/{id}")
        return answer.json() if answer.status_code == 200 else None


@asynccontextmanager
async def _visitor(tokens: Mapping[str, str]) -> AsyncIterator[Visitor]:
    from twin_api.main import create_app  # the server's libraries, which no other command waits for

    told = context.settings()
    app = create_app(Settings(server=context.server().address, secrets=context.secrets().folder, lang=told.lang, roles="all"))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tour") as client,
    ):
        yield Visitor(client, tokens)


async def _walk(connection: Connection, policies: Policies, tokens: Mapping[str, str]) -> None:
    async with _visitor(tokens) as visitor:
        with _manhole(connection) as (id, number):
            await _same_manhole(visitor, id, number)
            await _change_arrives(connection, visitor, id)
            await _hidden_change(connection, visitor, id)
        await _policy_change(connection, policies, visitor)
        await _withdrawal(connection, visitor)


@contextmanager
def _manhole(connection: Connection) -> Iterator[tuple[str, str]]:
    """A manhole in poor condition; whatever happens to it on the way is undone."""
    columns = "baujahr, sohle_m, geometry"
    query = f"SELECT id, schacht_nr, {columns} FROM store.{MANHOLES} WHERE zustand = 'schlecht' ORDER BY schacht_nr LIMIT 1"  # noqa: S608
    row = connection.execute(query.encode()).fetchone()
    if row is None:
        context.fail(_NOT_MUSTERDORF)
    try:
        yield str(row[0]), str(row[1])
    finally:
        values = [*row[2:], row[0]]
        _write(connection, f"UPDATE store.{MANHOLES} SET ({columns}) = (%s, %s, %s::postgis.geometry) WHERE id = %s", values)  # noqa: S608


def _write(connection: Connection, statement: str, values: list[Any]) -> None:
    """As an import or an edit would: the triggers publish in the same transaction."""
    connection.execute(statement.encode(), values)


def _heading(number: int, text: Text) -> None:
    context.say(Text(f"\n{number}. {text.de}\n", f"\n{number}. {text.en}\n"))


async def _same_manhole(visitor: Visitor, id: str, number: str) -> None:
    _heading(1, Text(f"Derselbe Schacht {number}, vier Rollen", f"The same manhole {number}, four roles"))
    for role in ROLES:
        await _say_item(visitor, role, id)
    context.say(Text("   Was eine Rolle nicht sieht, ist für sie nicht verborgen, sondern nicht da.",
                     "   What a role does not see is not hidden from it: for that role it is not there."))  # fmt: skip


async def _say_item(visitor: Visitor, role: str, id: str) -> None:
    item = await visitor.item(role, id)
    who = WHO[role].say(context.settings().lang)
    if item is None:
        context.say(Text(f"   {who:<11} 404: gibt es nicht", f"   {who:<11} 404: there is no such thing"))
        return
    place = ", ".join(f"{number:.5f}" for number in item["geometry"]["coordinates"])
    shown = ", ".join(f"{name} {value}" for name, value in item["properties"].items() if value is not None)
    typer.echo(f"   {who:<11} [{place}]  {shown}")


async def _change_arrives(connection: Connection, visitor: Visitor, id: str) -> None:
    _heading(2, Text("Der Schacht wird neu vermessen, drei Meter weiter, und ein Baujahr gefunden",
                     "The manhole is surveyed anew, three metres off, and a year of construction is found"))  # fmt: skip
    moved = (
        "UPDATE store.kanalschaechte SET baujahr = 1991, geometry = postgis.ST_Translate(geometry, "
        "CASE WHEN postgis.ST_X(geometry)::numeric %% 100 < 50 THEN 3 ELSE -3 END, 0, 0.25) WHERE id = %s"
    )
    _write(connection, moved, [id])
    for role in ROLES:
        await _say_item(visitor, role, id)
    context.say(Text("   Abwasser sieht es im selben Augenblick genau; der Rat dieselbe Mitte von 100 Metern und das Jahrzehnt.",
                     "   The sewers see it exactly at once; the council the same centre of 100 metres, and the decade."))  # fmt: skip


async def _hidden_change(connection: Connection, visitor: Visitor, id: str) -> None:
    _heading(3, Text("Die Sohle liegt tiefer als gedacht: das geht nur das Abwasser an",
                     "The invert lies deeper than thought: that concerns the sewers alone"))  # fmt: skip
    paths = dict.fromkeys(ROLES, f"collections/{MANHOLES}/items")
    paths |= {"citizen": "collections/kanalzustand/items", "administration/wasser": f"collections/{MANHOLES}/items/{id}"}
    before = {role: (await visitor.get(role, path)).headers.get("etag") for role, path in paths.items()}
    _write(connection, "UPDATE store.kanalschaechte SET sohle_m = sohle_m - 0.4 WHERE id = %s", [id])
    for role, path in paths.items():
        after = (await visitor.get(role, path)).headers.get("etag")
        who = WHO[role].say(context.settings().lang)
        if after == before[role]:
            context.say(Text(f"   {who:<11} unverändert: ETag {after}", f"   {who:<11} unchanged: ETag {after}"))
        else:
            context.say(Text(f"   {who:<11} neu: ETag {after}", f"   {who:<11} new: ETag {after}"))


async def _policy_change(connection: Connection, policies: Policies, visitor: Visitor) -> None:
    _heading(4, Text("Der Rat soll die Zustandsnote der Straßen genau sehen: eine Zeile in council.yaml",
                     "The council shall see the grade of the streets exactly: one line in council.yaml"))  # fmt: skip
    wider = load_texts({**policies.files, FILE: policies.files[FILE].replace(BEFORE, AFTER, 1)})
    day = context.today(policies)
    typer.echo(f"   - {BEFORE}\n   + {AFTER}")
    say_differences(find_differences(connection, policies, wider, day))
    grades = "collections/strassen/items?limit=5"
    before = _grades(await visitor.get("council", grades))
    try:
        apply_policies(connection, wider, day, context.secrets())
        after = _grades(await visitor.get("council", grades))
    finally:
        apply_policies(connection, policies, day, context.secrets())
    context.say(
        Text(f"   vorher {before}, angewendet {after}. Und wieder zurück.", f"   before {before}, applied {after}. And back again.")
    )


def _grades(answer: httpx.Response) -> str:
    return " ".join(str(feature["properties"]["zustandsnote"]) for feature in answer.json()["features"])


async def _withdrawal(connection: Connection, visitor: Visitor) -> None:
    _heading(5, Text("Jemand meldet: die Straßenlaternen hätten nicht hinausgehen dürfen",
                     "Somebody says: the street lights should never have gone out"))  # fmt: skip
    path = f"collections/{LIGHTS}/items"
    typer.echo(f"   {await _statuses(visitor, path)}")
    try:
        begun = time.monotonic()
        withdraw(connection, LIGHTS)
        statuses = await _statuses(visitor, path)
        took = f"{(time.monotonic() - begun) * 1000:.0f} ms"
        context.say(Text(f"   twin withdraw {LIGHTS}: nach {took} {statuses}, und so bleibt es auch nach späteren Anwendungen.",
                         f"   twin withdraw {LIGHTS}: after {took} {statuses}, and so it stays after later applies."))  # fmt: skip
    finally:
        lift(connection, LIGHTS)
        policies = load_applied(applied_files(connection))
        apply_policies(connection, policies, context.today(policies), context.secrets())
    statuses = await _statuses(visitor, path)
    context.say(Text(f"   Aufgehoben: {statuses}", f"   Lifted: {statuses}"))


async def _statuses(visitor: Visitor, path: str) -> str:
    """What each role is answered."""
    lang = context.settings().lang
    return ", ".join([f"{WHO[role].say(lang)} {(await visitor.get(role, path)).status_code}" for role in ROLES])
