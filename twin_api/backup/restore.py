"""A backup becomes a town again: read to its end first, restored into an empty database, published anew, and compared.

Definitions and rows are brought in by the town's owner, who can do no harm beyond the town, whatever the file holds.
Must never change anything before the whole file has proved good, nor leave a town that is not what the backup says.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg import sql

from twin_api.backup.archive import whole
from twin_api.backup.check import check_backup, reading
from twin_api.backup.client import restore_definitions
from twin_api.backup.figures import are_published, put_back
from twin_api.backup.in_force import NotTheSame, prove, publish_in_force
from twin_api.backup.manifest import DEFINITIONS, PEPPER, Manifest, TableKept
from twin_api.backup.place import Place, empty_place
from twin_api.backup.sealed import Damaged, Identity
from twin_api.backup.tables import Connection, copy_in, measure, pin_copy
from twin_api.layers.table import STORE
from twin_api.publish.evolution import guard_statements
from twin_api.publish.migrate import find_revision, list_revisions, migrate
from twin_api.publish.statement import execute_one, pin_session
from twin_api.store.audit import note
from twin_api.store.engine import Server, login_of
from twin_api.store.secrets import SecretMissing, Secrets

Telling = Callable[[str], None]  # what is being done


class RevisionUnknown(Exception):
    """The backup is of a newer version of the program."""


class PepperDiffers(Exception):
    """The folder of secrets belongs to other tokens."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`taken_anew` counts figures whose definition is no longer the same; `before` is the database that was replaced."""

    manifest: Manifest
    before: str | None
    taken_anew: int


def restore_backup(
    path: Path, identities: Sequence[Identity], admin: str, secrets: Secrets, now: datetime, *, replace: bool = False,
    replace_pepper: bool = False, tell: Telling = lambda what: None,
) -> Restored:  # fmt: skip
    """Restore into the database that `admin` names, which must not hold a town unless `replace`.

    `replace_pepper`: the folder of secrets may belong to other tokens, which are invalid afterwards.
    Raises `Damaged`, `WrongKey`, `FormUnknown`, `RevisionUnknown`, `PepperDiffers`, `PlaceTaken`, `RestoreUnderWay`, `NotTheSame`.
    """
    manifest = check_backup(path, identities, tell)
    if manifest.about.revision not in list_revisions():
        raise RevisionUnknown()
    pepper = _told_pepper(path, identities)
    old_pepper = _pepper(secrets, pepper, replace_pepper)
    with ExitStack() as undoing:
        with empty_place(admin, replace=replace, now=now) as place:
            taken_anew = _Restoration(path, identities, place, secrets, manifest, now, tell).run()
            undoing.callback(_put_back, secrets, old_pepper, now)
            _keep_pepper(secrets, pepper, old_pepper, now)  # before the town has its name: who is killed in between repeats the command
        undoing.pop_all()
    return Restored(manifest, place.before, taken_anew)


def members(path: Path, identities: Sequence[Identity], names: Sequence[str]) -> Generator[tuple[str, Iterator[bytes]], None, None]:
    """Those members of a backup, in the order in which they lie in it."""
    wanted = set(names)
    with reading(path, identities) as found:
        for name, content in found:
            if name in wanted:
                yield name, content


def _whole(path: Path, identities: Sequence[Identity], name: str) -> bytes:
    with closing(members(path, identities, [name])) as found:
        return whole(next(found)[1])


def _told_pepper(path: Path, identities: Sequence[Identity]) -> str:
    try:
        return _whole(path, identities, PEPPER).decode("ascii")
    except UnicodeDecodeError:
        raise Damaged() from None


def _pepper(secrets: Secrets, wanted: str, replace_pepper: bool) -> str | None:
    try:
        found = secrets.read("pepper")
    except SecretMissing:
        return None
    if found != wanted and not replace_pepper:
        raise PepperDiffers()
    return found


def _keep_pepper(secrets: Secrets, pepper: str, before: str | None, now: datetime) -> None:
    """The tokens' own; that of a town that was replaced is kept beside it."""
    if before == pepper:
        return
    if before is not None:
        secrets.keep(_aside(now), before)
    secrets.keep("pepper", pepper)


def _put_back(secrets: Secrets, before: str | None, now: datetime) -> None:
    """The town that stood there goes on, with the pepper of its tokens."""
    if before is None:
        secrets.remove("pepper")
    else:
        secrets.keep("pepper", before)
        secrets.remove(_aside(now))


def _aside(now: datetime) -> str:
    return f"pepper_{now.astimezone(UTC):%Y%m%d_%H%M%S}"


@dataclass(frozen=True, slots=True)
class _Restoration:
    path: Path
    identities: Sequence[Identity]
    place: Place
    secrets: Secrets
    manifest: Manifest
    now: datetime
    tell: Telling

    def run(self) -> int:
        """All of it; says how many figures had to be taken anew."""
        admin = self.place.admin
        migrate(admin, self.secrets, self.manifest.about.revision)
        owner = Server.of(admin, self.secrets)
        with owner.connect("owner") as connection:
            connection.autocommit = True
            self._bring_rows(connection, owner.conninfo("owner"))
            self._compare(connection)
            migrate(admin, self.secrets)
            self._publish(connection)
            taken_anew = self._bring_figures(connection)
            self.tell("drift")
            prove(connection)
            note(connection, "town.restore", {"of": self.manifest.about.at.isoformat(), "revision": find_revision(admin)})
        return taken_anew

    def _bring_rows(self, connection: Connection, owner: str) -> None:
        """Tables, then their rows, then indexes and keys: the order that loads fastest."""
        dump = _whole(self.path, self.identities, DEFINITIONS)
        self.tell(DEFINITIONS)
        restore_definitions(owner, dump, "pre-data")
        tables = {table.member: table for table in self._plain_tables()}
        for name, content in members(self.path, self.identities, list(tables)):
            self.tell(tables[name].name)
            copy_in(connection, tables[name], content)
        restore_definitions(owner, dump, "post-data")
        for sequence, last in self.manifest.sequences.items():
            connection.execute("SELECT setval(%s::regclass, %s)", [sequence, last])
        for table in tables.values():
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.schema, table.name)))

    def _compare(self, connection: Connection) -> None:
        """Read back what was written: the same rows, octet by octet."""
        with connection.transaction():
            pin_session(connection)
            pin_copy(connection)
            wrong = [t.member for t in self._plain_tables() if measure(connection, t) != self.manifest.entries[t.member]]
        if wrong:
            raise NotTheSame(wrong)

    def _publish(self, connection: Connection) -> None:
        """Rights, triggers and published tables are made by the program, from the policies that were in force."""
        with connection.transaction():
            _guard_store(connection, self._plain_tables())
        publish_in_force(connection, self.secrets, self.now, lambda what, done, total: self.tell(what))

    def _bring_figures(self, connection: Connection) -> int:
        figures = {figure.relation: figure for figure in self.manifest.figures}
        tables = {table.member: table for table in self.manifest.tables if table.name in figures and are_published(connection, table)}
        for name, content in members(self.path, self.identities, list(tables)):
            put_back(connection, tables[name], figures[tables[name].name], content)
        return len(figures) - len(tables)

    def _plain_tables(self) -> list[TableKept]:
        figures = {figure.relation for figure in self.manifest.figures}
        return [table for table in self.manifest.tables if table.name not in figures]


def _guard_store(connection: Connection, tables: Sequence[TableKept]) -> None:
    for table in tables:
        if table.schema == STORE:
            for statement in guard_statements(table.name, table.columns, login_of(connection, "writer")):
                execute_one(connection, statement)
