"""The private cluster, against real PostgreSQL: closed to everybody without a password, and hard to kill."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from twin_api.store.embedded import LOGS_KEPT, Cluster, SocketFolderForeign
from twin_api.store.secrets import Secrets

pytestmark = [
    pytest.mark.slow,  # half a minute: most tests make a cluster of their own
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),  # children that work on their own and touch no thread
]
IS_ROOT = os.geteuid() == 0
OPEN_TO_ALL = Path("/var/tmp")  # noqa: S108 - pytest's own folders can be entered by root alone
NewCluster = Callable[[Path], Cluster]


def cluster_of(home: Path) -> Cluster:
    return Cluster(home, Secrets(home / "secrets"))


@pytest.fixture
def new_cluster() -> Iterator[NewCluster]:
    made: list[Cluster] = []

    def new(home: Path) -> Cluster:
        made.append(cluster_of(home))
        return made[-1]

    yield new
    for cluster in made:
        cluster.remove()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One running cluster for all tests that only look."""
    cluster = cluster_of(tmp_path_factory.mktemp("a home, 'with' \"signs\" and $HOME"))
    cluster.ensure_running()
    yield cluster
    cluster.remove()


@pytest.fixture
def running(new_cluster: NewCluster, tmp_path: Path) -> Cluster:
    """A running cluster of the test's own, holding one row."""
    cluster = new_cluster(tmp_path / "home")
    cluster.ensure_running()
    run(cluster, "CREATE TABLE kept AS SELECT 7 AS number")
    return cluster


def run(cluster: Cluster, statement: str) -> None:
    with psycopg.connect(cluster.conninfo()) as connection:
        connection.execute(statement.encode())


def one(cluster: Cluster, statement: str) -> object:
    with psycopg.connect(cluster.conninfo()) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().splitlines()[0])


