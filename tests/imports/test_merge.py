"""What an import does to the rows that are already there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportOutcome, run_import
from twin_api.policy.documents import Layer
from twin_api.store.journal import Journal, Origin

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]


@pytest.fixture
def thing(database: Database, new_layer: NewLayer) -> Layer:
    layer = new_layer(attribute("nr", key=True), attribute("art"), attribute("hoehe", "number"))
    database.create(layer)
    return layer


def bring(database: Database, layer: Layer, file: Path, **more: Any) -> ImportOutcome:
    return run_import(asked(file, **more), layer, database.connect)


def counts(outcome: ImportOutcome) -> tuple[int, int, int, int]:
    return outcome.inserted, outcome.updated, outcome.unchanged, outcome.deleted


def three(geojson: Write, art: str = "Linde") -> Path:
    return geojson(*(({"nr": f"B{n}", "art": art, "hoehe": n / 2}, point(678_000 + n)) for n in (1, 2, 3)))


def test_a_changed_row_keeps_its_id_and_the_others_are_not_touched(database: Database, thing: Layer, geojson: Write) -> None:
    bring(database, thing, three(geojson))
    ids = dict(database.rows("SELECT nr, id FROM store.thing"))
    kept = database.value("SELECT xmin::text FROM store.thing WHERE nr = 'B1'")
    changed = geojson(
        ({"nr": "B1", "art": "Linde", "hoehe": 0.5}, point(678_001)), ({"nr": "B2", "art": "Eiche", "hoehe": 1.0}, point(678_002))
    )
    assert counts(bring(database, thing, changed)) == (0, 1, 1, 0)
    assert dict(database.rows("SELECT nr, id FROM store.thing")) == ids
    assert database.value("SELECT art FROM store.thing WHERE nr = 'B2'") == "Eiche"
    assert database.value("SELECT xmin::text FROM store.thing WHERE nr = 'B1'") == kept


def test_a_moved_geometry_and_a_value_that_became_null_are_changes(database: Database, thing: Layer, geojson: Write) -> None:
    bring(database, thing, three(geojson))
    moved = geojson(
        ({"nr": "B1", "art": "Linde", "hoehe": 0.5}, point(678_001.001)), ({"nr": "B2", "art": None, "hoehe": 1.0}, point(678_002))
    )
    assert counts(bring(database, thing, moved)) == (0, 2, 0, 0)
    assert database.rows("SELECT nr, art FROM store.thing WHERE art IS NULL") == [("B2", None)]


def test_replace_also_deletes_what_the_file_does_not_have(database: Database, thing: Layer, geojson: Write) -> None:
    bring(database, thing, three(geojson))
    two = geojson(({"nr": "B3", "art": "Linde", "hoehe": 1.5}, point(678_003)), ({"nr": "B4"}, point()))
    assert counts(bring(database, thing, two, replace=True)) == (1, 0, 1, 2)
    assert database.rows("SELECT nr FROM store.thing ORDER BY nr") == [("B3",), ("B4",)]


def test_new_and_changed_rows_come_together(database: Database, thing: Layer, geojson: Write) -> None:
    bring(database, thing, three(geojson))
    mixed = geojson(*(({"nr": f"B{n}", "art": "Ulme", "hoehe": n / 2}, point(678_000 + n)) for n in (3, 4, 5)))
    assert counts(bring(database, thing, mixed)) == (2, 1, 0, 0)
    assert database.rows("SELECT nr, art FROM store.thing ORDER BY nr") == [
        ("B1", "Linde"), ("B2", "Linde"), ("B3", "Ulme"), ("B4", "Ulme"), ("B5", "Ulme"),
    ]  # fmt: skip


def test_attributes_that_are_not_in_the_file_keep_their_values(database: Database, thing: Layer, geojson: Write) -> None:
    bring(database, thing, three(geojson))
    outcome = bring(database, thing, geojson(({"nr": "B1", "species": "Esche"}, point())), columns={"species": "art"})
    assert counts(outcome) == (0, 1, 0, 0)
    assert database.rows("SELECT art, hoehe FROM store.thing WHERE nr = 'B1'") == [("Esche", 0.5)]


def test_a_dry_run_counts_everything_and_leaves_nothing(database: Database, thing: Layer, geojson: Write) -> None:
    assert counts(bring(database, thing, three(geojson), dry_run=True)) == (3, 0, 0, 0)
    assert database.value("SELECT count(*) FROM store.thing") == 0


def test_keys_of_several_attributes_may_be_null_in_part(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("a", key=True), attribute("b", key=True), attribute("art"))
    database.create(layer)
    pairs = [("1", None), (None, "1"), ("1", "1")]
    for art, expected in (("x", (3, 0, 0, 0)), ("x", (0, 0, 3, 0)), ("y", (0, 3, 0, 0))):
        file = geojson(*(({"a": a, "b": b, "art": art}, point()) for a, b in pairs))
        assert counts(bring(database, layer, file)) == expected


def test_a_layer_without_key_is_only_replaced_as_a_whole(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("art"))
    database.create(layer)
    file = geojson(({"art": "Linde"}, point()), ({"art": "Linde"}, point()))
    with pytest.raises(FileRefused, match="--replace"):
        bring(database, layer, file)
    assert counts(bring(database, layer, file, replace=True)) == (2, 0, 0, 0)


def test_without_a_key_rows_that_hold_the_same_stay_as_they_are(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(attribute("art"), attribute("hoehe", "number"))
    database.create(layer)
    rows = [({"art": "Linde"}, point()), ({"art": "Linde"}, point()), ({"art": "Eiche", "hoehe": 3.5}, point())]
    bring(database, layer, geojson(*rows), replace=True)
    state = "SELECT id, art, xmin::text FROM store.thing ORDER BY id"
    before = database.rows(state)
    assert counts(bring(database, layer, geojson(*reversed(rows)), replace=True)) == (0, 0, 3, 0)
    assert database.rows(state) == before
    assert counts(bring(database, layer, geojson(*rows[1:], ({"art": "Ulme"}, point())), replace=True)) == (1, 0, 2, 1)
    assert len({*database.rows(state)} & {*before}) == 2


def test_a_layer_without_geometry_takes_the_attributes_only(database: Database, new_layer: NewLayer, geojson: Write) -> None:
    layer = new_layer(type_=None)
    database.create(layer)
    assert bring(database, layer, geojson(({"nr": "1", "art": "Linde"}, None))).inserted == 1


NOTE = """
CREATE FUNCTION store.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO store.fired VALUES (TG_OP);
  RETURN NULL;
