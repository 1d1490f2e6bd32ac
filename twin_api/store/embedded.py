"""The private PostgreSQL cluster of one home: made, started and stopped here.

It must never run as root, open a TCP port or let anybody in without a password.

<home>/cluster.lock      one process at a time makes, starts or stops
<home>/cluster/          the place (root with an unreachable home: below /var/lib/twin-api, noted in <home>/cluster.place)
    postgresql.conf, pg_hba.conf   written anew at each start
    data/                the data folder, log included
    run/                 the socket (below /run or /tmp where the path would be too long)
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from twin_api.store.cluster_conf import CONF, HBA
from twin_api.store.cluster_place import (
    NOTE,
    OUTSIDE,
    digest,
    is_settled,
    name_each_other,
    noted_place,
    place_of,
    set_aside,
    text_of,
    write,
)
from twin_api.store.machine import Account, ClusterFailed, find_binaries, last_lines, memory_mb, system_user
from twin_api.store.postmaster import Postmaster, comes_true, send
from twin_api.store.secrets import Secrets

PORT = 5432  # names the socket file only; each cluster has a socket folder of its own
LONGEST_SOCKET = 100  # bytes; the kernel takes 107
LOGS_KEPT = 10
START_S, STOP_S, ORPHAN_S = 120, 60, 10
# glibc hands large blocks back to the kernel after each page of megabytes and gets them anew, zeroed, for the next: a quarter of its cost.
# So a backend keeps 16 MB at most; larger blocks than 8 MB go back as before. Another libc does not know the names.
_KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(8 << 20), "MALLOC_TRIM_THRESHOLD_": str(16 << 20)}


class SocketFolderForeign(Exception):
    """Somebody else holds the folder our socket would lie in, and could listen there in our place."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"`{folder}` must be a folder of mode 0700 that belongs to the database's system user; remove it")
        self.folder = folder


