"""PostgreSQL's own `pg_dump` and `pg_restore`, for what only they know: how the tables of the store are defined.

Must never have a password on its command line, where every user of the machine could read it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from psycopg import conninfo

from twin_api.store.machine import find_client

# TOC entries that belong to the house: the schema is there already, and every trigger is made by the program
_OURS: Final = re.compile(r"^\d+; \d+ \d+ (SCHEMA|TRIGGER|COMMENT|DEFAULT ACL) ")


class ClientFailed(Exception):
    """`pg_dump` or `pg_restore` is missing or gave up; the text is its own."""


def dump_definitions(address: str, snapshot: str) -> bytes:
    """The definitions of the store's tables as `pg_dump` archives them: no rows, no rights, no owners."""
    words = ["--schema=store", "--schema-only", "--no-owner", "--no-privileges", "--format=custom", f"--snapshot={snapshot}"]
    return _run("pg_dump", address, words)


def restore_definitions(address: str, dump: bytes, section: str) -> None:
    """Make what the dump defines in `pre-data` (tables) or `post-data` (indexes, keys), as the login of `address`."""
    with _in_memory(dump) as archive:
        listed = _run("pg_restore", None, ["--list", archive]).decode()
        wanted = "".join(line for line in listed.splitlines(keepends=True) if not _OURS.match(line))
        with _in_memory(wanted.encode()) as chosen:
            words = ["--no-owner", "--no-privileges", "--exit-on-error", f"--section={section}", f"--use-list={chosen}", archive]
            _run("pg_restore", address, words)


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path under which our children find the content, which lies on no disk."""
    descriptor = os.memfd_create("twin")
    try:
        with os.fdopen(os.dup(descriptor), "wb") as file:
            file.write(content)
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _run(program: str, address: str | None, words: list[str]) -> bytes:
    told = conninfo.conninfo_to_dict(address) if address else {}
    shown = {key: value for key, value in told.items() if key != "password"}
    where = [f"--dbname={conninfo.make_conninfo('', **shown)}"] if address else []
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"} | ({"PGPASSWORD": str(told["password"])} if "password" in told else {})
    command = [str(find_client(program)), *where, *words]
    done = subprocess.run(command, check=False, capture_output=True, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603 - no shell
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ClientFailed(f"{program}: {said[-1] if said else done.returncode}")
    return done.stdout
