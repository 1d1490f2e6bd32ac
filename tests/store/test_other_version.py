"""A store of another version than the server: 503 that says so, not ready, and service again without a restart."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from structlog.testing import capture_logs

from tests.towns import Town
from twin_api.door import health
from twin_api.publish.migrate import downgrade, migrate
from twin_api.store.twin import UNFIT

PATHS = ("collections", "collections/baeume", "collections/baeume/items", "collections/baeume/items/0a5c9c3e-0000-4000-8000-000000000000")


def told(client: httpx.Client) -> set[tuple[int, str]]:
    """Status and type of every answer of a twin, and of whether the server is ready."""
    answers = [client.get(path) for path in PATHS]
    ready = client.get(client.base_url.join("/readyz"))
    return {(a.status_code, str(a.json().get("type"))) for a in answers} | {(ready.status_code, ready.text)}


def test_a_server_of_another_version_than_its_store_says_so_until_they_fit(
    new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_FRESH_S", 0.0)
    town = new_town(rows=False)
    clients = [town.client_for("citizen"), town.client_for("council")]
    unfit = {(503, "urn:twin-api:problem:store-unfit"), (503, "not ready\n")}
    before = [told(client) for client in clients]
    assert (200, "ready\n") in before[0]
    with capture_logs() as log:
        downgrade(town.admin, town.secrets, "0010")
        assert [told(client) for client in clients] == [unfit, unfit]
        assert clients[0].get(PATHS[0]).headers["retry-after"] == "30"
        assert clients[0].get(clients[0].base_url.join("/healthz")).status_code == 200
    said = [line for line in log if line["event"] == "store_unfit"]
    assert {line["what"] for line in said} == {UNFIT}
    assert len(said) <= 2 * len(clients), "once by each who notices, not once a request"
    migrate(town.admin, town.secrets)
    assert [told(client) for client in clients] == before
    with town.superuser() as connection:  # a newer one takes away what it reads otherwise
        for schema in ("citizen", "council"):
            connection.execute(f"ALTER TABLE {schema}._closed RENAME TO _later".encode())
        assert [told(client) for client in clients] == [unfit, unfit]
        for schema in ("citizen", "council"):
            connection.execute(f"ALTER TABLE {schema}._later RENAME TO _closed".encode())
    assert [told(client) for client in clients] == before


def test_tokens_that_cannot_be_read_are_no_wrong_tokens(new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_FRESH_S", 0.0)
    town = new_town(rows=False)
    client = town.client_for("council")
    with town.superuser() as connection:
        connection.execute("ALTER TABLE control.token RENAME COLUMN secret TO hash")
        assert client.get("collections").json()["type"] == "urn:twin-api:problem:store-unfit"
        assert client.get(client.base_url.join("/readyz")).status_code == 503
        connection.execute("ALTER TABLE control.token RENAME COLUMN hash TO secret")
    assert client.get("collections").status_code == 200
