"""What is hidden under load is gone from every surface as soon as whoever hid it is told so, and that is within two seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.towns import Town
from twin_api.publish.withdraw import withdraw

WITHIN_S = 2.0
ROLES = ("citizen", "council", "administration")


class Surfaces:
    """Everything that shows a collection to a role, an item of it too, with the validators of what was shown before."""

    def __init__(self, town: Town, role: str, collection: str, word: str) -> None:
        self.role = role
        self._client = town.client(*([] if role == "citizen" else [role]))
        self.page = f"/{role}/collections/{collection}/items"
        features = self._client.get(f"{self.page}?limit=1000").json()["features"]
        self.id = next(feature["id"] for feature in features if word in str(feature))
        before = next((f["id"] for one, f in zip(features[1:], features, strict=False) if one["id"] == self.id), None)
        self.cursor = self._cursor_after(before) if before else f"{self.page}?limit=1000"
        self.single = [f"{self.page}/{self.id}", f"{self.page}/{self.id}?f=html"]
        self.pages = [self.cursor, f"{self.page}?limit=1000", f"{self.page}?limit=1000&f=html", f"{self.page}?bbox=11,49,12,50&limit=1000"]
        self.lists = [f"/{role}/collections", f"/{role}/collections?f=html", f"/{role}/api", f"/{role}/api?f=html"]
        self.about = [f"/{role}/collections/{collection}", f"/{role}/collections/{collection}?f=html"]
        self._etags = {address: self._client.get(address).headers["etag"] for address in self.every}

    @property
    def every(self) -> list[str]:
        return [*self.single, *self.pages, *self.lists, *self.about]

    def _cursor_after(self, id: str) -> str:
        address = f"{self.page}?limit=1"
        while True:
            page = self._client.get(address).json()
            address = next(link["href"] for link in page["links"] if link["rel"] == "next")
            if page["features"][0]["id"] == id:
                return httpx.URL(address).copy_with(params={**httpx.URL(address).params, "limit": "1000"}).raw_path.decode()

    def showing(self, addresses: list[str], status: int, word: str) -> list[str]:
        """Those that do not answer with `status`, or still with `word`; each is asked with its old ETag and without."""
        found = []
        for address in addresses:
            for headers in ({}, {"If-None-Match": self._etags[address]}):
                answer = self._client.get(address, headers=headers)
                if answer.status_code != status or word.encode() in answer.content:
                    found.append(f"{address} {headers}: {answer.status_code} {answer.content[:80]!r}")
        return found


@contextmanager
def _load(town: Town) -> Iterator[None]:
    """Readers of every role, and writers of other rows, until it is over."""
    stop = threading.Event()

    def read(client: httpx.Client, role: str) -> None:
        while not stop.is_set():
            client.get(f"/{role}/collections/baeume/items?limit=40")

    def write() -> None:
        while not stop.wait(0.02):
            town.write("UPDATE store.baeume SET hoehe_m = hoehe_m + 1 WHERE baum_nr = 'CANARY-baum-3'")

    readers = [threading.Thread(target=read, args=(town.client(*([] if r == "citizen" else [r])), r), daemon=True) for r in ROLES]
    threads = [*readers, threading.Thread(target=write, daemon=True)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


@pytest.mark.slow
def test_a_row_a_layer_and_a_role_are_gone_from_every_surface_at_once(new_town: Callable[..., Town]) -> None:
    town = new_town()
    town.write("UPDATE store.baeume SET art = 'CANARY-hidden-row' WHERE baum_nr = 'CANARY-baum-5'")
    with _load(town):
        surfaces = [Surfaces(town, role, "baeume", "CANARY-hidden-row") for role in ROLES[:2]]
        begun = time.monotonic()
        town.write("UPDATE store.baeume SET status = 'gefaellt' WHERE baum_nr = 'CANARY-baum-5'")
        assert time.monotonic() - begun < WITHIN_S
        for one in surfaces:
            assert one.showing(one.single, 404, "CANARY-hidden-row") == []
            assert one.showing(one.pages, 200, "CANARY-hidden-row") == []
        _withdraw_under_a_resting_writer(town, [Surfaces(town, role, "baeume", "Linde") for role in ROLES])
        _drop_the_council(town)
    assert town.drift() == []


def _withdraw_under_a_resting_writer(town: Town, surfaces: list[Surfaces]) -> None:
    with town.login("owner") as owner, town.login("writer") as writer, writer.transaction():
        writer.execute("DELETE FROM store.baeume WHERE baum_nr = 'CANARY-baum-7'")
        begun = time.monotonic()
        withdraw(owner, "baeume")
        assert time.monotonic() - begun < WITHIN_S
        for one in surfaces:
            assert one.showing([*one.single, *one.pages, *one.about], 404, "Linde") == []
            assert one.showing(one.lists, 200, "baeume") == []


def _drop_the_council(town: Town) -> None:
    client = town.client("council")
    assert client.get("/council/collections").status_code == 200
    (town.policies_folder / "council.yaml").unlink()
    town.apply()
    for path in ("", "/collections", "/collections/kanalschaechte/items", "/collections/kanalschaechte?f=html", "/api"):
        answer = client.get(f"/council{path}")
        assert answer.status_code == 404, f"/council{path}: {answer.status_code}"
