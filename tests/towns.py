"""Towns for tests: a database of their own, policies in a folder of their own, a server on a port of their own."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import uvicorn
from psycopg import sql
from starlette.types import ASGIApp

from tests.approving import approve_all
from tests.town.rows import ROWS
from twin_api.door.connection import ClientConnection
from twin_api.main import create_app
from twin_api.policy.documents import Policies
from twin_api.policy.load import load
from twin_api.publish.apply import Plan, apply_policies
from twin_api.publish.drift import Drift, find_drift
from twin_api.publish.layers import apply_layers
from twin_api.publish.migrate import migrate
from twin_api.settings import Settings
from twin_api.store.control import create_token
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

TEMPLATE = "tests_template"
DAY = date(2026, 11, 22)
_numbers = itertools.count()
Connection = psycopg.Connection[tuple[Any, ...]]


def make_template(cluster: Cluster) -> None:
    """A database with PostGIS in it, to copy from: the extension is the slowest part of a new one."""
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        # nothing here has to survive the machine, only the processes; a hundred small databases need no housekeeper every minute
        for setting in ("fsync = off", "autovacuum_naptime = '1h'", "checkpoint_timeout = '1h'"):
            connection.execute(f"ALTER SYSTEM SET {setting}".encode())
        connection.execute("SELECT pg_reload_conf()")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", [TEMPLATE]).fetchone():
            return
        connection.execute(f"DROP DATABASE IF EXISTS {TEMPLATE}".encode())
        connection.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'".encode())
        with psycopg.connect(cluster.conninfo(TEMPLATE), autocommit=True) as inside:
            inside.execute("CREATE SCHEMA postgis")
            inside.execute("CREATE EXTENSION postgis SCHEMA postgis")
        connection.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true".encode())


class Town:
    """A town with its database. `settle` publishes it; `client` asks it over HTTP."""

    def __init__(self, cluster: Cluster, folder: Path, policies: Path) -> None:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        self.database = f"t_{worker}_{os.getpid()}_{next(_numbers)}"
        self.cluster = cluster
        self.folder = folder
        self.policies_folder = folder / "policies"
        shutil.copytree(policies, self.policies_folder)
        self.secrets = Secrets(folder / "secrets")
        self.server = Server(cluster.server(self.database), self.secrets)
        self._http: Serving | None = None
        self._clients: list[httpx.Client] = []
        with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {self.database} TEMPLATE {TEMPLATE}".encode())
        migrate(self.admin, self.secrets)
        self.secrets.ensure("pepper")

    @property
    def admin(self) -> str:
        return self.cluster.conninfo(self.database)

    @property
    def policies(self) -> Policies:
        return load(self.policies_folder)

    def settle(self, *, rows: bool = True) -> None:
        """Layers, policies, and the tests' rows with all their canaries."""
        with self.login("owner") as connection:
            apply_layers(connection, self.policies.layers)
        self.apply()
        if rows:
            for layer, some in ROWS.items():
                self.insert(layer, some)

    def apply(self, day: date = DAY) -> Plan:
        approve_all(self.policies_folder)
        with self.login("owner") as connection:
            return apply_policies(connection, self.policies, day, self.secrets)

    def edit(self, file: str, before: str, after: str) -> None:
        """Change a policy file's text; it must hold `before`."""
        path = self.policies_folder / file
        text = path.read_text()
        assert before in text, f"{before!r} is not in {file}"
        path.write_text(text.replace(before, after))

    def login(self, role: str) -> Connection:
        """A connection as one of the town's database roles, autocommit."""
        connection = self.server.connect(role)
        connection.autocommit = True
        return connection

    def superuser(self) -> Connection:
        return psycopg.connect(self.admin, autocommit=True)

    def insert(self, layer: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows as attribute -> value; `geometry` as EWKT. As the writer, in one statement for each run of rows with the same attributes."""
        target = sql.Identifier("store", layer)
        with self.login("writer") as connection:
            for names, some in itertools.groupby(rows, key=tuple):
                columns = sql.SQL(", ").join(map(sql.Identifier, names))
                one = sql.SQL(", ").join(sql.SQL("%s::postgis.geometry") if name == "geometry" else sql.SQL("%s") for name in names)
                told = [list(row.values()) for row in some]
                values = sql.SQL(", ").join([sql.SQL("({})").format(one)] * len(told))
                connection.execute(sql.SQL("INSERT INTO {} ({}) VALUES {}").format(target, columns, values), list(itertools.chain(*told)))

    def write(self, statement: str, *values: Any) -> None:
        with self.login("writer") as connection:
            connection.execute(statement.encode(), values)

    def drift(self) -> list[Drift]:
        """Every published table that is not what it should be."""
        with self.login("owner") as connection:
            return [entry for entry in find_drift(connection) if entry]

    def token(self, *roles: str, lasts: timedelta = timedelta(hours=1), name: str = "test") -> str:
        with self.login("owner") as connection:
            return create_token(connection, self.secrets.read("pepper"), name, roles, lasts).text()

    def settings(self, **changed: Any) -> Settings:
        told = {"server": self.server.address, "secrets": self.secrets.folder, "roles": "all", "lang": "de"}
        return Settings(**{**told, **changed})

    def serve(self, **changed: Any) -> None:
        """A server with settings of its own for the clients to come."""
        self.close_server()
        self._http = Serving(self.settings(**changed))

    def client(self, *roles: str, **headers: str) -> httpx.Client:
        """A client of the running server, with a token for these roles if any are named."""
        if self._http is None:
            self.serve(rate=1_000.0, burst=1_000_000)  # tests ask faster than people
        assert self._http is not None
        if roles:
            headers["Authorization"] = f"Bearer {self.token(*roles)}"
        client = httpx.Client(base_url=self._http.address, headers=headers, timeout=30)
        self._clients.append(client)
        return client

    def client_for(self, role: str) -> httpx.Client:
        """A client that may see as this role, its paths relative to the role's own."""
        client = self.client(*(() if role == "citizen" else (role,)))
        client.base_url = httpx.URL(f"{client.base_url}").join(f"/{role}/")
        return client

    def close_server(self) -> None:
        """The next client meets a new one; those there are have nobody left to ask."""
        for client in self._clients:
            client.close()
        if self._http is not None:
            self._http.stop()
        self._clients, self._http = [], None

    def raze(self) -> None:
        self.close_server()
        with psycopg.connect(self.cluster.conninfo(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.database} WITH (FORCE)".encode())
            roles = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{self.database}_"]).fetchall()
            for (role,) in roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


class Serving:
    """The real application on a real port, in a thread of its own; `around` it what a test wants to hear or hold up."""

    def __init__(self, settings: Settings, around: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        # asyncio sets it only where a socket names its protocol; without it each answer waits 40 ms for an acknowledgement
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            around(create_app(settings)),
            http=ClientConnection,
            proxy_headers=False,
            log_level="warning",
            lifespan="on",
            access_log=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve([self._socket])), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
