"""Alembic's migrations: database, extension, roles, functions, hardening, grants. What they do to the owner's tables the owner does.

Must never touch layer tables or published tables: those follow the policy files.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import conninfo, sql

from twin_api.publish.ground import connect_administrator, foreign_things, take_control
from twin_api.publish.hardening import harden
from twin_api.publish.statement import execute_one
from twin_api.publish.switch import StoreBusy
from twin_api.settings import carried
from twin_api.store.engine import DRAFT, Server, login_of, town_of
from twin_api.store.secrets import Secrets

BASE_LOGINS: Final = ("owner", "writer", "audit", "control")
LOCK_WAIT_S: Final = 2
TRIES: Final = 5
SCRIPTS: Final = carried("migrations", "alembic")


class StoreUnfit(Exception):
    """The PostgreSQL at hand cannot carry a store; the text says what is missing."""


def migrate(admin: str, secrets: Secrets, revision: str = "head") -> None:
    """Bring the database of `admin` (libpq keywords or URL of an administrator) to `revision`; makes the database if need be.

    Repeatable; with nothing to do it takes some 100 ms. The logins' passwords follow the secrets, and what an update of an
    extension has opened to PUBLIC since is taken back. Raises `StoreUnfit`, `StoreBusy`.
    """
    _ensure_database(admin)
    with connect_administrator(admin) as connection:
        _check_server(connection)
        _ensure_extension(connection)
        _secure(connection)
        _run_alembic(admin, secrets, revision)
        if revision != "base":
            _set_passwords(connection, secrets)
        if revision == "head":
            harden(connection)


def downgrade(admin: str, secrets: Secrets, revision: str) -> None:
    """Back to an earlier revision; the rows of `store` stay."""
    with connect_administrator(admin) as connection:
        _secure(connection)
    _run_alembic(admin, secrets, revision, down=True)


def _secure(connection: psycopg.Connection[Any]) -> None:
    """INVARIANT: nothing in `control` is called or read by a migration before it is certain that no town's login has put it there."""
    take_control(connection)
    foreign = foreign_things(connection)
    if foreign:
        raise StoreUnfit(f"its owner has put there what would run with the administrator's rights: {', '.join(foreign[:5])}; "
                         "nothing was run: find out how it came there, then drop it by hand")  # fmt: skip


def list_revisions() -> list[str]:
    """All revisions this program knows, the oldest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()][::-1]


def newest_revision() -> str:
    """The revision that this program works with."""
    return list_revisions()[-1]


def revision_of(connection: psycopg.Connection[Any]) -> str | None:
    """The revision a database is at; None where nobody has set it up. Connection of the administrator."""
    row = connection.execute("SELECT to_regclass('control.alembic_version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return None
    # COPY takes tables only: in a town of an earlier version the owner could have put a view there
    try:
        with connection.cursor() as cursor, cursor.copy("COPY control.alembic_version (version_num) TO STDOUT") as copy:
            rows = list(copy.rows())
    except psycopg.errors.WrongObjectType:
        return None
    return str(rows[0][0]) if rows else None


def find_revision(admin: str) -> str | None:
    """The same, by an address."""
    with connect_administrator(admin) as connection:
        return revision_of(connection)


def is_superuser(admin: str) -> bool:
    """Whether the administrator can take from PUBLIC what PostgreSQL and PostGIS give it; if not, that part of the hardening is missing."""
    with connect_administrator(admin) as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return row is not None and bool(row[0])


def verifier(connection: psycopg.Connection[Any], login: str, secret: str) -> str:
    """The SCRAM verifier of a password: the password itself never travels."""
    return connection.pgconn.encrypt_password(secret.encode(), login.encode(), b"scram-sha-256").decode()


def _run_alembic(admin: str, secrets: Secrets, revision: str, *, down: bool = False) -> None:
    from alembic.config import Config

    from alembic import command  # no other command waits for them

    town = town_of(str(conninfo.conninfo_to_dict(admin)["dbname"]))
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: _patient(admin), poolclass=sa.NullPool)
    for left in reversed(range(TRIES)):
        try:
            with engine.connect() as connection:
                config.attributes |= {"connection": connection, "as_owner": _Owner(admin, secrets), "town": town}
                (command.downgrade if down else command.upgrade)(config, revision)
                connection.commit()
            return
        except (sa.exc.OperationalError, psycopg.errors.LockNotAvailable) as error:
            # each revision is a transaction of its own: what is done stays done
            if not isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable):
                raise
            if not left:
                raise StoreBusy() from None


def _patient(admin: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection that waits for a lock for a moment only: whoever waits for a lock holds up all who come after."""
    connection = connect_administrator(admin)
    connection.execute(f"SET lock_timeout = '{LOCK_WAIT_S}s'".encode())
    connection.autocommit = False
    return connection