END $$"""
TRIGGER = "CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON store.thing FOR EACH STATEMENT EXECUTE FUNCTION store.note()"


def test_triggers_fire_once_for_each_kind_of_change(database: Database, thing: Layer, geojson: Write) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE store.fired (what text)")
        connection.execute(NOTE)
        connection.execute(TRIGGER)
    bring(database, thing, three(geojson))
    bring(database, thing, three(geojson))
    bring(database, thing, geojson(({"nr": "B3", "art": "Ulme"}, point()), ({"nr": "B4"}, point())), replace=True)
    assert [what for (what,) in database.rows("SELECT what FROM store.fired")] == ["INSERT", "DELETE", "UPDATE", "INSERT"]


def test_publishing_learns_how_many_rows_will_change_and_is_left_alone_when_none_does(
    database: Database, thing: Layer, geojson: Write
) -> None:
    told: list[int] = []

    @contextmanager
    def around(connection: psycopg.Connection, layer: Layer, rows: int) -> Iterator[None]:
        told.append(rows)
        yield

    for _ in range(2):
        run_import(asked(three(geojson)), thing, database.connect, around=around)
    assert told == [3]


def test_the_journal_is_kept_in_the_same_transaction_and_rows_name_their_entry(database: Database, thing: Layer, geojson: Write) -> None:
    entries: list[dict[str, Any]] = []

    class Listening(Journal):
        def begin(self, connection: psycopg.Connection, origin: Origin) -> int:
            return 42

        def end(self, connection: psycopg.Connection, id: int, origin: Origin, counts: Mapping[str, int]) -> None:
            assert connection.execute("SELECT count(*) FROM store.thing WHERE import_id = 42").fetchone() == (3,)
            entries.append({"layer": origin.layer, "file": origin.files[0]["name"], **counts})

    run_import(asked(three(geojson)), thing, database.connect, journal=Listening())
    assert entries == [
        {"layer": "thing", "file": "thing.geojson", "read": 3, "rejected": 0, "inserted": 3, "updated": 0, "unchanged": 0, "deleted": 0}
    ]


def test_two_imports_of_one_layer_queue_instead_of_colliding(database: Database, thing: Layer, geojson: Write) -> None:
    file, outcomes = three(geojson), []
    threads = [threading.Thread(target=lambda: outcomes.append(counts(bring(database, thing, file)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == [(0, 0, 3, 0)] * 3 + [(3, 0, 0, 0)]


def test_progress_ends_at_the_number_of_features_the_file_announced(database: Database, thing: Layer, geojson: Write) -> None:
    seen: list[tuple[int, int | None]] = []
    run_import(asked(three(geojson)), thing, database.connect, lambda done, total: seen.append((done, total)))
    assert seen == [(0, 3), (3, 3)]
