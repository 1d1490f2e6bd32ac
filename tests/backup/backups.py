"""Backups for tests, good ones and such as no program writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from tests.towns import Town
from twin_api.backup.archive import packing
from twin_api.backup.check import reading
from twin_api.backup.manifest import MANIFEST, read_manifest, write_json
from twin_api.backup.sealed import Identity, sealing
from twin_api.backup.take import Made, take_backup, town_files

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
PATHS = ("collections", "collections/baeume/items?limit=100", "collections/baeume")


def backed_up(town: Town, folder: Path, identity: Identity, now: datetime = NOW) -> Made:
    files = town_files(town.policies_folder, town.folder / "sources")
    return take_backup(town.admin, town.secrets, folder, [identity.to_public()], files, now)


def answers(town: Town) -> dict[str, tuple[int, bytes, str | None]]:
    """What citizens and council are told."""
    found = {}
    for role in ("citizen", "council"):
        client = town.client_for(role)
        for path in PATHS:
            answer = client.get(path)
            found[f"{role} {path}"] = (answer.status_code, answer.content, answer.headers.get("etag"))
    return found


@contextmanager
def asking(town: Town) -> Iterator[set[int]]:
    """A citizen and a councillor who ask all the time; yields every status they are told."""
    clients, told, stop = [town.client_for(role) for role in ("citizen", "council")], set[int](), threading.Event()

    def ask() -> None:
        while not stop.is_set():
            for client in clients:
                told.add(client.get("collections/baeume/items?limit=5").status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join(60)


def store_rows(town: Town, database: str | None = None) -> dict[str, tuple[object, ...]]:
    """Number and digest of the rows of each table of the store."""
    with psycopg.connect(town.cluster.conninfo(database or town.database)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT relname FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relkind = 'r'")
        ]
        digest = "SELECT count(*), md5(string_agg(t::text, '' ORDER BY id)) FROM store.{} t"
        return {name: connection.execute(digest.format(name).encode()).fetchone() or () for name in sorted(names)}


def standing(town: Town) -> tuple[object, ...]:
    """The databases, logins and secrets of a town."""
    with town.superuser() as connection:
        databases = connection.execute("SELECT oid, datname FROM pg_database WHERE starts_with(datname, %s)", [town.database]).fetchall()
        logins = connection.execute(
            "SELECT oid, rolname, rolpassword FROM pg_authid WHERE starts_with(rolname, %s)", [town.database]
        ).fetchall()
    return sorted(databases), sorted(logins), {role: town.secrets.read(role) for role in town.secrets.roles()}


def repacked(
    path: Path, identity: Identity, change: Mapping[str, Callable[[bytes], bytes]], *, without: str = "", twice: str = "", fitting: bool = True
) -> Path:  # fmt: skip
    """A backup that anybody with the public key could make of it: its manifest fits what was changed, if it is to."""
    target = path.with_name(f"forged-{path.name}")
    with (
        target.open("wb") as file,
        sealing(file, [identity.to_public()]) as sink,
        packing(sink) as archive,
        reading(path, [identity]) as members,
    ):
        for name, content in members:
            whole = b"".join(content)
            if name == MANIFEST and fitting:
                manifest = read_manifest(whole)
                whole = write_json(replace(manifest, entries=dict(archive.entries)))
            if name != without:
                archive.put(name, change[name](whole) if name in change else whole)
            if name == twice:
                again = (name, whole)
            if name == MANIFEST and twice:
                archive.put(*again)
    return target
