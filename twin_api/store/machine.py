"""What this machine offers a private cluster: PostgreSQL's programs, a user to run them, memory."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import stat
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

SYSTEM_USER = "twin-db"
PACKAGED = Path("/usr/lib/postgresql")
OLDEST = 15
MIB = 1 << 20


class PostgresMissing(Exception):
    """No PostgreSQL that can carry the cluster is installed."""

    def __init__(self, wanted: str) -> None:
        super().__init__(f"{wanted} with PostGIS is not installed (Debian, Ubuntu: `apt install postgresql-15-postgis-3` or a newer one)")


class ClusterFailed(Exception):
    """The cluster could not be made, started or stopped; `reason` is PostgreSQL's or the system's own word."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.reason = reason


class Account(NamedTuple):
    uid: int
    gid: int

    @classmethod
    def owner_of(cls, path: Path) -> Account:
        found = path.stat()
        return cls(found.st_uid, found.st_gid)


def find_binaries(version: int | None = None) -> Path:
    """Folder of the newest PostgreSQL with PostGIS, or of exactly `version`. Raises PostgresMissing."""
    packaged = [(int(folder.name), folder / "bin") for folder in PACKAGED.glob("*") if folder.name.isdigit()]
    candidates = sorted(packaged, reverse=True) + _on_path()
    for found, folder in candidates:
        if found >= OLDEST and version in (None, found) and (folder / "postgres").exists() and _has_postgis(folder, found):
            return folder
    raise PostgresMissing(f"PostgreSQL {version}, which made this cluster," if version else f"PostgreSQL {OLDEST} or newer")


def find_client(program: str) -> Path:
    """The newest `pg_dump` or `pg_restore`: a client serves every server that is not newer than itself. Raises PostgresMissing."""
    versions = sorted((int(folder.name), folder / "bin" / program) for folder in PACKAGED.glob("*") if folder.name.isdigit())
    packaged = [path for _, path in versions if path.exists()]
    found = str(packaged[-1]) if packaged else shutil.which(program)
    if found is None:
        raise PostgresMissing(f"`{program}` of PostgreSQL's client")
    return Path(found)


def _on_path() -> list[tuple[int, Path]]:
    found = shutil.which("postgres")
    if found is None:
        return []
    said = subprocess.run([found, "--version"], check=False, capture_output=True, text=True).stdout  # noqa: S603 - no shell
    version = re.search(r"\) (\d+)", said)
    return [(int(version[1]), Path(found).resolve().parent)] if version else []


def _has_postgis(folder: Path, version: int) -> bool:
    """Both halves: packages leave the control file behind when the library is removed."""
    prefix = folder.parent
    shares = (Path(f"/usr/share/postgresql/{version}"), prefix / "share" / "postgresql", prefix / "share")
    libraries = (prefix / "lib", prefix / "lib" / "postgresql")
    described = any((share / "extension" / "postgis.control").exists() for share in shares)
    return described and any(list(library.glob("postgis-3.*")) for library in libraries)


def system_user() -> Account:
    """The user the cluster runs as when root asks for it; created on first need."""
    found = _user_named(SYSTEM_USER)
    if found:
        return found
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    made = subprocess.run(["/usr/sbin/useradd", *options, SYSTEM_USER], check=False, capture_output=True, text=True)  # noqa: S603 - all constant
    for _ in range(50):  # another process may be creating it at this moment
        if found := _user_named(SYSTEM_USER):
            return found
        time.sleep(0.1)
    raise ClusterFailed(f"system user `{SYSTEM_USER}` cannot be created", last_lines(made.stderr))


def _user_named(name: str) -> Account | None:
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(found.pw_uid, found.pw_gid)


def is_reachable(folder: Path, account: Account) -> bool:
    """True if the account may pass through every folder down to this one; one that does not exist yet will let it."""
    return all(_lets_pass(step, account) for step in (folder, *folder.parents) if step.exists())


def _lets_pass(folder: Path, account: Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == account.gid else stat.S_IXOTH))


def memory_mb() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MIB


def last_lines(text: str) -> str:
    return " / ".join(line.strip() for line in text.strip().splitlines()[-5:]) or "no reason given"
