"""Proof 3: after any writes the published tables and figures are exact, and a write leaves no trace with those to whom it shows nothing."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Final

import psycopg

from tests.leaks.exact import check_collections, check_features
from tests.leaks.seen import Seen
from tests.town.rows import EAST, NORTH
from tests.towns import Town

Connection = psycopg.Connection[tuple[Any, ...]]
Write = tuple[str, Sequence[Any]]

_STATES: Final = {
    "baeume": ("status", ["steht", "gefaellt", "geplant", None]),
    "kanalschaechte": ("zustand", ["gut", "mittel", "schlecht", None]),
}
_KEYS: Final = {"baeume": "baum_nr", "kanalschaechte": "schacht_nr", "bauantraege": "aktenzeichen"}


def find_untruth(town: Town, seed: int, rounds: int = 6) -> list[str]:
    """Findings after each of `rounds` random write sequences, alone and by two writers at once."""
    found: list[str] = []
    for number in range(rounds):
        sequences = [RandomWriter(town, f"{seed} {number} {writer}") for writer in range(1 + number % 2)]
        threads = [threading.Thread(target=writer.write) for writer in sequences]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found += [f"seed {seed}, round {number}: {what}" for what in check_truth(town)]
        found += [f"seed {seed}, round {number}: {error!r}" for writer in sequences for error in writer.failed]
        if found:
            break
    return found


def check_truth(town: Town) -> list[str]:
    """Drift as the publisher counts it, and every role's figures and features against the reference in Python."""
    found = [f"drift: {drift}" for drift in town.drift()]
    seen = Seen(town)
    for role in seen.roles:
        client = town.client(*(() if role == "citizen" else (role,)))
        document = client.get(f"/{role}/api?f=json").json()
        found += [f"{role}: {what}" for what in check_collections(seen, role, client, document)]
        for collection in seen.grants(role):
            found += [f"{role}: {what}" for what in check_features(seen, role, collection, client, [])]
    return found


