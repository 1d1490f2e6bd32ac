"""Those who go on while PostgreSQL is stopped, killed and frozen: each remembers what it was told, and what must not have been said."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.towns import DAY, Connection, Town
from twin_api.publish.apply import apply_policies
from twin_api.publish.switch import SwitchBlocked

PROJECT = str(Path(__file__).parents[2])
BATCH = 50
STANDING = 41  # trees that citizens see before anybody writes
APPLICATIONS = 5_000  # enough to be published set-wise
AWAY = (psycopg.OperationalError, psycopg.errors.RaiseException, SwitchBlocked)
WRITE = (
    "INSERT INTO store.baeume (baum_nr, art, status, geometry) SELECT 'K' || n, 'Linde', 'steht', "
    "ST_SetSRID(ST_MakePoint(672000 + n %% 900, 5500000 + n / 900), 25832) FROM generate_series(%s::int, %s::int) AS n"
)


class Actor(threading.Thread, ABC):
    """Acts again and again until told to stop; what it must not see stands in `wrong`."""

    def __init__(self, town: Town) -> None:
        super().__init__(daemon=True)
        self.town = town
        self.stopping = threading.Event()
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.act()
            except AWAY:
                time.sleep(0.02)
            except Exception as error:  # the test shall say it, not a thread that ends in silence
                self.wrong.append(repr(error))
                return

    @abstractmethod
    def act(self) -> None:
        """What this one does, once or for as long as the store answers."""

    def end(self) -> None:
        self.stopping.set()
        self.join(60)
        assert not self.is_alive(), f"{type(self).__name__} hangs"


class Writer(Actor):
    """Batches of trees, each in one transaction."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.acknowledged = 0

    def act(self) -> None:
        with self.town.login("writer") as connection:
            while not self.stopping.is_set():
                first = self.found(connection) + 1
                connection.execute(WRITE, [first, first + BATCH - 1])
                self.acknowledged = first + BATCH - 1
                time.sleep(0.01)

    def found(self, connection: Connection) -> int:
        """The last number that is there: the last acknowledged one, or one batch more whose answer was lost."""
        row = connection.execute("SELECT coalesce(max(substr(baum_nr, 2)::int), 0) FROM store.baeume WHERE baum_nr LIKE 'K%'").fetchone()
        assert row is not None
        if row[0] not in (self.acknowledged, self.acknowledged + BATCH):
            self.wrong.append(f"{row[0]} trees are there, {self.acknowledged} were acknowledged")
        return int(row[0])


class Reader(Actor):
    """A citizen at a real `twin serve`, who is told the whole truth or 503, and never less than before."""

    def __init__(self, town: Town, writer: Writer, address: str) -> None:
        super().__init__(town)
        self.writer = writer
        self.client = httpx.Client(base_url=address, timeout=30)
        self.good = self.away = self.seen = 0

    def act(self) -> None:
        acknowledged = self.writer.acknowledged
        answer = self.client.get("/citizen/collections/baeume/items?limit=500")
        if answer.status_code == 200:
            self._judge(answer.json(), acknowledged)
        elif answer.status_code == 503 and answer.headers.get("retry-after") and answer.json()["status"] == 503:
            self.away += 1
            time.sleep(0.02)
        else:
            self.wrong.append(f"{answer.status_code}: {answer.text[:200]}")

    def _judge(self, page: dict[str, Any], acknowledged: int) -> None:
        self.good += 1
        new = page["numberMatched"] - STANDING
        if new % BATCH or new < max(acknowledged, self.seen):
            self.wrong.append(f"{new} new trees are shown, {acknowledged} were acknowledged, {self.seen} had been shown")
        self.seen = max(self.seen, new)
        if len({frozenset(feature["properties"]) for feature in page["features"]}) > 1:
            self.wrong.append("items of two policies on one page")


class Applier(Actor):
    """Two policies in turn, the one with a year of planting, the other without."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.policies = [town.policies]
        town.edit("citizen.yaml", "gepflanzt: keep, ", "")
        self.policies.append(town.policies)
        self.applied = 0

    def act(self) -> None:
        with self.town.login("owner") as connection:
            apply_policies(connection, self.policies[self.applied % 2], DAY, self.town.secrets)
        self.applied += 1
        time.sleep(0.2)


class Importer(Actor):
    """Thousands of building applications from a source, all of one applicant, in turn, each time by `twin sources run`."""

    def __init__(self, town: Town) -> None:
        super().__init__(town)
        self.imported: list[str] = []  # applicants that were acknowledged
        self.tried = ""
        (town.folder / "sources").mkdir()
        text = "layer: bauantraege\nfiles: antraege.geojsonl\nreplace: true\nmay_shrink: true\n"
        (town.folder / "sources" / "antraege.yaml").write_text(text)

    def act(self) -> None:
        self.tried = "Muster" if self.tried == "Beispiel" else "Beispiel"
        (self.town.folder / "antraege.geojsonl").write_text("\n".join(_application(number, self.tried) for number in range(APPLICATIONS)))
        ended = subprocess.run(
            twin("sources", "run", "antraege"), env=environment(self.town), cwd=self.town.folder, capture_output=True, text=True
        )
        if ended.returncode == 0:
            self.imported.append(self.tried)
        elif "✗" in ended.stderr:
            self.wrong.append(ended.stderr)
        if "Traceback" in ended.stderr:
            self.wrong.append(ended.stderr[-600:])


def _application(number: int, applicant: str) -> str:
    x, y = 11.39 + number % 80 * 1e-4, 49.63 + number // 80 * 1e-4
    ring = [[x, y], [x + 5e-5, y], [x + 5e-5, y + 5e-5], [x, y + 5e-5], [x, y]]
    properties = {"aktenzeichen": f"A{number}", "antragsteller": applicant}
    return json.dumps({"type": "Feature", "properties": properties, "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]}})


def twin(*words: str) -> list[str]:
    return [sys.executable, "-m", "twin_api.cli", *words]


def environment(town: Town) -> dict[str, str]:
    return {
        "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_POLICIES": str(town.policies_folder),
        "TWIN_HOME": str(town.folder), "TWIN_LANG": "en", "PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT,
    }  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def started(town: Town, *words: str) -> subprocess.Popen[bytes]:
    with (town.folder / f"{words[0]}.log").open("wb") as log:
        return subprocess.Popen(twin(*words), env=environment(town), cwd=town.folder, stdout=log, stderr=log)


def is_alive(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is None and os.path.exists(f"/proc/{process.pid}")