class Cluster:
    """The private cluster of one home. Cheap to make: nothing is touched before a method is called."""

    def __init__(self, home: Path, secrets: Secrets) -> None:
        self.home = Path(os.path.realpath(home))
        self.secrets = secrets
        self.port = PORT

    @property
    def place(self) -> Path:
        """The folder that holds everything of this cluster; it outlives a move of the home."""
        return place_of(self.home)

    @property
    def data(self) -> Path:
        return self.place / "data"

    @property
    def _postmaster(self) -> Postmaster:
        return Postmaster(self.data)

    @property
    def socket_folder(self) -> Path:
        inside = self.place / "run"
        # libpq and PostgreSQL give meaning to commas and quotes in a path; such a home gets the short folder too
        if len(os.fsencode(_socket_in(inside))) <= LONGEST_SOCKET and re.fullmatch(r"[\w/. +~-]+", str(inside)):
            return inside
        name = f"twin-{self._account().uid}-{digest(self.place)}"
        return Path("/run" if os.geteuid() == 0 else "/tmp") / name  # noqa: S108 - owner and mode are checked before each start

    def conninfo(self, database: str = "postgres") -> str:
        """Address for the superuser, password included: for administration only, never for a serving process."""
        return make_conninfo(self.server(database), user="postgres", password=self.secrets.read("superuser"))

    def server(self, database: str) -> str:
        """Address without any credentials."""
        return make_conninfo("", host=str(self.socket_folder), port=self.port, dbname=database)

    def is_running(self) -> bool:
        """True if this cluster's server answers and takes connections."""
        address = make_conninfo(self.server("postgres"), user="postgres", connect_timeout=5)
        return is_settled(self.home) and self._postmaster.pid() is not None and PGconn.ping(address.encode()) == Ping.OK

    def ensure_running(self) -> None:
        """Make the cluster if there is none, start it if it rests; returns when it takes connections."""
        if not self.is_running():
            with self._locked():
                self._start()
        self.prune_logs()

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing happens if it rests."""
        if not self.home.is_dir():
            return
        with self._locked():
            self._stop()

    def remove(self) -> None:
        """Stop the server and delete all it stored. Secrets stay."""
        if not self.home.is_dir():
            return
        with self._locked():
            self._stop()
            shutil.rmtree(self.socket_folder, ignore_errors=True)
            if self.place.exists():
                shutil.rmtree(self.place)
            (self.home / NOTE).unlink(missing_ok=True)

    def prune_logs(self) -> None:
        """Keep the newest log files only, each at most 10 MB or a day; the worker's calendar calls this too."""
        for old in sorted((self.data / "log").glob("server-*.log"))[:-LOGS_KEPT]:
            old.unlink(missing_ok=True)

    # -- starting and stopping, under the lock

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.home / "cluster.lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _start(self) -> None:
        self._settle()
        if not self.data.exists():
            self._initialise()
        if self._postmaster.pid() is not None:
            if self._comes_up():
                return
            self._stop()
        self._clear_traces()
        self._open_socket_folder()
        self._configure()
        self._run_postgres()

    def _stop(self) -> None:
        postmaster = self._postmaster.pid()
        if postmaster is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT):  # fast, then immediate: the log is replayed at the next start
            send(postmaster, how)
            if comes_true(lambda: self._postmaster.pid() is None, STOP_S):
                return
        raise ClusterFailed("the cluster does not stop", f"process {postmaster} still runs")

    def _settle(self) -> None:
        """Create the place. A place outside is noted in the home, so that a moved home finds its data again."""
        place = self.place
        if place.parent == OUTSIDE:
            self._settle_outside(place)
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        place.chmod(0o755)
        for draft in place.glob("new-*"):  # of an initdb that was cut short
            shutil.rmtree(draft, ignore_errors=True)

    def _settle_outside(self, place: Path) -> None:
        if noted_place(self.home) is None:
            self._stop()
            set_aside(place)
        name_each_other(self.home, place)

    def _initialise(self) -> None:
        account = self._account()
        draft = Path(tempfile.mkdtemp(prefix="new-", dir=self.place))
        password = draft / "password"
        write(password, self.secrets.ensure("superuser") + "\n", mode=0o600)
        (draft / "data").mkdir(mode=0o700)
        for path in (draft, password, draft / "data"):
            os.chown(path, account.uid, account.gid)
        options = ["--encoding=UTF8", "--locale=C", "--data-checksums", "--auth=scram-sha-256", "--username=postgres"]
        made = self._run(self._binary("initdb"), *options, f"--pwfile={password}", f"--pgdata={draft / 'data'}", cwd=draft)
        if made.returncode != 0:
            raise ClusterFailed("the cluster cannot be made", last_lines(made.stderr))
        os.replace(draft / "data", self.data)
        shutil.rmtree(draft, ignore_errors=True)

    def _configure(self) -> None:
        hba, memory = self.place / "pg_hba.conf", memory_mb()
        shared_mb = min(max(memory // 16, 64), 1024)
        write(hba, HBA)
        text = CONF.format(
            port=self.port,
            sockets=self.socket_folder,
            hba=str(hba).replace("'", "''"),
            shared_mb=shared_mb,
            wal_mb=shared_mb // 16,
            cache_mb=max(memory // 2, 256),
        )
        write(self.place / "postgresql.conf", text)

    def _run_postgres(self) -> None:
        options = f"-c config_file={shlex.quote(str(self.place / 'postgresql.conf'))}"
        # PGDATA and a relative log name, since pg_ctl lets a shell read what its options -D and -l say
        command = ("start", "--silent", "--wait", f"--timeout={START_S}", "--log=start.log", "-o", options)
        (self.data / "start.log").unlink(missing_ok=True)
        started = self._run(self._binary("pg_ctl"), *command, cwd=self.data, PGDATA=str(self.data), **_KEPT_MEMORY)
        if not self._comes_up():
            said = text_of(self.data / "start.log") or started.stderr
            raise ClusterFailed("the cluster does not start", last_lines(said))
        self._close_databases()

    def _close_databases(self) -> None:
        """Nobody needs PostgreSQL's own databases: from there every login could read the sizes and the activity of all towns."""
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC")

    def _clear_traces(self) -> None:
        """Remove what a killed server left: its backends, and lock files whose process id may be somebody else's by now.

        INVARIANT: called under the lock and only when no postmaster of this data folder lives.
        """
        for how in (signal.SIGQUIT, signal.SIGKILL):
            for orphan in self._postmaster.processes():
                send(orphan, how)
            if comes_true(lambda: not self._postmaster.processes(), ORPHAN_S):
                break
        socket_file = _socket_in(self.socket_folder)
        for trace in (self.data / "postmaster.pid", socket_file, socket_file.with_name(socket_file.name + ".lock")):
            trace.unlink(missing_ok=True)

    def _open_socket_folder(self) -> None:
        folder, account = self.socket_folder, self._account()
        try:
            folder.mkdir(mode=0o700)
            os.chown(folder, account.uid, account.gid)
        except FileExistsError:
            pass
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
            raise SocketFolderForeign(folder)

    # -- looking

    def _account(self) -> Account:
        """Who owns the data: whoever made it, else the invoking user, for root the system user."""
        if self.data.exists():
            return Account.owner_of(self.data)
        return system_user() if os.geteuid() == 0 else Account(os.geteuid(), os.getegid())

    def _comes_up(self) -> bool:
        """Wait for a living server; False if it goes down, or listens where the home used to be."""
        socket_file = _socket_in(self.socket_folder)
        comes_true(lambda: self.is_running() or self._postmaster.is_lost(socket_file), START_S)
        return self.is_running()

    def _binary(self, name: str) -> Path:
        version = text_of(self.data / "PG_VERSION").strip()
        return find_binaries(int(version) if version else None) / name

    def _run(self, *command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the owner of the data, with nothing of our environment."""
        account = self._account()
        lowered = {"user": account.uid, "group": account.gid, "extra_groups": []} if os.geteuid() == 0 else {}
        # mypy cannot match the optional keywords; the commands are PostgreSQL's own, run without a shell
        return subprocess.run(  # type: ignore[call-overload, no-any-return]  # noqa: S603
            [str(word) for word in command],
            check=False,
            cwd=cwd,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            **lowered,
        )


def _socket_in(folder: Path) -> Path:
    return folder / f".s.PGSQL.{PORT}"
