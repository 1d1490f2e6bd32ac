"""The guide to a public address done as it is written, in a folder that stands for the server; on a whole one in `tests/acceptance`."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo, sql

from tests.deploy.guide import PROJECT, Block, Reader, blocks
from tests.deploy.programs import HOST, caddy, free_ports, program
from tests.imports.certificates import Certificates, found
from twin_api.store.embedded import Cluster

pytestmark = pytest.mark.slow
PLACES = re.compile(r"(?<![\w/.$}])/(etc|srv|var|opt|usr/local|root|run)\b")


class Folder:
    """A folder as a server: its `/` lies there, its PostgreSQL is the tests' own, its ports are free ones."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self._folder, self._cluster = folder, cluster
        self.https, self.http, *served = free_ports(5)
        self.database = f"g{os.getpid()}z"
        known = conninfo.conninfo_to_dict(cluster.conninfo())
        self._renamed = {
            "host=127.0.0.1 dbname=twin": f"host={known['host']} port={known['port']} dbname={self.database}",
            "twin_admin": f"{self.database}_admin",
            "uebung": f"{self.database}u",
            **{
                f"{word}{port}": f"{word}{free}"
                for port, free in zip((8001, 8002, 8003), served, strict=True)
                for word in ("PORT=", "127.0.0.1:")
            },
        }
        login = {f"PG{key.upper()}": str(value) for key, value in known.items() if key in ("host", "port", "user", "password")}
        as_postgres = shlex.join(["env", "PGDATABASE=postgres", *(f"{key}={value}" for key, value in login.items())])
        self._programs = {
            "opt/twin-api/venv/bin/twin": f'exec "{sys.executable}" -m twin_api.cli "$@"',
            "bin/runuser": f'shift 3; exec {as_postgres} "$@"',  # `-u postgres --`
        }
        self.environment: Mapping[str, str] = {
            "PATH": f"{folder}/bin:{folder}/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"{folder}/root", "LANG": "C.UTF-8",
            "PYTHONPATH": str(PROJECT), "COLUMNS": "200",
        }  # fmt: skip

    def file(self, path: str) -> Path:
        return Path(path) if path.startswith(str(self._folder)) or path == "/" else self._folder / path.lstrip("/")

    def command(self, words: Sequence[str], user: str = "") -> list[str]:
        return [self.here(word) for word in words]

    def process(self, started: subprocess.Popen[bytes]) -> int:
        return started.pid

    def here(self, text: str) -> str:
        """The text with the server's places and names as they are here."""
        for there, here in self._renamed.items():
            text = text.replace(there, here)
        return PLACES.sub(lambda place: str(self._folder) + place[0], text)

    def install(self) -> None:
        """What `deploy/install` writes, and the programs it brings."""
        for name, line in self._programs.items():
            self._script(self._folder / name, line)
        (self._folder / "usr/local/src").mkdir(parents=True)
        (self._folder / "usr/local/src/twin-api").symlink_to(PROJECT)
        for name in ("root", "etc/caddy", "var/log", "run"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        installed = Reader(self, {}, frozenset(), {})
        installed.type(f"DESTDIR={self._folder} {PROJECT}/deploy/install")
        for path in [*self._folder.glob("etc/**/*"), *self._folder.glob("usr/local/sbin/*")]:
            if path.is_file():
                path.write_text(self.here(path.read_text(encoding="utf-8")), encoding="utf-8")

    def _script(self, path: Path, line: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o700)

    def trust(self, certificates: Certificates) -> None:
        """curl asks for the public name here."""
        told = f'connect-to = "{HOST}:443:127.0.0.1:{self.https}"\ncacert = "{certificates.authority}"\n'
        (self._folder / "root/.curlrc").write_text(told)

    def raze(self) -> None:
        with psycopg.connect(self._cluster.conninfo(), autocommit=True) as connection:
            for kind, query in {
                "DATABASE": "SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
                "ROLE": "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)",
            }.items():
                for (name,) in connection.execute(query.encode(), [self.database]).fetchall():
                    force = "WITH (FORCE)" if kind == "DATABASE" else ""
                    connection.execute(sql.SQL("DROP {} {} {}").format(sql.SQL(kind), sql.Identifier(name), sql.SQL(force)))


@pytest.fixture
def server(tmp_path: Path, cluster: Cluster) -> Iterator[Folder]:
    folder = Folder(tmp_path / "server", cluster)
    folder.install()
    yield folder
    folder.raze()


def test_the_guide_leads_from_an_empty_folder_to_a_public_address(server: Folder, tmp_path: Path) -> None:
    program("caddy")
    certificates = found(tmp_path)
    certificates.server(HOST)
    server.trust(certificates)
    done: list[Block] = []
    with ExitStack() as stack:

        def start_caddy() -> None:
            written = server.file("/etc/caddy/Caddyfile").read_text(encoding="utf-8")
            assert "tls " not in written, "Caddy is to fetch the certificate itself"
            pem = certificates.folder / f"{HOST}.pem"
            (tmp_path / "caddy").mkdir()
            stack.enter_context(
                caddy(
                    tmp_path / "caddy",
                    server.here(written.replace(f"{HOST} {{", f"{HOST} {{\n\ttls {pem} {pem}")),
                    server.http,
                    server.https,
                )
            )

        reader = Reader(server, {"adresse": HOST}, frozenset({"yours", "server", "later"}), {"caddy": start_caddy})
        stack.callback(reader.units.stop)
        reader.follow(done.append)
        assert '"attribution":"Meine Stadt (dl-de/by-2-0)"' in reader.type('curl --fail --silent "https://$adresse/citizen?f=json"')
    assert len(done) > len(blocks()) / 2


def test_every_step_of_the_guide_is_counted_and_its_remarks_are_known() -> None:
    page = (PROJECT / "docs/inbetriebnahme.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+)\.", page, re.MULTILINE) == [str(step) for step in range(1, 11)]
    assert {block.remark for block in blocks()} == {"", "yours", "server", "later"}
    assert {block.kind for block in blocks()} == {"sh", "text", "yaml"}
