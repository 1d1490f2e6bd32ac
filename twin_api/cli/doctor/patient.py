"""What the doctor looks at: settings, files, and connections that cannot write.

INVARIANT: nothing is started, made or changed here: a cluster that rests goes on resting.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg import conninfo

from twin_api.cli.doctor.finding import Unseen
from twin_api.policy.documents import Policies
from twin_api.policy.finding import PolicyInvalid
from twin_api.policy.load import load
from twin_api.publish.ground import connect_administrator
from twin_api.publish.migrate import revision_of
from twin_api.settings import Settings
from twin_api.store.embedded import Cluster
from twin_api.store.engine import Server
from twin_api.store.secrets import SecretExposed, SecretMissing, Secrets
from twin_api.texts import Text
from twin_api.work.sources import policies_in_force

Connection = psycopg.Connection[tuple[Any, ...]]
_T = TypeVar("_T")
READING_ONLY: Final = "-c default_transaction_read_only=on -c TimeZone=UTC -c lock_timeout=10s -c statement_timeout=300s"
CONNECT_S: Final = 5

_NOT_SET_UP = Text("es gibt noch keine Datenbank in `{}`", "there is no database in `{}` yet")
_AWAY = Text("die Datenbank antwortet nicht", "the database does not answer")


class Patient:
    """Everything is looked up once, when it is first asked for; what cannot be had is `Unseen` every time."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.settings = settings
        self.clock = clock
        self.secrets = Secrets(settings.secrets_folder)
        self.cluster = Cluster(settings.home, self.secrets) if settings.database_url is None else None

    @property
    def administrator(self) -> Connection:
        return _had(self._administrator)

    @property
    def owner(self) -> Connection:
        """The owner's connection to a database that `twin migrate` has set up."""
        return _had(self._owner)

    @property
    def database(self) -> str:
        return self.administrator.info.dbname

    @property
    def policies(self) -> Policies:
        """The policy folder as it is now."""
        return _had(self._policies)

    @property
    def in_force(self) -> Policies:
        """The policies that were applied last."""
        return _had(self._in_force)

    @property
    def today(self) -> date:
        return self._day(self.policies)

    @property
    def today_in_force(self) -> date:
        """The day by what was applied, however the folder fares."""
        return self._day(self.in_force)

    @cached_property
    def is_superuser(self) -> bool:
        row = self.administrator.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        return row is not None and bool(row[0])

    @cached_property
    def twins(self) -> tuple[str, ...]:
        """The schemas of all roles."""
        return tuple(schema for (schema,) in self.owner.execute("SELECT schema FROM published.role ORDER BY schema").fetchall())

    @cached_property
    def logins(self) -> dict[str, str]:
        """This town's logins, told by their marks: a name alone may be another town's. Name -> what follows the database's name."""
        query = (
            "SELECT rolname::text FROM pg_roles r WHERE shobj_description(r.oid, 'pg_authid') "
            "IN ('twin-api ' || current_database(), 'twin-api base ' || current_database()) ORDER BY 1"
        )
        return {name: name.removeprefix(f"{self.database}_") for (name,) in self.administrator.execute(query).fetchall()}

    def _day(self, policies: Policies) -> date:
        return self.clock().astimezone(ZoneInfo(policies.town.time_zone)).date()

    def close(self) -> None:
        for opened in (self.__dict__.get("_administrator"), self.__dict__.get("_owner")):
            if isinstance(opened, psycopg.Connection):
                opened.close()

    @cached_property
    def address(self) -> str | Unseen:
        """The administrator's address, password included; that of a cluster of ours only while it runs."""
        if self.cluster is None:
            return _usable(self.settings)
        if not self.cluster.data.exists():
            home = str(self.settings.home)
            return Unseen(Text(_NOT_SET_UP.de.format(home), _NOT_SET_UP.en.format(home)), "twin migrate")
        try:
            if self.cluster.is_running():
                return self.cluster.conninfo(self.settings.database)
        except (SecretMissing, SecretExposed) as error:
            return Unseen(Text(f"kein Zugang zum Cluster: {error}", f"no way into the cluster: {error}"), "twin migrate")
        return Unseen(Text("der private Cluster ruht", "the private cluster rests"), "twin migrate")

    @property
    def psql(self) -> str:
        """How to get where a remedy in SQL is run; without the password."""
        if self.cluster is None:
            return 'psql "$TWIN_DATABASE_URL"'
        password, folder = self.secrets.folder / "superuser", self.cluster.socket_folder
        return f"PGPASSWORD=$(cat {password}) psql -h {folder} -p {self.cluster.port} -U postgres {self.settings.database}"

    @cached_property
    def _administrator(self) -> Connection | Unseen:
        return self.address if isinstance(self.address, Unseen) else _connect(self.address, by_administrator=True)

    @cached_property
    def _owner(self) -> Connection | Unseen:
        if isinstance(self._administrator, Unseen):
            return self._administrator
        if revision_of(self._administrator) is None:
            return Unseen(Text("die Datenbank ist nicht eingerichtet", "the database is not set up"), "twin migrate")
        try:
            return _connect(self.server.conninfo("owner"))
        except (SecretMissing, SecretExposed):
            return Unseen(
                Text("das Geheimnis des Eigentümers fehlt oder ist offen", "the owner's secret is missing or exposed"), "twin migrate"
            )

    @property
    def server(self) -> Server:
        """Where PostgreSQL is, without credentials."""
        told = conninfo.conninfo_to_dict(_had(self.address))
        kept = {key: str(value) for key, value in told.items() if key not in ("user", "password", "passfile")}
        return Server(conninfo.make_conninfo("", **kept), self.secrets)

    @cached_property
    def _policies(self) -> Policies | Unseen:
        try:
            return load(self.settings.policies)
        except PolicyInvalid as invalid:
            count = len(invalid.findings)
            what = Text(f"die Richtlinien sind fehlerhaft ({count} Befunde)", f"the policies do not hold ({count} findings)")
            return Unseen(what, "twin policy check")

    @cached_property
    def _in_force(self) -> Policies | Unseen:
        try:
            found = policies_in_force(self.owner)
        except PolicyInvalid:
            what = Text(
                "die angewendeten Richtlinien kann dieses Programm nicht mehr lesen", "this program cannot read the policies in force"
            )
            return Unseen(what, "twin policy apply")
        return found or Unseen(Text("noch gilt keine Richtlinie", "no policy is in force yet"), "twin policy apply")


