"""Proof 5: with everything that the citizens' server process holds, nobody logs in as anybody but the citizen; and nothing hidden is in a log."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import conninfo

from tests.leaks.canaries import Canaries
from tests.leaks.seen import Seen
from tests.towns import Town
from twin_api.publish.migrate import BASE_LOGINS

# files a process has open that are the machine's, not the house's
_MACHINE = ("/dev", "/proc", "/usr", "/lib", "/sys", "/etc")


@contextmanager
def citizens_server(town: Town, prelude: str = "") -> Iterator[tuple[int, int, int, Path]]:
    """A real `twin serve --roles citizen` in a process of its own: its id, its ports (of the twin, of the metrics) and the file it writes to.

    `prelude` is Python run before.
    """
    home = town.folder / "home"
    home.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as another:
        port, metrics_port = free.getsockname()[1], another.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TWIN_HOME": str(home),
        "TWIN_DATABASE_URL": town.admin,
        "TWIN_SECRETS": str(town.secrets.folder),
        "TWIN_POLICIES": str(town.policies_folder),
        "TWIN_METRICS_PORT": str(metrics_port),
        "TWIN_LOG_LEVEL": "debug",
    }
    program = f"{prelude}\nfrom twin_api.cli import app\napp(['serve', '--roles', 'citizen', '--port', '{port}'])"
    with (home / "output").open("w") as output:
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, cwd=home, stdout=output, stderr=output)
        try:
            _wait_for(port, process)
            yield process.pid, port, metrics_port, home / "output"
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the citizens' server does not become ready")


def find_keys(town: Town, prelude: str = "") -> list[str]:
    """Logins other than the citizen's that open with something the listening process holds; and hidden values in what it writes and counts."""
    with citizens_server(town, prelude) as (pid, port, metrics_port, output):
        holdings = _holdings(pid)
        _ask_badly(port, Seen(town))
        found = [f"logs in as {login}" for login in _logins(town) if _opens(town, login, holdings)]
        if not _opens(town, "citizen", holdings):
            found.append("cannot log in as citizen")
        canaries, metrics = Canaries(Seen(town), "citizen"), httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").content
        found += [f"its output holds {what}" for what in canaries.find(output.read_bytes())]
        found += [f"its metrics hold {what}" for what in canaries.find(metrics)]
        if output.read_text().count('"event":"request"') < 5 or b"twin_problems_total" not in metrics:
            found.append("it neither writes nor counts what it was asked")
    return found


def _logins(town: Town) -> list[str]:
    roles = [role.schema for role in town.policies.roles.values() if role.schema != "citizen"]
    return [*BASE_LOGINS, *roles, "superuser"]


def _holdings(pid: int) -> set[str]:
    """Every word that could be a password: in the environment, on the command line, and in every file that these or open files name."""
    process = Path(f"/proc/{pid}")
    told = [*_texts(process / "environ"), *_texts(process / "cmdline")]
    paths = {Path(word) for text in told for word in _words(text) if word.startswith("/")}
    paths |= {Path(os.readlink(link)) for link in (process / "fd").iterdir() if os.readlink(link).startswith("/")}
    files = {file for path in paths for file in _files(path)}
    return {word for text in (*told, *(t for file in files for t in _texts(file))) for word in _words(text)}


def _words(text: str) -> set[str]:
    """The text, its lines, the values in it, and a password in a connection address."""
    words = {text, *text.split(), *(part.partition("=")[2].strip("'") for part in text.split()), text.partition("=")[2]}
    with suppress(psycopg.ProgrammingError):
        words.add(str(conninfo.conninfo_to_dict(text.partition("=")[2]).get("password", "")))
    return words - {""}


def _texts(path: Path) -> list[str]:
    try:
        return path.read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def _files(path: Path) -> Iterator[Path]:
    """The file, or all files below the folder; followed through links. The machine's own folders and the program are left out."""
    if not path.exists() or str(path).startswith((*_MACHINE, sys.prefix, sys.base_prefix)) or path == path.parent:
        return
    if path.is_dir():
        if path.name != "home":  # the working folder that the test gave it
            yield from (file for file in path.rglob("*") if file.is_file() and file.stat().st_size < 100_000)
    elif path.stat().st_size < 100_000:
        yield path


def _opens(town: Town, login: str, words: set[str]) -> bool:
    user = "postgres" if login == "superuser" else f"{town.database}_{login}"
    for word in sorted(word for word in words if 8 <= len(word) <= 200):
        try:
            psycopg.connect(town.server.address, user=user, password=word, passfile="/dev/null", connect_timeout=5).close()
        except (psycopg.OperationalError, UnicodeError, ValueError):
            continue
        return True
    return False


def _ask_badly(port: int, seen: Seen) -> None:
    """Requests full of hidden values and mistakes: none of it may be written down."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        hidden = next(row for row in seen.rows["bauantraege"])
        for path in (
            f"/collections/baeume/items/{hidden.id}",
            "/collections/baeume/items?pate=CANARY-pate-1",
            "/collections/%00",
            "/%ff",
            "?f=x",
        ):
            client.get(f"/citizen{path}")


def find_logged(town: Town) -> list[str]:
    """Hidden values in what PostgreSQL logs of writes, failed writes and failed reads. Changes a row."""
    logs = town.cluster.data / "log"
    before = {log: log.stat().st_size for log in logs.iterdir()}
    with town.login("writer") as connection:
        for statement in (
            "UPDATE store.baeume SET vermerk = 'CANARY-logged-1' WHERE baum_nr = 'CANARY-baum-1'",
            "UPDATE store.baeume SET hoehe_m = vermerk::float8",
            "INSERT INTO store.baeume (baum_nr) VALUES ('CANARY-baum-2')",
            "INSERT INTO store.baeume (geometry) VALUES ('SRID=25832;POINT(CANARY 1)')",
        ):
            with suppress(psycopg.Error):
                connection.execute(statement.encode())
    with town.login("citizen") as connection, suppress(psycopg.Error):
        connection.execute("SELECT art::date FROM citizen.baeume")
    canaries = Canaries(Seen(town), "citizen")
    found: list[str] = []
    for log in sorted(logs.iterdir()):
        content = log.read_bytes()[before.get(log, 0) :]
        found += [f"PostgreSQL's log holds {what}" for what in canaries.find(content) if not what.startswith(("name of ", "title of "))]
        found += ["PostgreSQL's log holds a statement with a value"] if b"CANARY" in content else []
    return found
