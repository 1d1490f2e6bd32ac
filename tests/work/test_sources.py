"""Sources from their files and addresses into the store: all of what changed, nothing if nothing did, the last good state if it fails."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psycopg
import pytest
import shapely
from pyogrio.raw import write

from tests.imports.servers import LOOPBACK, Answer, Asked, answering
from tests.towns import Town
from twin_api.imports.sources.file import SourceFile, read_source
from twin_api.policy.finding import Findings
from twin_api.settings import Settings
from twin_api.work.source_state import SourceState, fail_running, read_states, take
from twin_api.work.sources import Run, policies_in_force, run_source

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SAID = "layer: baeume\ncolumns: {baumart: art}\nreplace: true\nmay_shrink: true\nholder: Kreis Kanaria\nlicence: CC0-1.0\n"


@pytest.fixture(scope="module")
def kanaria(new_town: Callable[..., Town]) -> Town:
    town = new_town(rows=False)
    (town.folder / "sources").mkdir()
    (town.folder / "daten").mkdir()
    return town


def trees(count: int, art: str = "Linde", status: str = "steht") -> bytes:
    """Trees in WGS84, one per line."""
    lines = []
    for n in range(count):
        properties = {"baum_nr": f"B-{n}", "baumart": art, "status": status}
        place = {"type": "Point", "coordinates": [11.39 + n * 1e-4, 49.63]}
        lines.append(json.dumps({"type": "Feature", "properties": properties, "geometry": place}))
    return "\n".join(lines).encode()


def describe(town: Town, name: str, text: str) -> SourceFile:
    path, findings = town.folder / "sources" / f"{name}.yaml", Findings()
    path.write_text(text)
    source = read_source(path, town.policies, findings)
    assert findings == []
    assert source is not None
    return source


def run(town: Town, source: SourceFile, settled_s: float = 0.0, **settings: Any) -> Run:
    told: Settings = town.settings(policies=town.policies_folder, home=town.folder, **settings)
    with town.login("owner") as connection:
        policies = policies_in_force(connection)
    assert policies is not None
    return run_source(source, policies, told, lambda: town.login("owner"), NOW, settled_s=settled_s)


def ask(town: Town, query: str) -> Any:
    with town.superuser() as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def state(town: Town, name: str) -> SourceState:
    with town.login("owner") as connection:
        return read_states(connection)[name]


def test_a_file_of_a_source_is_imported_published_and_entered_in_the_journal(kanaria: Town) -> None:
    (kanaria.folder / "daten" / "a-1.geojsonl").write_bytes(trees(7))
    ended = run(kanaria, describe(kanaria, "a", SAID + "files: daten/a-*.geojsonl\n"))
    assert (ended.outcome, ended.done.inserted if ended.done else None) == ("imported", 7)
    assert ask(kanaria, "SELECT count(*) FROM citizen.baeume") == 7
    assert (
        ask(kanaria, "SELECT (source, holder, licence)::text FROM control.import ORDER BY id DESC LIMIT 1") == '(a,"Kreis Kanaria",CC0-1.0)'
    )
    assert kanaria.drift() == []
    after = state(kanaria, "a")
    assert (after.failures, after.outcome, after.good_at, after.tried_at) == (0, "imported", NOW, NOW)


def test_what_has_not_changed_is_not_imported_again_until_the_file_or_what_is_said_of_it_changes(kanaria: Town) -> None:
    file, said = kanaria.folder / "daten" / "b.geojsonl", SAID + "files: daten/b.geojsonl\n"
    imports = "SELECT count(*) FROM control.import WHERE source = 'b'"
    file.write_bytes(trees(5))
    outcomes = [run(kanaria, describe(kanaria, "b", said)).outcome for _ in range(2)]
    assert (outcomes, ask(kanaria, imports)) == (["imported", "unchanged"], 1)
    file.write_bytes(trees(6))
    assert (run(kanaria, describe(kanaria, "b", said)).outcome, ask(kanaria, imports)) == ("imported", 2)
    assert (run(kanaria, describe(kanaria, "b", said + "# anders\n")).outcome, ask(kanaria, imports)) == ("imported", 3)


def test_a_shapefile_of_which_only_the_attributes_changed_has_changed(kanaria: Town) -> None:
    file, said = kanaria.folder / "daten" / "k.shp", SAID + "files: daten/k.shp\n"
    shapes = np.array([shapely.to_wkb(shapely.Point(678_000, 5_540_000))], dtype=object)
    for art in ("Linde", "Ulmen"):
        known = [np.array([text], dtype=object) for text in ("B-1", art, "steht")]
        write(file, shapes, known, ["baum_nr", "baumart", "status"], driver="ESRI Shapefile", geometry_type="Point", crs="EPSG:25832")
        assert run(kanaria, describe(kanaria, "k", said)).outcome == "imported"
    assert ask(kanaria, "SELECT art FROM citizen.baeume") == "Ulmen"


def test_a_source_that_fails_keeps_the_last_good_state_and_says_why(kanaria: Town) -> None:
    file, said = kanaria.folder / "daten" / "c.geojsonl", SAID + "files: daten/c.geojsonl\n"
    file.write_bytes(trees(4))
    run(kanaria, describe(kanaria, "c", said))
    good, rows = state(kanaria, "c"), "SELECT string_agg(baum_nr || art, ',' ORDER BY baum_nr) FROM store.baeume"
    before = ask(kanaria, rows)
    file.write_bytes(trees(2, status="umgefallen"))
    ended = run(kanaria, describe(kanaria, "c", said))
    assert ended.outcome == "refused"
    assert "`umgefallen`" in ended.reasons[0].say("en")
    after = state(kanaria, "c")
    assert (after.failures, after.outcome, after.content, after.good_at) == (1, "refused", good.content, good.good_at)
    assert "`umgefallen`" in after.reasons[0]["de"]
    assert ask(kanaria, rows) == before
    file.write_bytes(trees(4))
    assert (run(kanaria, describe(kanaria, "c", said)).outcome, state(kanaria, "c").failures) == ("unchanged", 0)


def test_a_source_whose_data_shrink_to_less_than_half_keeps_the_last_good_state(kanaria: Town) -> None:
    file, said = kanaria.folder / "daten" / "m.geojsonl", SAID + "files: daten/m.geojsonl\n"
    file.write_bytes(trees(30))
    run(kanaria, describe(kanaria, "m", said))
    file.write_bytes(trees(14))
    ended = run(kanaria, describe(kanaria, "m", said.replace("may_shrink: true\n", "")))
    assert ended.reasons[0].say("en").startswith("14 features come in place of 30")
    assert ask(kanaria, "SELECT count(*) FROM citizen.baeume") == 30
    assert run(kanaria, describe(kanaria, "m", said)).outcome == "imported"


def test_a_file_that_is_not_there_is_a_reason(kanaria: Town) -> None:
    ended = run(kanaria, describe(kanaria, "d", SAID + "files: daten/d-*.csv\n"))
    assert ended.outcome == "refused"
    assert "no file fits `daten/d-*.csv`" in ended.reasons[0].say("en")


def test_a_file_that_was_written_a_moment_ago_is_left_for_the_next_time(kanaria: Town) -> None:
    file, source = kanaria.folder / "daten" / "l.geojsonl", describe(kanaria, "l", SAID + "files: daten/l.geojsonl\n")
    file.write_bytes(trees(3))
    ended = run(kanaria, source, settled_s=60)
    assert "`l.geojsonl` may still be being written" in ended.reasons[0].say("en")
    os.utime(file, (time.time() - 61,) * 2)
    assert run(kanaria, source, settled_s=60).outcome == "imported"


def test_an_address_is_asked_whether_it_has_changed(kanaria: Town) -> None:
    def answer(asked: Asked) -> Answer:
        return (304, {}, b"") if asked.headers.get("if-none-match") == '"1"' else (200, {"ETag": '"1"'}, trees(3, "Eiche"))

    with answering(answer) as server:
        reach = {"source_hosts": server.hosts, "source_networks": LOOPBACK}
        said = SAID + f"address: {server.url('/baeume.geojsonl?key=CANARY')}\n"
        outcomes = [run(kanaria, describe(kanaria, "e", text), **reach).outcome for text in (said, said, said + "# anders\n")]
    assert outcomes == ["imported", "unchanged", "imported"]
    assert ["if-none-match" in asked.headers for asked in server.asked] == [False, True, False]
    assert ask(kanaria, "SELECT string_agg(DISTINCT art, ',') FROM store.baeume") == "Eiche"
    assert "CANARY" not in ask(kanaria, "SELECT string_agg(s::text, ' ') FROM control.source s")
    assert not (kanaria.folder / "fetched" / "e").exists()


def test_without_leave_nothing_is_fetched(kanaria: Town) -> None:
    with answering(lambda asked: (200, {}, trees(3))) as server:
        source = describe(kanaria, "f", SAID + f"address: {server.url('/baeume.geojsonl')}\n")
        for reach in ({}, {"source_hosts": server.hosts}, {"source_networks": LOOPBACK}):
            assert run(kanaria, source, **reach).outcome == "refused"
    assert server.asked == []


def test_another_town_is_a_source(kanaria: Town, town: Town) -> None:
    """Our own OGC API, from one town into the other: its items come with their ids, which are the key here."""
    with town.client() as client:
        expected = client.get("/citizen/collections/baeume/items").json()["numberMatched"]
        address = str(client.base_url)
    said = "layer: baeume\nservice: oapif\ncollection: baeume\nreplace: true\ncolumns: {id: baum_nr}\n"
    reach = {"source_hosts": address, "source_networks": LOOPBACK}
    ended = run(kanaria, describe(kanaria, "g", said + f"address: {address}/citizen\n"), **reach)
    assert [reason.say("en") for reason in ended.reasons] == []
    assert ask(kanaria, "SELECT count(*) FROM store.baeume") == expected > 0
    assert run(kanaria, describe(kanaria, "g", said + f"address: {address}/citizen\n"), **reach).outcome == "unchanged"


def test_a_source_runs_once_at_a_time(kanaria: Town) -> None:
    (kanaria.folder / "daten" / "h.geojsonl").write_bytes(trees(3))
    source = describe(kanaria, "h", SAID + "files: daten/h.geojsonl\n")
    with kanaria.login("owner") as other:
        assert take(other, "h")
        assert run(kanaria, source).outcome == "running"
    assert run(kanaria, source).outcome == "imported"


def test_a_run_that_was_killed_counts_as_failed(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    (kanaria.folder / "daten" / "i.geojsonl").write_bytes(trees(3))
    source = describe(kanaria, "i", SAID + "files: daten/i.geojsonl\n")
    run(kanaria, describe(kanaria, "k", SAID + "files: daten/i.geojsonl\n"))
    (kanaria.folder / "daten" / "i.geojsonl").write_bytes(trees(3, "Ahorn"))
    with monkeypatch.context() as patch:
        patch.setattr("twin_api.imports.merge.Merge.write", killed)
        with pytest.raises(Killed):
            run(kanaria, source)
    assert (state(kanaria, "i").outcome, state(kanaria, "i").failures) == ("running", 1)
    with kanaria.login("owner") as connection:
        fail_running(connection, ["i", "k"])
    assert (state(kanaria, "i").outcome, state(kanaria, "k").outcome) == ("failed", "imported")
    assert (run(kanaria, source).outcome, state(kanaria, "i").failures) == ("imported", 0)


def test_the_import_and_what_is_noted_of_it_are_one_transaction(kanaria: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    (kanaria.folder / "daten" / "j.geojsonl").write_bytes(trees(3, "Ulme"))
    source = describe(kanaria, "j", SAID + "files: daten/j.geojsonl\n")

    def broken(connection: psycopg.Connection[Any], *_: object) -> None:
        connection.execute("SELECT 1 / 0")

    monkeypatch.setattr("twin_api.work.sources.succeed", broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        run(kanaria, source)
    assert ask(kanaria, "SELECT count(*) FROM store.baeume WHERE art = 'Ulme'") == 0
    after = state(kanaria, "j")
    assert (after.outcome, after.good_at, after.content) == ("failed", None, None)
