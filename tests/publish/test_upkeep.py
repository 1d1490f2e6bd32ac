"""What no write tells: areas that move, days that come, figures at their time, withdrawals. Every word of the language on a real store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.leaks.embargo import find_early
from tests.towns import Town
from twin_api.publish.bulk import published_setwise
from twin_api.publish.difference import find_differences
from twin_api.publish.withdraw import NothingToWithdraw, NotWithdrawn, lift, withdraw
from twin_api.work.calendar import do_duties

LANGUAGE = Path(__file__).parents[1] / "language" / "policies"
TODAY = datetime.now(UTC).date()


def square(x: float, y: float, size: float) -> str:
    ring = ", ".join(f"{x + dx} {y + dy}" for dx, dy in ((0, 0), (size, 0), (size, size), (0, size), (0, 0)))
    return f"SRID=25832;POLYGON(({ring}))"


def tree(number: int, x: float, y: float, **more: Any) -> dict[str, Any]:
    told = {
        "nr": f"B{number}", "art": ("linde", "eiche", "ahorn")[number % 3], "hoehe_m": 4.0 + number, "umfang_cm": 40 + number,
        "gepflanzt": date(1990 + number % 9, 5, 17), "gesehen": "2026-03-31T23:30:00Z", "befund": f"Befund {number}",
        "gelesen": number % 2 == 0, "freigabe_ab": date(2020, 1, 1), "geometry": f"SRID=25832;POINT({x} {y})",
    }  # fmt: skip
    return told | more


def manhole(number: int, x: float, y: float, zustand: str, tiefe_m: float = 2.0) -> dict[str, Any]:
    return {"nr": f"S{number}", "zustand": zustand, "tiefe_m": tiefe_m, "geometry": f"SRID=25832;POINT Z({x} {y} 300)"}


@pytest.fixture
def town(new_town: Callable[..., Town]) -> Iterator[Town]:
    """Two districts side by side: Nord with 12 manholes (4 of them poor), Sued with 7; 24 trees over both."""
    town = new_town(LANGUAGE, rows=False, apply=False)
    town.settle(rows=False)
    town.insert("ortsteile", [{"name": "Nord", "geometry": square(0, 1000, 1000)}, {"name": "Sued", "geometry": square(0, 0, 1000)}])
    town.insert("baeume", [tree(n, 20.0 * n + 5, 500.0 if n % 4 else 1500.0) for n in range(24)])
    town.insert("schaechte", [manhole(n, 10.0 * n + 5, 1200, "schlecht" if n % 3 == 0 else "gut") for n in range(12)])
    town.insert("schaechte", [manhole(100 + n, 10.0 * n + 5, 200, "gut") for n in range(7)])
    do(town)
    return town


def do(town: Town, now: datetime | None = None) -> dict[str, int | Exception]:
    with town.login("owner") as connection:
        done = do_duties(connection, town.secrets, now or datetime.now(UTC))
    assert [outcome for outcome in done.values() if isinstance(outcome, Exception)] == []
    return done


def items(town: Town, role: str, collection: str) -> list[dict[str, Any]]:
    answer = town.client_for(role).get(f"collections/{collection}/items?limit=1000")
    assert answer.status_code == 200, answer.text
    return [feature["properties"] | {"place": feature["geometry"], "id": feature["id"]} for feature in answer.json()["features"]]


def figures(town: Town) -> dict[str, tuple[Any, ...]]:
    return {row["name"]: (row["schaechte"], row["schlecht"], row["tiefe"]) for row in items(town, "citizen", "schachtzahlen")}


def test_masks_show_bands_years_months_read_texts_and_areas(town: Town) -> None:
    shown = {row["nr"]: row for row in items(town, "citizen", "baeume")}
    assert len(shown) == 24
    assert [shown[f"B{n}"]["hoehe_m"] for n in (0, 1, 5, 6, 15, 16)] == [
        "unter 5",
        "5 bis unter 10",
        "5 bis unter 10",
        "10 bis unter 20",
        "10 bis unter 20",
        "ab 20",
    ]
    assert (shown["B1"]["gepflanzt"], shown["B1"]["gesehen"]) == ("1991-01-01", "2026-03-01T00:00:00Z")
    assert (shown["B1"]["befund"], shown["B2"]["befund"]) == (None, "Befund 2")
    places = {str(row["place"]) for row in items(town, "citizen", "baumorte")}
    assert len(places) == 2
    assert {row["nr"] for row in items(town, "citizen", "nordbaeume")} == {f"B{n}" for n in range(0, 24, 4)}
    assert town.drift() == []


def test_a_document_names_the_bands_and_the_theme_and_what_is_withheld(town: Town) -> None:
    told = town.client_for("citizen").get("collections/baeume").json()
    assert (told["keywords"], told["description"]) == (["Natur"], "Neue Bäume erst ab ihrer Freigabe.")
    landing = town.client_for("citizen").get("?f=json").json()
    assert "Schächte zeigen wir nur als Zahl je Ortsteil." in landing["description"]
    assert "Vollhausen" in landing["title"]
    document = town.client_for("citizen").get("api").text
    assert "10 bis unter 20" in document


def test_figures_count_by_area_and_hold_back_what_is_small(town: Town) -> None:
    assert figures(town) == {"Nord": (12, 30.0, 24.0), "Sued": (7, None, 14.0)}
    kinds = {row["art"]: row for row in items(town, "citizen", "arten")}
    assert {name: row["anzahl"] for name, row in kinds.items()} == {"linde": 10, "eiche": 10, "ahorn": 10}
    assert kinds["linde"]["mittlere_hoehe"] == 14.5


def test_a_count_alone_counts_by_area(town: Town) -> None:
    text = (town.policies_folder / "citizen.yaml").read_text(encoding="utf-8")
    more = """  schaechte_allein:
    from: schaechte
    rows: all
    group_by: ortsteile
    figures: {schaechte: count}
    at_least: 5
    refresh: yearly
    release: {of: [existence, geometry], reason: x, approve: [wasser], until: 2027-12-31}
