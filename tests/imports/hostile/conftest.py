"""One store for all hostile files, and a socket that nobody may call."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.imports.conftest import new_database
from tests.imports.things import Database
from twin_api.store.embedded import Cluster


@pytest.fixture(scope="module")
def store(cluster: Cluster) -> Iterator[Database]:
    with new_database(cluster) as database:
        yield database


@pytest.fixture(scope="module")
def spy() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
