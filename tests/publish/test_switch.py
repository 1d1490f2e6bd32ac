"""A policy changes while everybody reads and somebody writes: nobody is refused, nobody sees two versions in one answer."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Any

import httpx
import pytest

from tests.towns import Town

BEFORE = {
    "citizen": {"baeume": {"art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt"}},
    "council": {
        "baeume": {"art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt"},
        "kanalschaechte": {"baujahr", "zustand"},
    },
    "administration/bauhof": {
        "baeume": {"art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt"},
        "kanalschaechte": {"schacht_nr", "zustand"},
    },
    "administration/bauamt": {
        "baeume": {"art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt"},
        "bauantraege": {"aktenzeichen", "antragsteller"},
    },
}
AFTER: dict[str, dict[str, set[str]]] = {
    "citizen": {"baeume": {"art", "hoehe_m", "anzahl", "status"}},
    "council": {"baeume": {"art", "hoehe_m", "anzahl", "status"}},
    "administration/bauhof": {"baeume": {"art", "hoehe_m", "anzahl", "status"}, "kanalschaechte": {"baujahr", "zustand", "schacht_nr"}},
}
CHANGES = [
    (
        "citizen.yaml",
        "gepflanzt: keep, hoehe_m: {round: 1}, anzahl: keep, geschuetzt: keep",
        "hoehe_m: {round: 10}, anzahl: keep, status: keep",
    ),
    ("council.yaml", "  kanalschaechte:\n    rows", "#  kanalschaechte:\n#    rows"),
    (
        "administration.yaml",
        "attributes: {schacht_nr: keep, zustand: keep}",
        "attributes: {schacht_nr: keep, baujahr: keep, zustand: keep}",
    ),
    ("administration.yaml", "  bauamt:", "#  bauamt:"),
]


class Flipper:
    """A town whose policies go to and fro between two."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.texts = {file: (town.policies_folder / file).read_text() for file, _, _ in CHANGES}

    def flip(self, changed: bool) -> None:
        for file, text in self.texts.items():
            (self.town.policies_folder / file).write_text(self._changed(file, text) if changed else text)
        self.town.apply()

    def _changed(self, file: str, text: str) -> str:
        for name, before, after in CHANGES:
            if name == file:
                assert before in text
                text = text.replace(before, after)
        if file == "council.yaml":
            head, _, rest = text.partition("collections:\n")
            text = head + "collections: {}\n" + "".join(f"# {line}\n" for line in rest.splitlines())
        return text


class Reader(threading.Thread):
    """Reads one role's pages, items and collections until it is told to stop; keeps what should not have been."""

    def __init__(self, client: httpx.Client, role: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.client, self.role, self.stopped = client, role, stop
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []

    def run(self) -> None:
        address = f"/{self.role}/collections/{{}}/items"
        for name in cycle(["baeume", "kanalschaechte", "bauantraege"]):
            if self.stopped.is_set():
                return
            page = self.ask(address.format(name) + "?limit=1000")
            self.check_page(name, page)
            if page and page["features"]:
                self.ask(address.format(name) + f"/{page['features'][0]['id']}?f=html", parse=False)
                one = self.ask(address.format(name) + f"/{page['features'][-1]['id']}")
                self.check_properties(name, [one] if one else [])
            self.ask(address.format(name) + "?f=html&limit=50", parse=False)
            self.ask(address.format(name) + "?geschuetzt=true&bbox=11,49,12,50")
            self.check_collections(self.ask(f"/{self.role}/collections"))
            self.ask(f"/{self.role}/api", parse=False)

    def ask(self, address: str, *, parse: bool = True) -> dict[str, Any] | None:
        answer = self.client.get(address)
        self.statuses[answer.status_code] += 1
        always_there = "/baeume/items" in address and self.role in AFTER
        allowed = {200} | ({400} if "geschuetzt" in address else set()) | (set() if always_there else {404})
        if answer.status_code not in allowed:
            self.wrong.append(f"{address}: {answer.status_code} {answer.text[:200]}")
        return dict(answer.json()) if parse and answer.status_code == 200 else None

    def check_page(self, name: str, page: dict[str, Any] | None) -> None:
        if page is None:
            return
        if not page["numberMatched"] == page["numberReturned"] == len(page["features"]):
            self.wrong.append(f"{self.role} {name}: {page['numberMatched']} {page['numberReturned']} {len(page['features'])}")
        self.check_properties(name, page["features"])

    def check_properties(self, name: str, features: list[dict[str, Any]]) -> None:
        found = {frozenset(feature["properties"]) for feature in features}
        known = {frozenset(told[self.role][name]) for told in (BEFORE, AFTER) if name in told.get(self.role, {})}
        if len(found) > 1 or not found <= known:
            self.wrong.append(f"{self.role} {name}: {found}")
        finer = [f for f in features if "status" in f["properties"] and (f["properties"]["hoehe_m"] or 0) % 10]
        if finer:
            self.wrong.append(f"{self.role} {name}: the other version's heights: {finer[0]['properties']}")

    def check_collections(self, page: dict[str, Any] | None) -> None:
        if page is None:
            return
        found = {collection["id"] for collection in page["collections"]}
        if found not in [set(told[self.role]) for told in (BEFORE, AFTER) if self.role in told]:
            self.wrong.append(f"{self.role}: {found}")


def _edit(town: Town, stop: threading.Event) -> None:
    for number in cycle(range(1000)):
        if stop.is_set():
            return
        town.write("UPDATE store.baeume SET hoehe_m = %s WHERE baum_nr = %s", number / 7, f"CANARY-baum-{number % 40}")
        town.write("UPDATE store.kanalschaechte SET zustand = %s WHERE baujahr = %s", ["gut", "schlecht"][number % 2], 1953 + number % 24)
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("flips", "requests"), [(15, 300), pytest.param(100, 10_000, marks=pytest.mark.long)])
def test_policies_change_under_readers_and_writers_without_a_single_failure(
    new_town: Callable[..., Town], flips: int, requests: int
) -> None:
    town = new_town()
    flipper, stop = Flipper(town), threading.Event()
    town.serve(rate=0)
    readers = [Reader(town.client(*([] if role == "citizen" else [role])), role, stop) for role in BEFORE]
    writer = threading.Thread(target=_edit, args=(town, stop), daemon=True)
    for thread in (*readers, writer):
        thread.start()
    try:
        number = 0
        while number < flips or sum(sum(reader.statuses.values()) for reader in readers) < requests:
            flipper.flip(changed=number % 2 == 0)
            time.sleep(0.3)
            number += 1
    finally:
        stop.set()
        for thread in (*readers, writer):
            thread.join(20)
    assert [reader.wrong for reader in readers] == [[]] * len(readers)
    assert all(reader.statuses[200] > 50 for reader in readers), [reader.statuses for reader in readers]
    assert town.drift() == []
