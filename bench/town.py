"""The town that is measured: a private cluster of its own, the same buildings once as a twin and once as the peers like them best.

The twin's rows go through the project's own publisher. The peers' are one plain table in a database of their own: geometry in
EPSG:4326, which spares them every transformation, with a primary key and a spatial index.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.types.string import BytesBinaryDumper

from bench import shapes
from twin_api.policy.load import load
from twin_api.publish.apply import apply_policies
from twin_api.publish.layers import apply_layers
from twin_api.publish.migrate import migrate
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

PROJECT = Path(__file__).resolve().parent.parent
POLICIES = Path(__file__).resolve().parent / "policies"
DATABASE = "bench"
PEERS = "bench_peers"
DAY = date(2026, 11, 22)

PEERS_TABLE = """
CREATE TABLE gebaeude (id uuid NOT NULL, name text, art text, nutzung text, baujahr bigint, hoehe_m double precision,
                       geom geometry(MultiPolygon, 4326));
"""
PEERS_INDEXES = "ALTER TABLE gebaeude ADD PRIMARY KEY (id); CREATE INDEX ON gebaeude USING gist (geom);"
PEERS_ROWS = "SELECT id, name, art, nutzung, baujahr, hoehe_m, postgis.ST_Transform(geometry, 4326) FROM store.gebaeude ORDER BY nummer"


class Ewkb(bytes):
    """Stands for a geometry where psycopg asks for a Python type."""


class Town:
    """The two databases. `settle` fills them unless they are as wanted."""

    def __init__(self, home: Path, testdata: Path, features: int) -> None:
        self.home = home.absolute()
        self.testdata = testdata
        self.features = features
        self.secrets = Secrets(self.home / "secrets")
        self.cluster = Cluster(self.home, self.secrets)
        self.server = Server(self.cluster.server(DATABASE), self.secrets)

    @contextmanager
    def running(self) -> Iterator[Town]:
        rests = not self.cluster.is_running()
        self.cluster.ensure_running()
        try:
            yield self
        finally:
            if rests:
                self.cluster.stop()

    def settle(self) -> None:
        """Build both databases anew where the data, the policies or the publisher are not those of the last run."""
        note, wanted = self.home / "settled", self._fingerprint()
        if note.exists() and note.read_text() == wanted:
            return
        note.unlink(missing_ok=True)
        started = time.monotonic()
        print(f"building {self.features:,} features ({shapes.describe_source(self.testdata)}) ...", flush=True)
        self._raze()
        self._publish()
        self._make_peers()
        self._vacuum()
        note.write_text(wanted)
        print(f"built in {time.monotonic() - started:.0f} s")

    def peers_url(self) -> str:
        """For asyncpg: the socket's folder stands where a host would."""
        folder = quote(str(self.cluster.socket_folder), safe="")
        return f"postgresql://{PEERS}:{self.secrets.ensure(PEERS)}@{folder}:{self.cluster.port}/{PEERS}"

    def peers(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.cluster.conninfo(PEERS), autocommit=True)

    def citizen(self) -> psycopg.Connection[Any]:
        connection = self.server.connect("citizen")
        connection.autocommit = True
        return connection

    def handed(self) -> Path:
        """A folder with the citizen's secret alone, as `twin serve --roles citizen` gets it."""
        folder = self.home / "serve" / "citizen"
        self.secrets.hand(["citizen"], folder)
        return folder

    def postmaster(self) -> int:
        return int((self.cluster.data / "postmaster.pid").read_text().splitlines()[0])

    def _fingerprint(self) -> str:
        made_by = [
            *POLICIES.rglob("*.yaml"),
            *(PROJECT / "twin_api" / "publish").glob("*.py"),
            *(PROJECT / "alembic" / "versions").glob("*.py"),
        ]
        made_by += [Path(__file__), Path(shapes.__file__)]
        digest = hashlib.sha256(f"{self.features} {shapes.describe_source(self.testdata)}".encode())
        for path in sorted(made_by):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def _raze(self) -> None:
        with psycopg.connect(self.cluster.conninfo(), autocommit=True) as connection:
            for database in (DATABASE, PEERS):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
            roles = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{DATABASE}_"]).fetchall()
            for (role,) in roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    def _publish(self) -> None:
        migrate(self.cluster.conninfo(DATABASE), self.secrets)
        policies = load(POLICIES)
        with self.server.connect("owner") as connection:
            connection.autocommit = True
            apply_layers(connection, policies.layers)
            with psycopg.connect(self.cluster.conninfo(DATABASE)) as filler:
                _fill_store(filler, shapes.rows(self.testdata, self.features))
            apply_policies(connection, policies, DAY, self.secrets)

    def _make_peers(self) -> None:
        login, password = sql.Identifier(PEERS), sql.Literal(self.secrets.ensure(PEERS))
        with psycopg.connect(self.cluster.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(login))
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(login, password))
        with self.peers() as target, psycopg.connect(self.cluster.conninfo(DATABASE)) as source:
            target.execute("CREATE EXTENSION postgis")
            target.execute(PEERS_TABLE)
            copy_out, copy_in = f"COPY ({PEERS_ROWS}) TO STDOUT (FORMAT binary)", "COPY gebaeude FROM STDIN (FORMAT binary)"
            with source.cursor().copy(copy_out) as rows, target.cursor().copy(copy_in) as copy:
                for block in rows:
                    copy.write(block)
            target.execute(PEERS_INDEXES)
            target.execute(sql.SQL("GRANT SELECT ON gebaeude TO {}").format(login))

    def _vacuum(self) -> None:
        """What autovacuum would do within a minute or two, so that no round is disturbed by it."""
        for database in (DATABASE, PEERS):
            with psycopg.connect(self.cluster.conninfo(database), autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")


def _fill_store(connection: psycopg.Connection[Any], rows: Iterator[shapes.Row]) -> None:
    """By COPY, before anything is published: the set-wise way of the publisher then reads it all at once."""
    types = "SELECT attname, atttypid::int8 FROM pg_attribute WHERE attrelid = 'store.gebaeude'::regclass AND attnum > 0"
    oids = {name: int(oid) for name, oid in connection.execute(types).fetchall()}
    # PostGIS reads EWKB as the binary form of a geometry
    connection.adapters.register_dumper(Ewkb, type("GeometryDumper", (BytesBinaryDumper,), {"oid": oids["geometry"]}))
    columns = sql.SQL(", ").join(map(sql.Identifier, shapes.COLUMNS))
    with connection.cursor().copy(sql.SQL("COPY store.gebaeude ({}) FROM STDIN (FORMAT binary)").format(columns)) as copy:
        copy.set_types([oids[name] for name in shapes.COLUMNS])
        for row in rows:
            copy.write_row((*row[:-1], Ewkb(row[-1])))
