"""The only reader of the environment. Importing it reads nothing; `Settings()` does, once, and is passed down."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from twin_api.texts import Language

PROJECT = Path(__file__).resolve().parent.parent


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
    policies: Annotated[Path, Field(description="The town's policy folder.")] = PROJECT / "policies"
    sources: Annotated[Path | None, Field(description="Source files; `sources` beside the policy folder unless set.")] = None
    source_hosts: Annotated[
        str, Field(description="Hosts sources may be fetched from, separated by commas: `a.de`, `*.a.de`, `http://a.de`, `a.de:8443`.")
    ] = ""
    source_networks: Annotated[
        str, Field(description="Private networks sources may be fetched from, separated by commas; none by default.")
    ] = ""
    source_ca: Annotated[Path | None, Field(description="Certificates trusted in sources besides those of the machine, PEM.")] = None
    backups: Annotated[Path | None, Field(description="Where backups are kept; `<home>/backups` unless set.")] = None
    backup_recipient: Annotated[
        str,
        Field(description="Public keys `age1…` backups are sealed for, separated by commas; with one, the worker makes a backup a night."),
    ] = ""
    backup_keep: Annotated[int, Field(ge=1, description="How many backups the worker keeps.")] = 14
    backup_key: Annotated[Path | None, Field(description="File with the identity that opens backups; belongs on another machine.")] = None
    proj_data: Annotated[Path, Field(description="Where the system keeps grids for exact transformations of coordinates.")] = Path(
        "/usr/share/proj"
    )
    testdata: Annotated[Path, Field(description="Real data for tests.")] = PROJECT.parent / "shared" / "data"
    require_testdata: Annotated[bool, Field(description="Missing test data is an error, not a skipped test.")] = False
    lang: Annotated[Language, Field(description="Language of texts for people: `de` or `en`.")] = "de"
    base_url: Annotated[str, Field(description="Public address in links; taken from the request unless set.")] = ""
    roles: Annotated[str, Field(description="Roles this process serves, separated by commas; `all` for every one.")] = "all"
    pool_size: Annotated[int, Field(ge=1, le=40, description="Database connections per role and process.")] = 8
    pool_wait_s: Annotated[float, Field(gt=0, description="How long a request waits for a connection before 503.")] = 1.0

    @property
    def server_address(self) -> str:
        """Where a serving process finds PostgreSQL; the private cluster of `home` unless said otherwise."""
        return self.server or ""

    @property
    def secrets_folder(self) -> Path:
        return self.secrets or self.home / "secrets"

    @property
    def sources_folder(self) -> Path:
        return self.sources or self.policies.resolve().parent / "sources"

    @property
    def backups_folder(self) -> Path:
        return self.backups or self.home / "backups"

    @property
    def backup_recipients(self) -> tuple[str, ...]:
        return tuple(key.strip() for key in self.backup_recipient.split(",") if key.strip())