class RandomWriter:
    """Some transactions of random writes as the writer; the same seed writes the same."""

    def __init__(self, town: Town, seed: str) -> None:
        self._random = random.Random(seed)
        self._seed = seed.replace(" ", "-")
        self._town = town
        self.failed: list[psycopg.Error] = []

    def write(self) -> None:
        with self._town.login("writer") as connection:
            for number in range(self._random.randint(2, 4)):
                try:
                    self._transaction(connection, number)
                except (psycopg.errors.DeadlockDetected, psycopg.errors.UniqueViolation):
                    continue  # another writer was first; all of it is undone
                except psycopg.Error as error:
                    self.failed.append(error)

    def _transaction(self, connection: Connection, number: int) -> None:
        with connection.transaction(force_rollback=self._random.random() < 0.2):
            for step in range(self._random.randint(1, 4)):
                with connection.transaction(force_rollback=self._random.random() < 0.2):  # a savepoint
                    statement, values = self._any(connection, f"{self._seed}-{number}-{step}")
                    connection.execute(statement.encode(), values)

    def _any(self, connection: Connection, word: str) -> Write:
        layer = self._random.choice(["baeume", "baeume", "baeume", "kanalschaechte", "bauantraege"])
        ids = [id for (id,) in connection.execute(f"SELECT id FROM store.{layer} ORDER BY {_KEYS[layer]}".encode()).fetchall()]
        some = self._random.sample(ids, min(len(ids), self._random.choice([1, 1, 2, 7])))
        return self._random.choice([self._insert, self._flip, self._move, self._move, self._change, self._rename, self._delete])(
            layer, some, word
        )

    def _insert(self, layer: str, _: Any, word: str) -> Write:
        key = _KEYS[layer]
        state = _STATES.get(layer)
        rows = [
            (f"{word}-{n}", self._random.choice(state[1]) if state else word, self._place(layer))
            for n in range(self._random.choice([1, 3]))
        ]
        columns = f"{key}, {state[0] if state else 'antragsteller'}, geometry"
        values = ", ".join("(%s, %s, %s::postgis.geometry)" for _ in rows)
        return f"INSERT INTO store.{layer} ({columns}) VALUES {values}", [value for row in rows for value in row]

    def _flip(self, layer: str, ids: Any, word: str) -> Write:
        if layer not in _STATES:
            return self._change(layer, ids, word)
        attribute, states = _STATES[layer]
        return f"UPDATE store.{layer} SET {attribute} = %s WHERE id = ANY (%s)", [self._random.choice(states), ids]

    def _move(self, layer: str, ids: Any, _: str) -> Write:
        return f"UPDATE store.{layer} SET geometry = %s::postgis.geometry WHERE id = ANY (%s)", [self._place(layer), ids]

    def _change(self, layer: str, ids: Any, word: str) -> Write:
        attribute, value = self._random.choice(self._cells(layer, word))
        return f"UPDATE store.{layer} SET {attribute} = %s WHERE id = ANY (%s)", [value, ids]

    def _cells(self, layer: str, word: str) -> list[tuple[str, Any]]:
        planted = self._random.choice([None, date(1700 + self._random.randrange(300), 1, 2)])
        return {
            "baeume": [
                ("art", word),
                ("hoehe_m", self._random.uniform(-9, 99)),
                ("gepflanzt", planted),
                ("vermerk", word),
                ("anzahl", None),
            ],
            "kanalschaechte": [("baujahr", self._random.randrange(1900, 2030)), ("sohle_m", None), ("bemerkung", word)],
            "bauantraege": [("antragsteller", word), ("antragsteller", None)],
        }[layer]

    def _rename(self, layer: str, ids: Any, word: str) -> Write:
        return f"UPDATE store.{layer} SET {_KEYS[layer]} = %s || '-' || {_KEYS[layer]} WHERE id = ANY (%s)", [word, ids]

    def _delete(self, layer: str, ids: Any, _: str) -> Write:
        return f"DELETE FROM store.{layer} WHERE id = ANY (%s)", [ids[:3]]

    def _place(self, layer: str) -> str | None:
        """Near, far out or nowhere."""
        reach = self._random.choice([500.0, 500.0, 60_000.0])
        x, y = EAST + self._random.uniform(-reach, reach), NORTH + self._random.uniform(-reach, reach)
        if self._random.random() < 0.1:
            return None
        if layer == "bauantraege":
            return f"SRID=25832;MULTIPOLYGON((({x} {y}, {x + 9} {y}, {x + 9} {y + 9}, {x} {y + 9}, {x} {y})))"
        return f"SRID=25832;POINT{'(' if layer == 'baeume' else ' Z('}{x} {y}{')' if layer == 'baeume' else ' 415.5)'}"


# edits that show nothing to at least one role; {to whom} is worked out by the reference
QUIET: Final[dict[str, Write]] = {
    "a note on a visible tree": ("UPDATE store.baeume SET vermerk = 'CANARY-quiet-1' WHERE baum_nr = 'CANARY-baum-1'", ()),
    "a height that rounds to the same": ("UPDATE store.baeume SET hoehe_m = hoehe_m + 0.01 WHERE baum_nr = 'CANARY-baum-2'", ()),
    "all trees updated to what they are": ("UPDATE store.baeume SET art = art", ()),
    "a felled tree moved away": (
        "UPDATE store.baeume SET geometry = 'SRID=25832;POINT(612345.678 5412345.678)' WHERE baum_nr = 'CANARY-baum-41'",
        (),
    ),
    "a planned tree added": ("INSERT INTO store.baeume (baum_nr, status) VALUES ('CANARY-quiet-2', 'geplant')", ()),
    "a planned tree deleted": ("DELETE FROM store.baeume WHERE baum_nr = 'CANARY-baum-60'", ()),
    "a tree with another number": ("UPDATE store.baeume SET baum_nr = 'CANARY-quiet-3' WHERE baum_nr = 'CANARY-baum-3'", ()),
    "an invert level": ("UPDATE store.kanalschaechte SET sohle_m = sohle_m + 1 WHERE zustand = 'schlecht'", ()),
    "a manhole moved within its cell": (
        "UPDATE store.kanalschaechte SET geometry = 'SRID=25832;POINT Z(672054.2 5500046.9 415.9)' WHERE schacht_nr = 'CANARY-schacht-1'",
        (),
    ),
    "an application added": ("INSERT INTO store.bauantraege (aktenzeichen) VALUES ('CANARY-quiet-4')", ()),
}