def as_nobody(work: Callable[[], None]) -> int:
    """Exit status of a child that did the work as another, ordinary user."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            os.setgroups([])
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            work()
            os._exit(0)
        os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_first_start_gives_a_cluster_with_postgis(shared: Cluster) -> None:
    assert shared.is_running()
    run(shared, "CREATE EXTENSION IF NOT EXISTS postgis")
    assert one(shared, "SELECT ST_AsText(ST_MakePoint(1, 2))") == "POINT(1 2)"


@pytest.mark.parametrize("database", ["postgres", "template1"])
@pytest.mark.parametrize("password", [None, "", "postgres", "wrong"])
def test_the_superuser_needs_the_right_password(shared: Cluster, database: str, password: str | None) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(shared.server(database), user="postgres", password=password, passfile="/dev/null")


def test_replication_needs_the_password_too(shared: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(shared.server("postgres"), user="postgres", replication="true", password="wrong")


def test_no_rule_lets_anybody_in_without_scram(shared: Cluster) -> None:
    with psycopg.connect(shared.conninfo()) as connection:
        rules = connection.execute("SELECT type, auth_method FROM pg_hba_file_rules").fetchall()
        secrets = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin").fetchall()
    assert set(rules) == {("local", "scram-sha-256")}
    assert all(secret.startswith("SCRAM-SHA-256$") for (secret,) in secrets)


def test_no_network_port_is_open(shared: Cluster) -> None:
    family = [postmaster(shared), *children(postmaster(shared))]
    held = {file for pid in family for file in open_files(pid)}
    ports = "".join(Path(table).read_text() for table in ("/proc/net/tcp", "/proc/net/tcp6") if Path(table).exists())
    listening = {f"socket:[{line.split()[9]}]" for line in ports.splitlines() if len(line.split()) > 9 and line.split()[3] == "0A"}
    assert one(shared, "SHOW listen_addresses") == ""
    assert any(file.startswith("socket:") for file in held)
    assert not held & listening


def children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def open_files(pid: int) -> set[str]:
    try:
        return {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:  # a background process that ended just now
        return set()


SETTINGS = {
    "data_checksums": "on",
    "server_encoding": "UTF8",
    "wal_level": "logical",
    "max_connections": "300",
    "jit": "off",
    "TimeZone": "UTC",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "2GB",
    "wal_writer_delay": "10ms",
    "random_page_cost": "1.1",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items())
def test_a_setting_is_in_force(shared: Cluster, name: str, value: str) -> None:
    assert one(shared, f"SHOW {name}") == value


def test_text_is_compared_byte_by_byte(shared: Cluster) -> None:
    assert one(shared, "SELECT array_agg(DISTINCT datcollate || '/' || datctype) FROM pg_database") == ["C/C"]


def test_the_log_holds_no_value_of_a_failed_statement(shared: Cluster) -> None:
    with psycopg.connect(shared.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE t (name text UNIQUE)")
        connection.execute("INSERT INTO t VALUES ('canary-row')")
        for statement in ("INSERT INTO t VALUES ('canary-row')", "SELECT name::int FROM t", "SELECT 'canary-text'::date"):
            with pytest.raises(psycopg.Error, match="canary"):
                connection.execute(statement.encode())
        with pytest.raises(psycopg.Error):
            connection.execute("SELECT %s::text::int", ["canary-parameter"])
    logs = [log.read_text() for log in (shared.data / "log").iterdir()]
    assert any("ready to accept connections" in log for log in logs)
    assert not any("canary" in log for log in logs)


def test_only_the_newest_logs_are_kept(running: Cluster) -> None:
    folder = running.data / "log"
    for day in range(10, 30):
        (folder / f"server-200001{day}-000000.log").touch()
    running.ensure_running()
    names = sorted(log.name for log in folder.iterdir())
    assert len(names) == LOGS_KEPT
    assert names[0] >= "server-20000121"


def test_the_server_never_runs_as_root(shared: Cluster) -> None:
    owner = Path(f"/proc/{postmaster(shared)}").stat().st_uid
    assert owner != 0
    assert owner == shared.data.stat().st_uid
    assert IS_ROOT or owner == os.geteuid()


def test_data_and_socket_are_closed_to_other_users(shared: Cluster) -> None:
    for folder in (shared.data, shared.socket_folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == shared.data.stat().st_uid


def test_addresses_name_the_socket_and_only_the_superusers_holds_a_password(shared: Cluster) -> None:
    secret = shared.secrets.read("superuser")
    assert secret in shared.conninfo()
    assert shared.server("twin").split("=")[0] == "host"
    assert shared.server("twin").endswith("port=5432 dbname=twin")
    assert secret not in shared.server("twin")
    assert "user" not in shared.server("twin")


def test_the_password_lies_in_no_file_but_its_own(shared: Cluster) -> None:
    secret = shared.secrets.read("superuser").encode()
    files = [path for path in shared.place.rglob("*") if path.is_file()]
    assert not [path for path in files if secret in path.read_bytes()]


def test_starting_a_running_cluster_changes_nothing(shared: Cluster) -> None:
    before = postmaster(shared)
    cluster_of(shared.home).ensure_running()
    assert postmaster(shared) == before


def test_a_second_start_takes_less_than_a_second(running: Cluster) -> None:
    running.stop()
    began = time.monotonic()
    running.ensure_running()
    assert time.monotonic() - began < 1
    assert one(running, "SELECT number FROM kept") == 7


def test_a_stopped_cluster_runs_no_longer(running: Cluster) -> None:
    running.stop()
    assert not running.is_running()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(running.conninfo())
    running.stop()


def test_a_home_never_used_is_not_running_and_stop_leaves_it_alone(tmp_path: Path) -> None:
    cluster = cluster_of(tmp_path / "never")
    cluster.stop()
    assert not cluster.is_running()
    assert not cluster.home.exists()


def test_a_removed_cluster_leaves_nothing_and_can_be_made_again(running: Cluster) -> None:
    place, socket_folder = running.place, running.socket_folder
    running.remove()
    assert not place.exists()
    assert not socket_folder.exists()
    running.ensure_running()
    assert one(running, "SELECT to_regclass('kept')") is None


def test_a_deep_home_gets_a_short_stable_socket_path(new_cluster: NewCluster, tmp_path: Path) -> None:
    home = tmp_path / ("deep " * 12) / ("ä" * 60)
    cluster = new_cluster(home)
    cluster.ensure_running()
    assert len(os.fsencode(cluster.socket_folder)) <= 100 - len("/.s.PGSQL.5432")
    assert cluster_of(home).socket_folder == cluster.socket_folder
    assert stat.S_IMODE(cluster.socket_folder.stat().st_mode) == 0o700
    assert one(cluster, "SELECT 1") == 1


def test_a_socket_folder_somebody_else_could_enter_is_refused(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = new_cluster(tmp_path / "h" / ("x" * 90))
    cluster.ensure_running()
    cluster.stop()
    cluster.socket_folder.chmod(0o777)
    with pytest.raises(SocketFolderForeign, match="0700"):
        cluster.ensure_running()
    shutil.rmtree(cluster.socket_folder)
    cluster.socket_folder.symlink_to(tmp_path)
    with pytest.raises(SocketFolderForeign):
        cluster.ensure_running()
    cluster.socket_folder.unlink()


def test_it_survives_the_sudden_death_of_the_server(running: Cluster) -> None:
    busy = psycopg.connect(running.conninfo())
    backend = busy.info.backend_pid
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 10000000000)")
    os.kill(postmaster(running), signal.SIGKILL)
    running.ensure_running()
    assert one(running, "SELECT number FROM kept") == 7
    assert not Path(f"/proc/{backend}").exists() or "State:\tZ" in Path(f"/proc/{backend}/status").read_text()
    busy.close()


def test_it_survives_a_lock_file_that_names_a_dead_process(running: Cluster) -> None:
    left = (running.data / "postmaster.pid").read_bytes()
    running.stop()
    leave_trace(running, left)
    running.ensure_running()
    assert one(running, "SELECT number FROM kept") == 7


def test_it_survives_a_lock_file_whose_number_belongs_to_another_process(running: Cluster) -> None:
    left = (running.data / "postmaster.pid").read_text().splitlines()
    running.stop()
    owner = {"user": running.data.stat().st_uid} if IS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], **owner) as stranger:  # type: ignore[call-overload]
        leave_trace(running, "\n".join([str(stranger.pid), *left[1:], ""]).encode())
        assert not running.is_running()
        running.ensure_running()
        assert one(running, "SELECT number FROM kept") == 7
        assert stranger.poll() is None
        stranger.kill()


def leave_trace(cluster: Cluster, content: bytes) -> None:
    for trace in (cluster.data / "postmaster.pid", cluster.socket_folder / ".s.PGSQL.5432.lock"):
        trace.write_bytes(content)
        os.chown(trace, cluster.data.stat().st_uid, -1)


def test_started_by_many_at_once_there_is_one_server(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = new_cluster(tmp_path / "home")
    forked = multiprocessing.get_context("fork")
    crowd = [forked.Process(target=cluster_of(cluster.home).ensure_running) for _ in range(5)]
    for process in crowd:
        process.start()
    for process in crowd:
        process.join()
    assert [process.exitcode for process in crowd] == [0] * 5
    assert one(cluster, "SELECT 1") == 1


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.4, 0.6, 0.7])
def test_it_survives_a_first_start_cut_short(new_cluster: NewCluster, tmp_path: Path, after_s: float) -> None:
    cluster = new_cluster(tmp_path / "home")
    process = multiprocessing.get_context("fork").Process(target=cluster_of(cluster.home).ensure_running)
    process.start()
    time.sleep(after_s)
    process.kill()
    process.join()
    cluster.ensure_running()
    assert one(cluster, "SELECT 1") == 1
    cluster.stop()
    cluster.ensure_running()  # each start sweeps what was left
    assert not list(cluster.place.glob("new-*"))


@pytest.mark.parametrize("rests", [True, False])
def test_a_home_that_moved_keeps_its_data(new_cluster: NewCluster, running: Cluster, tmp_path: Path, rests: bool) -> None:
    if rests:
        running.stop()
    running.home.rename(tmp_path / "moved")
    moved = new_cluster(tmp_path / "moved")
    moved.ensure_running()
    assert one(moved, "SELECT number FROM kept") == 7
    moved.stop()
    assert not moved.is_running()


@pytest.mark.parametrize("rests", [True, False])
def test_a_copied_home_shares_nothing_with_the_first(new_cluster: NewCluster, running: Cluster, tmp_path: Path, rests: bool) -> None:
    if rests:
        running.stop()
    shutil.copytree(running.home, tmp_path / "copy", ignore=shutil.ignore_patterns("cluster"))
    copy = new_cluster(tmp_path / "copy")
    assert not copy.is_running()
    copy.ensure_running()
    running.ensure_running()
    run(copy, "CREATE TABLE only_in_copy ()")
    assert copy.data != running.data
    assert one(running, "SELECT to_regclass('only_in_copy')") is None
    copy.stop()
    assert running.is_running()


def test_a_new_home_where_a_moved_one_was_leaves_that_ones_data_alone(new_cluster: NewCluster, running: Cluster, tmp_path: Path) -> None:
    running.home.rename(tmp_path / "moved")
    moved = new_cluster(tmp_path / "moved")
    moved.ensure_running()
    new_cluster(running.home).ensure_running()
    assert one(moved, "SELECT number FROM kept") == 7
    assert one(running, "SELECT to_regclass('kept')") is None


@pytest.mark.parametrize("rests", [True, False])
def test_a_home_deleted_and_made_again_starts_anew(new_cluster: NewCluster, running: Cluster, rests: bool) -> None:
    if rests:
        running.stop()
    old = running.place
    shutil.rmtree(running.home)
    again = new_cluster(running.home)
    again.ensure_running()
    assert one(again, "SELECT to_regclass('kept')") is None
    for aside in old.parent.glob(f"{old.name}.without-home-*"):
        shutil.rmtree(aside)


def test_several_clusters_run_side_by_side(new_cluster: NewCluster, shared: Cluster, tmp_path: Path) -> None:
    other = new_cluster(tmp_path / "other")
    other.ensure_running()
    assert one(shared, "SELECT system_identifier FROM pg_control_system()") != one(
        other, "SELECT system_identifier FROM pg_control_system()"
    )


def test_a_server_of_a_stopped_process_goes_on(new_cluster: NewCluster, tmp_path: Path) -> None:
    cluster = new_cluster(tmp_path / "home")
    process = multiprocessing.get_context("fork").Process(target=cluster_of(cluster.home).ensure_running)
    process.start()
    process.join()
    assert cluster.is_running()


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_an_ordinary_user_runs_it_in_the_own_home() -> None:
    home = OPEN_TO_ALL / f"twin-test-{os.getpid()}"
    nobody = pwd.getpwnam("nobody")
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    cluster = cluster_of(home)

    def work() -> None:
        cluster.ensure_running()
        assert one(cluster, "SELECT 1") == 1
        assert Path(f"/proc/{postmaster(cluster)}").stat().st_uid == nobody.pw_uid
        cluster.stop()

    try:
        assert as_nobody(work) == 0
        cluster.ensure_running()  # root takes over what the user made: still as that user
        assert Path(f"/proc/{postmaster(cluster)}").stat().st_uid == nobody.pw_uid
        cluster.stop()
        assert as_nobody(work) == 0
    finally:
        cluster.remove()
        shutil.rmtree(home)


@pytest.mark.skipif(not IS_ROOT, reason="only root runs it as another user")
def test_root_runs_it_as_the_system_user_even_in_a_home_that_user_cannot_enter(new_cluster: NewCluster, tmp_path: Path) -> None:
    closed, opened = tmp_path / "closed", OPEN_TO_ALL / f"twin-test-{os.getpid()}"
    closed.mkdir(mode=0o700)
    for home, inside in ((closed / "home", False), (opened, True)):
        cluster = new_cluster(home)
        cluster.ensure_running()
        assert cluster.place.is_relative_to(home) is inside
        assert pwd.getpwuid(cluster.data.stat().st_uid).pw_name == "twin-db"
        cluster.remove()
    shutil.rmtree(opened)


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_another_user_cannot_reach_the_socket(shared: Cluster) -> None:
    def work() -> None:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(shared.socket_folder / ".s.PGSQL.5432"))

    assert as_nobody(work) == 1


def test_looking_at_a_cluster_starts_nothing_on_import() -> None:
    said = subprocess.run([sys.executable, "-c", "import twin_api.store.embedded"], capture_output=True, text=True, check=True)
    assert said.stdout == said.stderr == ""