@dataclass(frozen=True, slots=True)
class _Owner:
    """What a revision does to the owner's tables: in one transaction of the owner's own login, which is over before the revision is.

    INVARIANT: the statements can be repeated: whoever is killed in between begins the revision again.
    """

    admin: str
    secrets: Secrets

    def __call__(self, *statements: str) -> None:
        with connect_administrator(self.admin) as connection:
            _set_password(connection, self.secrets, "owner")
        with Server.of(self.admin, self.secrets).connect("owner") as connection:
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'".encode())
            for statement in statements:
                execute_one(connection, statement)


def _ensure_database(admin: str) -> None:
    with suppress(psycopg.OperationalError):
        psycopg.connect(admin).close()
        return  # it is there, whether or not the login may see the server's other databases
    wanted = conninfo.conninfo_to_dict(admin)
    name = str(wanted["dbname"])
    with connect_administrator(conninfo.make_conninfo(admin, dbname="postgres")) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            create_database(connection, name)
        except psycopg.errors.InsufficientPrivilege:
            raise StoreUnfit(f"there is no database `{name}` and the login may not create one") from None


def create_database(connection: psycopg.Connection[Any], name: str) -> None:
    """An empty database. Under its name nobody may ever connect to it but its owner and those who are granted it."""
    draft, final = sql.Identifier(f"{name}{DRAFT}new"), sql.Identifier(name)
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(draft))  # of one who was killed here
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'").format(draft))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(draft))
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(draft, final))


def _check_server(connection: psycopg.Connection[Any]) -> None:
    if connection.info.server_version < 150000:
        raise StoreUnfit(f"PostgreSQL {connection.info.parameter_status('server_version')} is too old: version 15 or newer is needed")
    town = town_of(connection.info.dbname)
    if len(town) > 24 or not town:
        raise StoreUnfit(f"the database name `{town}` is longer than 24 characters or empty before `{DRAFT}`: roles are named after it")
    if connection.info.encoding != "utf-8":
        raise StoreUnfit(f"the database is encoded as {connection.info.encoding}: UTF-8 is needed")


def _ensure_extension(connection: psycopg.Connection[Any]) -> None:
    connection.execute("CREATE SCHEMA IF NOT EXISTS postgis")
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA postgis")
    except psycopg.errors.InsufficientPrivilege as error:
        raise StoreUnfit("PostGIS is not installed in the database and the login may not do it: have an administrator run "
                         "`CREATE SCHEMA postgis; CREATE EXTENSION postgis SCHEMA postgis`") from error  # fmt: skip
    found: Mapping[str, Any] | None = connection.cursor(row_factory=psycopg.rows.dict_row).execute(
        "SELECT extversion, extnamespace::regnamespace::text AS schema FROM pg_extension WHERE extname = 'postgis'"
    ).fetchone()  # fmt: skip
    if found is None or found["schema"] != "postgis":
        raise StoreUnfit("the extension PostGIS lies in another schema than `postgis`: use a database without it")
    if tuple(int(n) for n in found["extversion"].split(".")[:2]) < (3, 3):
        raise StoreUnfit(f"PostGIS {found['extversion']} is too old: version 3.3 or newer is needed")


def _set_passwords(connection: psycopg.Connection[Any], secrets: Secrets) -> None:
    """Of the base logins, and of the twins' that bear this town's mark, which nobody but the administrator can give."""
    marked = (
        "SELECT n.nspname FROM pg_roles r JOIN pg_namespace n ON r.rolname = %(town)s || '_' || n.nspname "
        "WHERE shobj_description(r.oid, 'pg_authid') = 'twin-api ' || %(town)s ORDER BY 1"
    )
    twins = connection.execute(marked, {"town": town_of(connection.info.dbname)}).fetchall()
    for suffix in (*BASE_LOGINS, *(schema for (schema,) in twins)):
        _set_password(connection, secrets, suffix)


def _set_password(connection: psycopg.Connection[Any], secrets: Secrets, suffix: str) -> None:
    login = login_of(connection, suffix)
    secret = verifier(connection, login, secrets.ensure(suffix))
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(login), sql.Literal(secret)))
