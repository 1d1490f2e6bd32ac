"""The only reader of the environment. Importing it reads nothing; `Settings()` does, once, and is passed down."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from twin_api.texts import Language

# https, or this machine while somebody develops; browsers leave out the port that goes without saying
_ORIGIN = re.compile(r"(https://[a-z0-9-]+(\.[a-z0-9-]+)*(?!:443$)|http://(localhost|127\.0\.0\.1)(?!:80$))(:[1-9][0-9]{0,4})?", re.ASCII)
PACKAGE = Path(__file__).resolve().parent
PROJECT = PACKAGE.parent


def carried(inside: str, beside: str) -> Path:
    """A folder that a wheel carries inside the package and a checkout has at its top."""
    installed = PACKAGE / inside
    return installed if installed.is_dir() else PROJECT / beside


class Settings(BaseSettings):
    """Every setting of Twin API, each an environment variable `TWIN_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="TWIN_", frozen=True, extra="ignore")

    home: Annotated[Path, Field(description="Where the private cluster, the secrets and the demo live.")] = Path(".twin")
    database_url: Annotated[
        SecretStr | None,
        Field(description="Administrator's address of another PostgreSQL (≥ 15, PostGIS ≥ 3.3); without it, the private cluster."),
    ] = None
    database: Annotated[str, Field(description="Name of the database in the private cluster; roles are named after it.")] = "twin"
    server: Annotated[
        str | None,
        Field(description="Where a serving process finds PostgreSQL: `host=… port=… dbname=…`, without any credentials."),
    ] = None
    secrets: Annotated[Path | None, Field(description="One file of mode 0600 per role; `<home>/secrets` unless set.")] = None
    policies: Annotated[Path, Field(description="The town's policy folder.")] = Path("policies")
    sources: Annotated[Path | None, Field(description="Source files; `sources` beside the policy folder unless set.")] = None
    source_hosts: Annotated[
        str, Field(description="Hosts sources may be fetched from, separated by commas: `a.de`, `*.a.de`, `http://a.de`, `a.de:8443`.")
    ] = ""
    source_networks: Annotated[
        str, Field(description="Private networks sources may be fetched from, separated by commas; none by default.")
    ] = ""
    source_ca: Annotated[Path | None, Field(description="Certificates trusted in sources besides those of the machine, PEM.")] = None
    backup_recipient: Annotated[
        str,
        Field(description="Public keys `age1…` backups are sealed for, separated by commas; with one, the worker makes a backup a night."),
    ] = ""
    backup_keep: Annotated[int, Field(ge=1, description="How many backups the worker keeps.")] = 14
    backup_key: Annotated[Path | None, Field(description="File with the identity that opens backups; belongs on another machine.")] = None
    backups: Annotated[Path | None, Field(description="Where backups lie (`*.twinbackup`); `<home>/backups` unless set.")] = None
    proj_data: Annotated[Path, Field(description="Where the system keeps grids for exact transformations of coordinates.")] = Path(
        "/usr/share/proj"
    )
    testdata: Annotated[Path, Field(description="Real data for tests.")] = PROJECT.parent / "shared" / "data"
    require_testdata: Annotated[bool, Field(description="Missing test data is an error, not a skipped test.")] = False
    lang: Annotated[Language, Field(description="Language of texts for people: `de` or `en`.")] = "de"
    base_url: Annotated[str, Field(description="Public address in links; taken from the request unless set.")] = ""
    council_origins: Annotated[
        str, Field(description="Origins whose pages may read council twins in a browser, separated by commas: `https://rat.example`.")
    ] = ""
    roles: Annotated[str, Field(description="Roles this process serves, separated by commas; `all` for every one.")] = "all"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="The least that `twin serve` and `twin work` write to their logs.")
    ] = "info"
    metrics_port: Annotated[int, Field(ge=0, le=65535, description="Port of the server's metrics (Prometheus); 0: none.")] = 0
    work_metrics_port: Annotated[int, Field(ge=0, le=65535, description="Port of the worker's metrics (Prometheus); 0: none.")] = 0
    metrics_host: Annotated[str, Field(description="Address the metrics are told at.")] = "127.0.0.1"
    metrics_folder: Annotated[Path | None, Field(description="Where a server's processes keep their metrics; set by `twin serve`.")] = None
    traced: Annotated[bool, Field(description="A proxy of ours writes `traceparent`: its trace id stands in the log.")] = False
    pool_size: Annotated[int, Field(ge=1, le=40, description="Database connections per role and process.")] = 8
    requests: Annotated[int, Field(ge=1, le=100, description="Requests in work at once, per family of roles and process.")] = 8
    waiting: Annotated[int, Field(ge=0, le=10_000, description="Requests that wait for their turn, per family of roles and process.")] = 64
    request_s: Annotated[float, Field(gt=0, description="How long a request may be in work before 503.")] = 10.0
    rate: Annotated[float, Field(ge=0, description="Requests a second and client in the long run, per process; 0: no limit.")] = 50.0
    burst: Annotated[int, Field(ge=1, description="Requests that a client may send at once, per process.")] = 500
    trusted_proxies: Annotated[
        str, Field(description="Addresses and networks of our own proxies, separated by commas; what they say about a client counts.")
    ] = "127.0.0.1,::1"
    proxy_headers: Annotated[
        Literal["x-forwarded", "forwarded"],
        Field(description="The headers our proxies write: `x-forwarded` (`X-Forwarded-For` …) or `forwarded` (RFC 7239)."),
    ] = "x-forwarded"
    connections: Annotated[int, Field(ge=10, description="Open connections per process; beyond, the idlest gives way.")] = 1000
    drain_s: Annotated[float, Field(ge=0, le=300, description="After SIGTERM, how long `/readyz` says 503 before the door closes.")] = 1.0
    pool_wait_s: Annotated[float, Field(gt=0, description="How long a request waits for a connection before 503.")] = 1.0

    @field_validator("council_origins")
    @classmethod
    def _origins(cls, told: str) -> str:
        """Exactly as browsers write them (RFC 6454, 6.2), or a page would be refused without anybody knowing why."""
        strange = [origin for origin in _listed(told) if not _ORIGIN.fullmatch(origin)]
        if strange:
            raise ValueError(f"`{strange[0]}` is no origin: write `https://rat.example` or `https://rat.example:8443`, lower case, no path")
        return told

    @property
    def council_origins_listed(self) -> frozenset[str]:
        return _listed(self.council_origins)

    @property
    def server_address(self) -> str:
        """Where a serving process finds PostgreSQL; the private cluster of `home` unless said otherwise."""
        return self.server or ""

    @property
    def secrets_folder(self) -> Path:
        return self.secrets or self.home / "secrets"

    @property
    def backups_folder(self) -> Path:
        return self.backups or self.home / "backups"

    @property
    def sources_folder(self) -> Path:
        return self.sources or self.policies.resolve().parent / "sources"

    @property
    def backup_recipients(self) -> tuple[str, ...]:
        return tuple(key.strip() for key in self.backup_recipient.split(",") if key.strip())


def _listed(words: str) -> frozenset[str]:
    return frozenset(word.strip() for word in words.split(",") if word.strip())
