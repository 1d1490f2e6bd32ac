"""What is imported to be measured: the buildings as GeoPackages, a database with three twins, and another one for ogr2ogr."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pyogrio
import shapely
from psycopg import sql

from bench import shapes
from bench.servers import family
from bench.town import DAY, POLICIES, PROJECT, Town
from twin_api.policy.load import load
from twin_api.publish.apply import apply_policies
from twin_api.publish.bulk import hold_writers, rebuild_layer
from twin_api.publish.drift import find_drift
from twin_api.publish.migrate import migrate
from twin_api.store.engine import Server

OURS, THEIRS = "import_bench", "import_peers"
FIELDS = shapes.COLUMNS[1:-1]
PART = 50_000  # rows written at once
LOOKED_S = 0.02
CHANGED = 100  # one row in so many, from one night to the next


class Broken(Exception):
    """A run did not do what it was to do: then its time means nothing."""


@dataclass(frozen=True, slots=True)
class Run:
    """One command from beginning to end, with the processes it started."""

    seconds: float
    peak_mb: float  # the peaks of all its processes together, PostgreSQL's apart


class Silo:
    """Two databases in the town's cluster and files to fill them from; everything is made anew each time and gone afterwards."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.server = Server(town.cluster.server(OURS), town.secrets)
        self.folder = town.home / "silo"

    @contextmanager
    def opened(self) -> Iterator[Silo]:
        self._remove()
        self.folder.mkdir()
        try:
            self._make_ours()
            self._make_theirs()
            yield self
        finally:
            self._remove()

    def file(self, features: int, name: str = "gebaeude", *, changed: bool = False) -> Path:
        """A GeoPackage of so many buildings; `changed` has another condition in one row of a hundred."""
        path = self.folder / f"{name}-{features}.gpkg"
        rows = shapes.rows(self.town.testdata, features)
        while part := list(islice(rows, PART)):
            _append(path, [_renewed(row) if changed and row[1] % CHANGED == 0 else row for row in part])
        return path

    def empty(self) -> None:
        """An empty layer with its three twins standing; neither run pays for what another one left to be written."""
        with psycopg.connect(self.town.cluster.conninfo(OURS)) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("TRUNCATE store.gebaeude")
        with self.server.connect("owner") as connection, connection.transaction():
            hold_writers(connection, "gebaeude")
            rebuild_layer(connection, "gebaeude")
        with psycopg.connect(self.town.cluster.conninfo(THEIRS)) as connection:
            connection.execute("DROP TABLE IF EXISTS gebaeude")
        self.settle()

    def settle(self) -> None:
        for database in (OURS, THEIRS):
            with psycopg.connect(self.town.cluster.conninfo(database), autocommit=True) as connection:
                connection.execute("VACUUM (ANALYZE)")
                connection.execute("CHECKPOINT")

    def ours(self, file: Path, *options: str) -> Run:
        told = {"TWIN_HOME": str(self.town.home), "TWIN_DATABASE": OURS, "TWIN_POLICIES": str(POLICIES), "PYTHONPATH": str(PROJECT)}
        return _run([sys.executable, "-m", "twin_api.cli", "import", str(file), "--layer", "gebaeude", *options], told)

    def theirs(self, file: Path) -> Run:
        """A new table with its spatial index, by COPY."""
        options = ["-nln", "gebaeude", "-lco", "GEOMETRY_NAME=geom", "-lco", "SPATIAL_INDEX=GIST", "--config", "PG_USE_COPY", "YES"]
        return _run([_ogr2ogr(), "-f", "PostgreSQL", f"PG:{self.town.cluster.conninfo(THEIRS)}", str(file), *options], {})

    def check(self, features: int) -> None:
        """Everything has arrived, and every twin shows what its definition yields."""
        with self.server.connect("owner") as connection:
            counts = connection.execute("SELECT count FROM published.definition").fetchall()
            connection.rollback()
            if counts != [(features,)] * 3 or any(find_drift(connection)):
                raise Broken(f"{features} features, published: {counts}")

    def check_theirs(self, features: int) -> None:
        with psycopg.connect(self.town.cluster.conninfo(THEIRS)) as connection:
            row = connection.execute("SELECT count(*) FROM gebaeude").fetchone()
            if row != (features,):
                raise Broken(f"{features} features, in ogr2ogr's table: {row}")

    def _make_ours(self) -> None:
        migrate(self.town.cluster.conninfo(OURS), self.town.secrets)
        with self.server.connect("owner") as connection:
            connection.autocommit = True
            apply_policies(connection, load(POLICIES), DAY, self.town.secrets)

    def _make_theirs(self) -> None:
        with self._administrator() as connection:
            connection.execute(f"CREATE DATABASE {THEIRS} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'".encode())
        with psycopg.connect(self.town.cluster.conninfo(THEIRS)) as connection:
            connection.execute("CREATE EXTENSION postgis")

    def _remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        with self._administrator() as connection:
            for database in (OURS, THEIRS):
                connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)".encode())
            roles = connection.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", [f"{OURS}_"]).fetchall()
            for (role,) in roles:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))

    def _administrator(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.town.cluster.conninfo(), autocommit=True)


def _ogr2ogr() -> str:
    found = shutil.which("ogr2ogr")
    if found is None:
        raise SystemExit("ogr2ogr is needed to compare with; Debian: apt-get install gdal-bin")
    return found


def _renewed(row: shapes.Row) -> shapes.Row:
    state = row[FIELDS.index("zustand") + 1]
    return (*row[:7], "schlecht" if state == "gut" else "gut", *row[8:])


def _append(path: Path, rows: Sequence[shapes.Row]) -> None:
    columns = list(zip(*rows, strict=True))
    kinds = {"nummer": np.int64, "baujahr": np.int32, "hoehe_m": np.float64}
    fields = [np.array(values, dtype=kinds.get(name, object)) for name, values in zip(FIELDS, columns[1:-1], strict=True)]
    pyogrio.raw.write(
        path, shapely.to_wkb(shapely.from_wkb(columns[-1])), fields, FIELDS, layer="gebaeude", driver="GPKG",
        geometry_type="MultiPolygon", crs=f"EPSG:{shapes.SRID}", append=path.exists(),
        dataset_options={"VERSION": "1.2"},  # which Debian's ogr2ogr knows
    )  # fmt: skip


def _run(command: Sequence[str], told: dict[str, str]) -> Run:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TWIN_", "PG"))}
    begun, peaks = time.monotonic(), dict[int, int]()
    with subprocess.Popen(command, env=kept | told, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for member in family(process.pid):
                peaks[member] = max(peaks.get(member, 0), _peak_kb(member))
            time.sleep(LOOKED_S)
        seconds = time.monotonic() - begun
    if process.returncode:
        raise Broken(f"{Path(command[0]).name} ended with {process.returncode}")
    return Run(seconds, sum(peaks.values()) / 1024)


def _peak_kb(pid: int) -> int:
    """The most memory the process has held so far; the kernel keeps it. Not `getrusage`, which counts that of whoever started it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