"""
    (town.policies_folder / "citizen.yaml").write_text(text + more, encoding="utf-8")
    town.apply(day=TODAY)
    assert {row["name"]: row["schaechte"] for row in items(town, "citizen", "schaechte_allein")} == {"Nord": 12, "Sued": 7}


def test_differences_are_counted_with_areas_and_without_what_is_withdrawn(town: Town) -> None:
    chosen = next(row for row in items(town, "citizen", "nordbaeume") if row["nr"] == "B12")
    before = town.policies
    with town.login("owner") as connection:
        withdraw(connection, "baeume", UUID(chosen["id"]))
        town.edit(
            "citizen.yaml", "rows: {inside: {layer: ortsteile, name: Nord}}", "rows: {inside: {layer: ortsteile, name: [Nord, Sued]}}"
        )
        (found,) = [d for d in find_differences(connection, before, town.policies, TODAY) if d.change.role == "citizen"]
    assert found.rows is not None
    assert (found.rows.gained, found.rows.lost, len(found.rows.gained_ids)) == (18, 0, 3)
    assert found.widens


def test_a_small_group_takes_another_with_it(town: Town) -> None:
    town.write("DELETE FROM store.schaechte WHERE nr IN ('S100', 'S101', 'S102', 'S103')")
    with town.login("owner") as connection:
        connection.execute("UPDATE published.definition SET synced_at = '2020-01-01' WHERE kind = 'figures'")
    do(town)
    assert figures(town) == {"Nord": (None, None, None), "Sued": (None, None, None)}


def test_figures_do_not_move_by_a_write_but_at_their_time(town: Town) -> None:
    before = figures(town)
    etag = town.client_for("citizen").get("collections/schachtzahlen/items").headers["etag"]
    town.insert("schaechte", [manhole(200 + n, 10.0 * n + 5, 250, "gut") for n in range(9)])
    assert do(town)["refresh_figures"] == 0
    town.apply(day=TODAY)
    assert figures(town) == before
    assert town.client_for("citizen").get("collections/schachtzahlen/items").headers["etag"] == etag
    assert do(town, datetime(TODAY.year + 1, 1, 2, tzinfo=UTC))["refresh_figures"] == 2
    assert figures(town)["Sued"] == (16, None, 32.0)
    assert town.drift() == []


def test_an_area_that_moves_moves_what_is_sorted_by_it(town: Town) -> None:
    town.write("UPDATE store.ortsteile SET geometry = %s::postgis.geometry WHERE name = 'Nord'", square(0, 400, 1600))
    town.write("UPDATE store.ortsteile SET geometry = %s::postgis.geometry WHERE name = 'Sued'", square(0, 0, 400))
    assert len(items(town, "citizen", "nordbaeume")) == 24
    assert len({str(row["place"]) for row in items(town, "citizen", "baumorte")}) == 1
    assert town.drift() == []


def test_an_embargo_ends_on_its_day_and_not_before(town: Town) -> None:
    town.insert("baeume", [tree(50, 7, 7, freigabe_ab=TODAY + timedelta(days=30)), tree(51, 9, 9, freigabe_ab=None)])
    town.insert("baeume", [tree(52, 8, 8, freigabe_ab=TODAY)])
    shown = {row["nr"] for row in items(town, "citizen", "baeume")}
    assert shown & {"B50", "B51", "B52"} == {"B52"}
    assert {row["nr"] for row in items(town, "administration", "baeume")} >= {"B50", "B51"}
    with town.login("owner") as connection:  # the day comes while nobody writes
        connection.execute("ALTER TABLE store.baeume DISABLE TRIGGER USER")
        connection.execute("UPDATE store.baeume SET freigabe_ab = current_date WHERE nr = 'B50'")
        connection.execute("ALTER TABLE store.baeume ENABLE TRIGGER USER")
        connection.execute("UPDATE published.definition SET synced_at = now() - interval '2 days' WHERE due IS NOT NULL")
    assert do(town)["show_what_is_due"] == 1
    assert "B50" in {row["nr"] for row in items(town, "citizen", "baeume")}
    assert find_early(town) == []


def test_a_withdrawn_collection_is_gone_at_once_everywhere_and_stays_away(town: Town) -> None:
    clients = {role: town.client_for(role) for role in ("citizen", "council", "administration")}
    assert all(client.get("collections/baeume/items").status_code == 200 for client in clients.values())
    with town.login("owner") as connection:
        begun = time.monotonic()
        told = withdraw(connection, "baeume")
        assert time.monotonic() - begun < 2
    assert {"citizen", "administration"} <= set(told.closed)
    assert ("citizen", "baumorte") in told.others
    for client in clients.values():
        assert client.get("collections/baeume/items").status_code == 404
        assert client.get("collections/baeume").status_code == 404
        assert "/baeume" not in client.get("collections").text
    town.apply(day=TODAY)
    do(town)
    assert all(client.get("collections/baeume/items").status_code == 404 for client in clients.values())
    with town.login("owner") as connection:
        lift(connection, "baeume")
    town.apply(day=TODAY)
    assert all(client.get("collections/baeume/items").status_code == 200 for client in clients.values())


def test_a_withdrawn_item_is_gone_from_every_collection_of_its_layer(town: Town) -> None:
    chosen = next(row for row in items(town, "citizen", "baeume") if row["nr"] == "B12")
    with town.login("owner") as connection:
        withdraw(connection, "baeume", UUID(chosen["id"]))
    for role, collection in (("citizen", "baeume"), ("citizen", "nordbaeume"), ("citizen", "baumorte"), ("administration", "baeume")):
        assert town.client_for(role).get(f"collections/{collection}/items/{chosen['id']}").status_code == 404
    town.write("UPDATE store.baeume SET umfang_cm = umfang_cm + 1")
    town.apply(day=TODAY)
    assert "B12" not in {row["nr"] for row in items(town, "administration", "baeume")}
    assert town.drift() == []
    with town.login("owner") as connection:
        lift(connection, "baeume", UUID(chosen["id"]))
    assert "B12" in {row["nr"] for row in items(town, "citizen", "nordbaeume")}
    assert town.drift() == []


def test_an_item_withdrawn_while_somebody_writes_it_does_not_come_back(town: Town) -> None:
    chosen = next(row for row in items(town, "administration", "baeume") if row["nr"] == "B13")
    with town.login("writer") as writer, town.login("owner") as owner:
        writer.execute("BEGIN")
        writer.execute("UPDATE store.baeume SET art = 'eiche', umfang_cm = 99 WHERE nr = 'B13'")
        withdrawing = threading.Thread(target=lambda: withdraw(owner, "baeume", UUID(chosen["id"])))
        withdrawing.start()
        time.sleep(0.5)
        writer.execute("COMMIT")
        withdrawing.join(20)
    assert town.client_for("administration").get(f"collections/baeume/items/{chosen['id']}").status_code == 404
    assert town.drift() == []


def test_a_withdrawal_that_was_killed_half_way_is_finished_by_the_worker(town: Town) -> None:
    chosen = next(row for row in items(town, "citizen", "baeume") if row["nr"] == "B12")
    with town.login("owner") as connection:  # written down and nothing more
        connection.execute(
            "INSERT INTO published.withdrawn (collection, layer, item) VALUES ('baeume', 'baeume', %s)", [UUID(chosen["id"])]
        )
        connection.execute("INSERT INTO published.withdrawn (collection, layer) VALUES ('baumorte', 'baeume')")
    assert do(town)["keep_out_withdrawn"] == 1
    assert do(town)["keep_out_withdrawn"] == 0
    assert town.client_for("citizen").get("collections/baumorte").status_code == 404
    assert town.client_for("citizen").get(f"collections/baeume/items/{chosen['id']}").status_code == 404


DELIVERED_ANEW = """
CREATE TEMPORARY TABLE kept AS SELECT * FROM store.{layer};
DELETE FROM store.{layer} WHERE true;
UPDATE pg_temp.kept SET id = gen_random_uuid();
INSERT INTO store.{layer} SELECT * FROM pg_temp.kept;
"""


@pytest.mark.parametrize("bulk", [1, 10_000])
def test_a_withdrawn_item_that_is_deleted_and_delivered_anew_stays_away(town: Town, bulk: int) -> None:
    chosen = next(row for row in items(town, "citizen", "baeume") if row["nr"] == "B12")
    with town.login("owner") as connection:
        withdraw(connection, "baeume", UUID(chosen["id"]))
        with connection.transaction(), published_setwise(connection, "baeume", bulk):
            connection.execute(DELIVERED_ANEW.format(layer="baeume").encode())
    assert len(items(town, "citizen", "baeume")) == 23
    assert "B12" not in {row["nr"] for row in items(town, "citizen", "baeume")}
    assert town.drift() == []
    with town.login("owner") as connection:
        lift(connection, "baeume", UUID(chosen["id"]))
    assert next(row for row in items(town, "citizen", "baeume") if row["nr"] == "B12")["id"] == chosen["id"]


def test_an_item_that_a_writer_deletes_while_it_is_withdrawn_is_known_again_all_the_same(town: Town) -> None:
    chosen = next(row for row in items(town, "citizen", "baeume") if row["nr"] == "B12")
    with town.login("owner") as connection, town.login("owner") as writer:
        withdrawing = threading.Thread(target=withdraw, args=(connection, "baeume", UUID(chosen["id"])))
        with writer.transaction():
            writer.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM store.baeume WHERE nr = 'B12'")
            writer.execute("DELETE FROM store.baeume WHERE nr = 'B12'")
            withdrawing.start()
            withdrawn = "SELECT FROM published.withdrawn WHERE item = %s"
            with town.login("owner") as watching:
                while watching.execute(withdrawn, [chosen["id"]]).fetchone() is None:
                    time.sleep(0.01)
        withdrawing.join()
        with writer.transaction(), published_setwise(writer, "baeume", 1):
            writer.execute(
                "INSERT INTO store.baeume SELECT (jsonb_populate_record(k, jsonb_build_object('id', gen_random_uuid()))).* FROM kept k"
            )
    assert "B12" not in {row["nr"] for row in items(town, "citizen", "baeume")}
    assert town.drift() == []


def test_withdrawing_what_nobody_sees_is_said(town: Town) -> None:
    with town.login("owner") as connection:
        with pytest.raises(NothingToWithdraw):
            withdraw(connection, "baume")
        with pytest.raises(NothingToWithdraw):
            withdraw(connection, "baeume", UUID(int=7))
        with pytest.raises(NotWithdrawn):
            lift(connection, "baeume")
