"""What `twin work` tells Prometheus, and what it writes: how things stand, and no value of any row."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.cli.test_commands import PROJECT
from tests.imports.servers import LOOPBACK, answering
from tests.towns import Town
from tests.work.test_sources import SAID, trees
from twin_api.seeing.logs import FIELDS
from twin_api.work.metrics import DRIFT_EVERY, WorkMetrics
from twin_api.work.source_state import begin

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_drift_withdrawals_imports_and_sources_are_counted(new_town: Callable[..., Town]) -> None:
    town, metrics = new_town(), WorkMetrics()

    def told(name: str, stale: frozenset[str] = frozenset(), now: datetime = NOW, **labels: str) -> float | None:
        with town.login("owner") as connection:
            metrics.note_store(connection, stale, 0, now)
        return metrics.registry.get_sample_value(name, labels)

    assert [told("twin_drifted_tables"), told("twin_withdrawn_items")] == [0, 0]
    with town.login("owner") as connection:
        begin(connection, "kreis", "said", NOW)
        connection.execute("INSERT INTO control.import (layer, files, holder, licence) VALUES ('baeume', '[]', '', '')")
        row = connection.execute("SELECT relation FROM published.definition WHERE layer = 'baeume' ORDER BY relation").fetchone()
        assert row is not None
        connection.execute(f'DELETE FROM published."{row[0]}"')
    assert told("twin_imports", layer="baeume") == 1
    assert told("twin_source_failures", source="kreis") == 1
    assert [told("twin_source_stale", frozenset(names), source="kreis") for names in ((), ("kreis",))] == [0, 1]
    assert told("twin_source_good_timestamp_seconds", source="kreis") is None
    assert told("twin_drifted_tables") == 0, "looked at again before its time"
    assert told("twin_drifted_tables", now=NOW + DRIFT_EVERY) == 1


def test_a_duty_that_fails_is_counted_and_one_that_is_done_is_dated() -> None:
    metrics = WorkMetrics()
    metrics.note_duties({"close_expired_releases": 0, "refresh_figures": ValueError("CANARY")}, NOW)
    value = metrics.registry.get_sample_value
    assert value("twin_duty_success_timestamp_seconds", {"duty": "close_expired_releases"}) == NOW.timestamp()
    assert value("twin_duty_success_timestamp_seconds", {"duty": "refresh_figures"}) is None
    assert value("twin_duty_failures_total", {"duty": "refresh_figures"}) == 1


@pytest.mark.slow
def test_the_worker_writes_listed_fields_and_no_value_of_a_row(new_town: Callable[..., Town]) -> None:
    town = new_town(rows=False)
    (town.folder / "sources").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}/metrics"
    with answering(lambda asked: (200, {}, trees(3, status="CANARY"))) as server:
        said = f"{SAID}every: daily\nat: '02:30'\naddress: {server.url('/x.geojsonl')}\n"
        (town.folder / "sources" / "kaputt.yaml").write_text(said)
        environment = {
            "TWIN_DATABASE_URL": town.admin, "TWIN_SECRETS": str(town.secrets.folder), "TWIN_POLICIES": str(town.policies_folder),
            "TWIN_HOME": str(town.folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": PROJECT, "TWIN_SOURCE_HOSTS": server.hosts,
            "TWIN_SOURCE_NETWORKS": LOOPBACK, "TWIN_WORK_METRICS_PORT": address.split(":")[2].split("/")[0],
        }  # fmt: skip
        command = [sys.executable, "-m", "twin_api.cli", "work", "--every", "1"]
        with (town.folder / "output").open("w") as output:
            worker = subprocess.Popen(command, env=environment, cwd=town.folder, stdout=output, stderr=output)
        try:
            told = wait_for(address, lambda text: 'twin_source_failures{source="kaputt"} 1.0' in text and "source_refused" in written(town))
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(120) == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in written(town).splitlines()]
    refused = next(line for line in lines if line["event"] == "source_refused")
    assert (refused["source"], refused["layer"], refused["level"], refused["reasons"] > 0) == ("kaputt", "baeume", "error", True)
    assert [line for line in lines if not line.keys() <= FIELDS.keys()] == []
    assert "CANARY" not in written(town) + told
    assert 'twin_duty_success_timestamp_seconds{duty="keep_out_withdrawn"}' in told


def written(town: Town) -> str:
    return (town.folder / "output").read_text()


def wait_for(address: str, holds: Callable[[str], bool]) -> str:
    deadline = time.monotonic() + timedelta(minutes=3).total_seconds()
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            text = httpx.get(address).text
            if holds(text):
                return text
        time.sleep(0.1)
    raise AssertionError("it has not come true")
