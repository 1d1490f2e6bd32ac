"""A backup: the whole town as it was at one moment, sealed on its way to the disk.

Holds the store, control, what is withdrawn, the figures as they were last taken, the pepper of the tokens, and the files of the town.
Must never hold what can be made anew: published tables, roles, passwords.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from twin_api.backup.archive import Packing, packing
from twin_api.backup.client import dump_definitions
from twin_api.backup.folder import new_file
from twin_api.backup.manifest import ABOUT, DEFINITIONS, FORM, MANIFEST, PEPPER, About, Manifest, TableKept, write_json
from twin_api.backup.sealed import Recipient, sealing
from twin_api.backup.tables import Connection, Progress, copy_out, figures_kept, pin_copy, sequences_kept, tables_kept
from twin_api.publish.ground import connect_administrator
from twin_api.publish.layers import LOCK
from twin_api.publish.migrate import revision_of
from twin_api.publish.statement import pin_session
from twin_api.store.engine import Server
from twin_api.store.secrets import Secrets

LOCK_WAIT_S: Final = 60  # for an apply that is under way


class NothingToBackUp(Exception):
    """The database holds no town, or one of a version too old to be backed up."""


class ApplyUnderWay(Exception):
    """Policies are being applied and do not come to an end."""


@dataclass(frozen=True, slots=True)
class Made:
    path: Path
    manifest: Manifest


def take_backup(
    admin: str, secrets: Secrets, folder: Path, recipients: Sequence[Recipient], files: Mapping[str, bytes], now: datetime,
    on_progress: Progress = lambda what, done, total: None,
) -> Made:  # fmt: skip
    """Write one; nobody who reads or writes rows waits for it, an apply of policies does.

    `admin` is the administrator's address of the town's database, `files` the town's own by name. Interrupted, it leaves nothing.
    """
    server = Server.of(admin, secrets)
    with connect_administrator(admin) as keeper, new_file(folder, keeper.info.dbname, now) as (path, file):
        about = _settle(keeper, now)
        with keeper.transaction(), server.connect("owner") as connection:
            # of `pg_dump` and definitions alone: it reads the catalogue, names every schema, and calls nothing of the town's
            definitions = dump_definitions(admin, _share_snapshot(keeper, connection))
            ours = {DEFINITIONS: definitions, PEPPER: secrets.read("pepper").encode()}
            with sealing(file, recipients) as sink, packing(sink) as archive:
                manifest = _pack(connection, about, archive, {**ours, **files}, on_progress)
            connection.rollback()
    return Made(path, manifest)


def town_files(policies: Path, sources: Path) -> dict[str, bytes]:
    """The town's own files as they lie on this machine, whether or not they were applied."""
    return {
        f"{name}/{path.relative_to(folder)}": path.read_bytes()
        for name, folder in (("policies", policies), ("sources", sources))
        for path in sorted(folder.rglob("*.yaml"))
        if path.is_file()
    }


def _settle(connection: Connection, now: datetime) -> About:
    """From here on, what changes tables waits until the session of the administrator ends."""
    row = connection.execute("SELECT to_regclass('published.definition'), to_regclass('control.alembic_version')").fetchone()
    if row is None or None in row:
        raise NothingToBackUp()
    connection.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'".encode())
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # of the session, so that the snapshot is taken after it is had
    except psycopg.errors.LockNotAvailable:
        raise ApplyUnderWay() from None
    postgres = _one(connection, "SHOW server_version")
    return About(FORM, importlib.metadata.version("twin-api"), connection.info.dbname, now, str(revision_of(connection)), postgres)


def _share_snapshot(keeper: Connection, connection: Connection) -> str:
    """Begin the owner's transaction with the snapshot of the administrator's, who alone may export one; says which it is.

    INVARIANT: the administrator reads no table of the town, where a view or a type of the owner's making could stand.
    """
    keeper.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    snapshot = str(_one(keeper, "SELECT pg_export_snapshot()"))
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(snapshot)))
    pin_session(connection)
    pin_copy(connection)
    return snapshot


def _pack(
    connection: Connection, about: About, archive: Packing, files: Mapping[str, bytes], on_progress: Progress
) -> Manifest:  # fmt: skip
    figures = figures_kept(connection)
    tables = tables_kept(connection, figures)
    archive.put(ABOUT, write_json(about))
    for name, content in files.items():
        archive.put(name, content)
    done, total = 0, sum(tables.values())
    for table, size in tables.items():
        with closing(copy_out(connection, table)) as rows:  # interrupted, it has to end before the connection can
            archive.put_parts(table.member, _watched(rows, table, on_progress, done, size, total))
        done += size
    policy = connection.execute("SELECT version FROM control.policy ORDER BY id DESC LIMIT 1").fetchone()
    manifest = Manifest(about, policy[0] if policy else None, tuple(tables), tuple(figures), sequences_kept(connection), archive.entries)
    archive.put(MANIFEST, write_json(replace(manifest, entries=dict(archive.entries))))
    return manifest


def _watched(some: Iterator[bytes], table: TableKept, on_progress: Progress, before: int, size: int, total: int) -> Iterator[bytes]:
    """The same pieces; rows as text are about as long as the table is large, so a bar can follow them."""
    passed = 0
    for piece in some:
        yield piece
        passed += len(piece)
        on_progress(table.name, before + min(passed, size), total)


def _one(connection: Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