def find_traces(town: Town) -> list[str]:
    """Edits that must show nothing to a role, and yet moved something of it: a row version, a figure, an ETag, a byte."""
    found: list[str] = []
    seen = Seen(town)
    clients = {role: town.client(*(() if role == "citizen" else (role,))) for role in seen.roles}
    marks = {role: _marks(town, role, clients[role]) for role in seen.roles}
    for name, (statement, values) in QUIET.items():
        town.write(statement, *values)
        after = Seen(town)
        spared = [role for role in seen.roles if _looks(seen, role) == _looks(after, role)]
        if not spared:
            found.append(f"the edit `{name}` shows to every role and proves nothing")
        for role in seen.roles:
            now = _marks(town, role, clients[role])
            if role in spared:
                found += [f"{role}: {name} moved {what}" for what in now if now[what] != marks[role][what]]
            marks[role] = now
        seen = after
        if found:
            break
    return found


def _looks(seen: Seen, role: str) -> Any:
    return sorted(
        (collection, str(item.row.id), repr(item.properties), repr(item.coordinates)) for collection, item in seen.all_items(role)
    )


def _marks(town: Town, role: str, client: Any) -> dict[str, Any]:
    """All by which a role could notice that something happened."""
    schema = role.replace("/", "_")
    answers = {address: client.get(f"/{role}{address}") for address in _addresses(client, role)}
    marks: dict[str, Any] = {f"the answer of {a}": (r.status_code, r.headers.get("etag"), r.content) for a, r in answers.items()}
    with town.superuser() as connection:
        query = "SELECT relation FROM published.shown WHERE schema = %s"
        for (relation,) in connection.execute(query, [schema]).fetchall():
            rows = connection.execute(f"SELECT id, xmin, ctid FROM published.{relation} ORDER BY id".encode())
            marks[f"row versions of {relation}"] = rows.fetchall()
        marks["the collections' row versions"] = connection.execute(
            f"SELECT xmin, c::text FROM {schema}.collection c ORDER BY name".encode()
        ).fetchall()
    return marks


def _addresses(client: Any, role: str) -> Iterator[str]:
    yield from ("/", "/collections", "/api")
    for collection in client.get(f"/{role}/collections").json()["collections"]:
        yield from (f"/collections/{collection['id']}", f"/collections/{collection['id']}/items?limit=10000")


def find_stale_figures(town: Town) -> list[str]:
    """Figures after the outermost rows came and went, in space and in time."""
    found: list[str] = []
    steps: dict[str, Callable[[], None]] = {
        "far out": lambda: town.write(
            "UPDATE store.baeume SET geometry = 'SRID=25832;POINT(700000.5 5600000.5)', gepflanzt = '1701-01-01' WHERE baum_nr = 'CANARY-baum-5'"
        ),
        "hidden": lambda: town.write("UPDATE store.baeume SET status = 'gefaellt' WHERE baum_nr = 'CANARY-baum-5'"),
        "the outermost deleted": lambda: town.write(
            "DELETE FROM store.baeume WHERE baum_nr IN ('CANARY-baum-0', 'CANARY-baum-39', 'CANARY-baum-61')"
        ),
        "all but one hidden": lambda: town.write("UPDATE store.baeume SET status = 'geplant' WHERE baum_nr <> 'CANARY-baum-7'"),
        "all hidden": lambda: town.write("UPDATE store.baeume SET status = 'geplant'"),
        "one shown again": lambda: town.write("UPDATE store.baeume SET status = 'steht' WHERE baum_nr = 'CANARY-baum-8'"),
    }
    for name, step in steps.items():
        step()
        found += [f"{name}: {what}" for what in check_truth(town)]
        if found:
            break
    return found