def _had(found: _T | Unseen) -> _T:
    if isinstance(found, Unseen):
        raise found
    return found


def _usable(settings: Settings) -> str | Unseen:
    assert settings.database_url is not None  # noqa: S101  # said to the type checker
    what = Text("`TWIN_DATABASE_URL` ist keine Adresse mit einer Datenbank", "`TWIN_DATABASE_URL` is no address with a database")
    try:
        told = conninfo.conninfo_to_dict(settings.database_url.get_secret_value())
    except psycopg.ProgrammingError:  # its text quotes the address, password and all
        told = {}
    if not told.get("dbname"):
        return Unseen(what, "export TWIN_DATABASE_URL=postgresql://nutzer:kennwort@rechner/datenbank")
    return conninfo.make_conninfo("", **{key: str(value) for key, value in told.items()})


def _connect(address: str, *, by_administrator: bool = False) -> Connection | Unseen:
    try:
        told = conninfo.make_conninfo(address, connect_timeout=CONNECT_S, options=READING_ONLY, application_name="twin doctor")
        return connect_administrator(told) if by_administrator else psycopg.connect(told, autocommit=True)
    except psycopg.OperationalError:
        return Unseen(
            _AWAY,
            Text(
                "läuft sie, und stimmen Adresse und Kennwort? dann `twin migrate`",
                "does it run, and are address and password right? then `twin migrate`",
            ),
        )
