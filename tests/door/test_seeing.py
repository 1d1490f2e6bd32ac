"""What the operator sees: an id for every request, a line of listed fields, metrics on a port of their own, and whether we are well."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import httpx
import pytest

from tests.door.clients import client_of
from tests.towns import Serving, Town
from twin_api.identity.tokens import read_token
from twin_api.main import BLOCKS
from twin_api.seeing.logs import FIELDS

ITEMS = "/citizen/collections/baeume/items"
EVERY_KIND = [
    "/", "/?x=1", "/nix", "/healthz", "/readyz", "/metrics", "/citizen", "/citizen?f=html", "/citizen?x=1", ITEMS, "/council", "/citizen/api",
    "/citizen/collections/nix", "/citizen/" + "a" * 9000, "/citizen%0a", "/%0a",
]  # fmt: skip
PATTERNS = {route.path for block in BLOCKS for route in block.routes} | {"/", "-"}


class Process(NamedTuple):
    """A real `twin serve`: where it listens, where its metrics are, and what it has written."""

    address: str
    metrics: str
    output: Path
    pid: int

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.read_text().splitlines() if line.startswith("{")]

    def requests(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line["event"] == "request"]


def line_of(process: Process, answer: httpx.Response) -> dict[str, Any]:
    """What the log says of the request; it is written once the answer has gone out."""
    wait_until(lambda: any(line["request_id"] == answer.headers["x-request-id"] for line in process.requests()), seconds=5)
    return next(line for line in process.requests() if line["request_id"] == answer.headers["x-request-id"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(town: Town, folder: Path, *more: str, output: IO[bytes] | None = None, **told: str) -> Iterator[Process]:
    port, metrics_port = free_port(), free_port()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "TWIN_HOME": str(folder / "home"),
        "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_METRICS_PORT": str(metrics_port), **told,
    }  # fmt: skip
    command = [sys.executable, "-m", "twin_api.cli", "serve", "--port", str(port), *more]
    project = Path(__file__).parents[2]
    with (folder / "output").open("w") as file:
        process = subprocess.Popen(command, env=environment, cwd=project, stdout=output or file, stderr=file)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: httpx.get(f"{address}/readyz", timeout=5).status_code == 200)
        yield Process(address, f"http://127.0.0.1:{metrics_port}/metrics", folder / "output", process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until(holds: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.05)
    raise AssertionError("it has not come true")


@pytest.fixture(scope="module")
def process(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with serving(town, tmp_path_factory.mktemp("serving")) as process:
        yield process


@pytest.mark.parametrize("path", EVERY_KIND, ids=lambda path: path[:20])
def test_every_answer_has_an_id_of_its_own_and_none_of_the_clients(town: Town, path: str) -> None:
    answers = [client_of(town).get(path, headers={"X-Request-Id": "mine"}) for _ in range(2)]
    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert all(len(each) == 1 and re.fullmatch("[0-9a-f]{32}", each[0]) for each in ids)
    assert ids[0] != ids[1]


def test_an_answer_of_which_nothing_has_changed_has_an_id_too(town: Town) -> None:
    etag = client_of(town).get("/citizen").headers["etag"]
    unchanged = client_of(town).get("/citizen", headers={"If-None-Match": etag})
    assert (unchanged.status_code, len(unchanged.headers["x-request-id"])) == (304, 32)


def test_a_request_is_one_line_of_listed_fields(town: Town, process: Process) -> None:
    token = town.token("administration")
    asked = [
        httpx.get(f"{process.address}{ITEMS}?limit=3", headers={"Accept-Encoding": "identity"}),
        httpx.get(f"{process.address}/administration/collections/baeume/items", headers={"Authorization": f"Bearer {token}"}),
        httpx.get(f"{process.address}/citizen?geheim=CANARY"),
        httpx.request("PROPFIND", f"{process.address}/CANARY/CANARY"),
    ]
    items, administrations, refused, lost = (line_of(process, answer) for answer in asked)
    assert (items["role"], items["route"], items["method"], items["status"]) == ("citizen", "/collections/{collection}/items", "GET", 200)
    assert items["bytes"] == len(asked[0].content)
    assert 0 < items["sql_ms"] < items["ms"]
    assert "token" not in items
    assert administrations["token"] == read_token(token).id
    assert token not in process.output.read_text()
    assert (refused["status"], refused["problem"], refused["route"]) == (400, "invalid-parameter", "/")
    assert (lost["role"], lost["route"], lost["method"], lost["problem"]) == ("-", "-", "-", "not-found")
    for line in process.lines():
        assert line.keys() <= FIELDS.keys()
        assert line.get("route", "-") in PATTERNS
    assert "CANARY" not in process.output.read_text()


def test_councillors_are_not_followed(town: Town, process: Process) -> None:
    answer = httpx.get(f"{process.address}/council", headers={"Authorization": f"Bearer {town.token('council')}"})
    line = line_of(process, answer)
    assert (line["role"], line["status"]) == ("council", 200)
    assert "token" not in line


def test_whoever_asks_whether_we_are_well_is_neither_logged_nor_counted(process: Process) -> None:
    for path in ("/healthz", "/readyz"):
        for method in ("GET", "HEAD"):
            assert httpx.request(method, f"{process.address}{path}").status_code == 200
    assert [line for line in process.requests() if line["route"] in ("/healthz", "/readyz")] == []
    assert "healthz" not in httpx.get(process.metrics).text


def test_who_is_cut_off_in_the_middle_of_an_answer_is_no_error_of_ours(process: Process) -> None:
    place = httpx.URL(process.address)
    with socket.create_connection((place.host, place.port or 80), timeout=20) as line:
        line.sendall(f"GET {ITEMS} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 2000 + b"GET /")
        with suppress(ConnectionError):
            while line.recv(65536):
                pass
    line_of(process, httpx.get(process.address + "/citizen"))
    assert [told for told in process.lines() if told["level"] == "error"] == []


def test_metrics_count_by_role_route_and_outcome(process: Process) -> None:
    series = 'twin_answer_seconds_count{role="citizen",route="/collections/{collection}",status="2xx"}'
    before = value(process.metrics, series)
    for _ in range(3):
        httpx.get(f"{process.address}/citizen/collections/baeume")
    assert value(process.metrics, series) == before + 3
    assert value(process.metrics, 'twin_sql_seconds_count{role="citizen"}') >= 3
    assert value(process.metrics, 'twin_answer_bytes_count{role="citizen",route="/collections/{collection}"}') >= 3


def test_refusals_are_counted_by_type(process: Process) -> None:
    before = value(process.metrics, 'twin_problems_total{type="not-found"}')
    httpx.get(f"{process.address}/nix")
    assert value(process.metrics, 'twin_problems_total{type="not-found"}') == before + 1


def test_no_word_of_a_client_becomes_a_label(process: Process) -> None:
    words = ("/CANARY", "/administration/CANARY", "/council/canary_x", "/citizen/collections/CANARY/items/CANARY", "/citizen?CANARY=1")
    for path in words:
        httpx.get(f"{process.address}{path}", headers={"X-Request-Id": "CANARY", "traceparent": "CANARY"})
    assert "canary" not in httpx.get(process.metrics).text.lower()


def test_pools_are_seen(process: Process) -> None:
    httpx.get(f"{process.address}/citizen")
    wait_until(lambda: 'twin_pool_in_use{login="citizen"}' in httpx.get(process.metrics).text)


def value(address: str, series: str) -> float:
    """What the series holds; 0 where nothing has been counted."""
    found = [line for line in httpx.get(address).text.splitlines() if line.startswith(series + " ")]
    return float(found[0].split(" ")[1]) if found else 0.0


def test_the_public_port_knows_no_metrics(town: Town) -> None:
    metrics, nothing = (client_of(town).get(path) for path in ("/metrics", "/mexrics"))
    assert (metrics.status_code, metrics.content) == (nothing.status_code, nothing.content)


@pytest.mark.slow
def test_several_processes_are_counted_together_and_speak_in_one_form(town: Town, tmp_path: Path) -> None:
    trace = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with serving(town, tmp_path, "--workers", "2", TWIN_TRACED="true") as process:
        series = 'twin_answer_seconds_count{role="citizen",route="/",status="2xx"}'
        for header in (trace, {"traceparent": "00-" + "x" * 32 + "-b7ad6b7169203331-01"}, *([{}] * 18)):
            httpx.get(f"{process.address}/citizen", headers=header)
        assert [value(process.metrics, series) for _ in range(6)] == [20] * 6
        assert all(line.keys() <= FIELDS.keys() for line in process.lines())
        assert [line["trace_id"] for line in process.requests() if "trace_id" in line] == ["0af7651916cd43dd8448eb211c80319c"]
        stray = [line for line in process.output.read_text().splitlines() if not line.startswith("{")]
        assert len(stray) == 1, "but for the greeting, all is one form"


def test_a_trace_id_is_taken_from_a_proxy_of_ours_only(process: Process) -> None:
    ignored = httpx.get(f"{process.address}/citizen", headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    assert "trace_id" not in line_of(process, ignored)


def test_health_does_not_ask_the_store_and_readiness_does(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False)
    server = Serving(town.settings(roles="citizen,council"))
    ready, unready = (200, "ready\n", 200), (503, "not ready\n", 503)

    def ask(path: str) -> tuple[int, str, int]:
        answer = client.get(path)
        return answer.status_code, answer.text, client.head(path).status_code

    with httpx.Client(base_url=server.address, timeout=10) as client, town.superuser() as connection:
        assert ask("/readyz") == ready
        connection.execute(f'ALTER ROLE "{town.database}_council" NOLOGIN')
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{town.database}_council'")
        wait_until(lambda: ask("/readyz") == unready)
        assert ask("/healthz") == (200, "ok\n", 200)
        connection.execute(f'ALTER ROLE "{town.database}_council" LOGIN')
        wait_until(lambda: ask("/readyz") == ready)
        with connection.transaction():
            connection.execute("LOCK TABLE council.collection IN ACCESS EXCLUSIVE MODE")
            wait_until(lambda: ask("/readyz") == unready, seconds=5)
            assert ask("/healthz") == (200, "ok\n", 200)
        wait_until(lambda: ask("/readyz") == ready)
        (town.secrets.folder / "council").rename(town.folder / "council")
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{town.database}_council'")
        wait_until(lambda: ask("/readyz") == unready)
        (town.folder / "council").rename(town.secrets.folder / "council")
        wait_until(lambda: ask("/readyz") == ready)
        connection.execute("ALTER TABLE citizen.collection RENAME COLUMN version TO edition")
        wait_until(lambda: ask("/readyz") == unready)
    server.stop()
