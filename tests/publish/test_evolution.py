"""Layers change under policies that are in force: all in one step, or refused with everything that stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.towns import Connection, Town
from twin_api.publish import apply as applying
from twin_api.publish.bulk import published_setwise
from twin_api.publish.layers import LayersRefused, apply_layers, describe, plan_layers
from twin_api.work.calendar import do_duties

NewTown = Callable[..., Town]
TREES, MANHOLES = "layers/baeume.yaml", "layers/kanalschaechte.yaml"
SPECIES = "  art:       {title: {de: Art, en: Species}, type: text, class: public}\n"
NOTE = "  vermerk:   {title: {de: Vermerk, en: Note}, type: text, class: internal, free_text: true}\n"
SPONSOR = "  pate:      {title: {de: Baumpate, en: Sponsor}, type: text, class: personal}\n"
CROWN = "  kronen_m: {title: {de: Krone, en: Crown}, type: number, unit: m, class: public}\n"


def _ask(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()


def _told(town: Town) -> list[str]:
    return [text.de for text in describe(town.apply().layers)]


def _store(connection: Connection, layer: str = "baeume") -> list[tuple[Any, ...]]:
    """The table as far as a layer file decides it: columns with their types, constraints, and what the writer may update."""
    table = f"'store.{layer}'::regclass"
    return sorted(
        _ask(connection, f"SELECT attname::text, format_type(atttypid, atttypmod) || ' ' || attcollation::regcollation FROM pg_attribute "
             f"WHERE attrelid = {table} AND attnum > 0 AND NOT attisdropped")
        + _ask(connection, f"SELECT conname::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = {table}")
        + _ask(connection, f"SELECT column_name::text, privilege_type::text FROM information_schema.column_privileges "
               f"WHERE table_schema = 'store' AND table_name = '{layer}' AND grantee LIKE '%%_writer'")
    )  # fmt: skip


def _rows(connection: Connection, layer: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every published table of a layer, down to the versions of its rows."""
    relations = _ask(connection, f"SELECT relation FROM published.definition WHERE layer = '{layer}' ORDER BY 1")
    return {
        relation: _ask(connection, f"SELECT ctid::text, xmin::text, id FROM published.{relation} ORDER BY 1") for (relation,) in relations
    }


def _refused(town: Town) -> list[str]:
    with pytest.raises(LayersRefused) as refused:
        town.apply()
    return sorted(reason.de for reason in refused.value.reasons)


def test_a_new_attribute_is_stored_shown_and_written_in_one_step(new_town: NewTown) -> None:
    town = new_town()
    town.edit(TREES, SPONSOR, CROWN + SPONSOR)
    town.edit("citizen.yaml", "art: keep", "art: keep, kronen_m: keep")
    assert _told(town) == ["baeume: neues Attribut `kronen_m`"]
    town.write("UPDATE store.baeume SET kronen_m = 4.5 WHERE baum_nr = 'CANARY-baum-3'")
    shown = town.client_for("citizen").get("collections/baeume/items?kronen_m=4.5").json()
    assert [item["properties"]["kronen_m"] for item in shown["features"]] == [4.5]
    assert town.drift() == []
    assert _told(town) == []


def test_a_new_layer_needs_no_command_of_its_own(new_town: NewTown) -> None:
    town = new_town()
    text = (town.policies_folder / TREES).read_text().replace("layer: baeume", "layer: straeucher")
    (town.policies_folder / "layers" / "straeucher.yaml").write_text(text)
    town.edit("citizen.yaml", "collections:\n", "collections:\n  straeucher: {rows: all, geometry: keep, attributes: {art: keep}}\n")
    assert _told(town) == ["straeucher: neuer Layer"]
    town.insert("straeucher", [{"baum_nr": "1", "art": "Hasel"}])
    assert town.client_for("citizen").get("collections/straeucher/items").json()["numberMatched"] == 1
    assert town.drift() == []


def test_a_collection_moves_to_a_layer_that_the_same_apply_makes(new_town: NewTown) -> None:
    town = new_town()
    grant = "  hecken: {from: baeume, rows: {status: [steht]}, geometry: keep, attributes: {art: keep}}\n"
    town.edit("citizen.yaml", "collections:\n", "collections:\n" + grant)
    town.apply()
    text = (town.policies_folder / TREES).read_text().replace("layer: baeume", "layer: straeucher")
    (town.policies_folder / "layers" / "straeucher.yaml").write_text(text)
    town.edit("citizen.yaml", "from: baeume", "from: straeucher")
    assert _told(town) == ["straeucher: neuer Layer"]
    assert town.client_for("citizen").get("collections/hecken/items").json()["numberMatched"] == 0
    assert town.drift() == []


def test_a_renamed_attribute_keeps_its_values_and_what_does_not_read_it_stays_untouched(new_town: NewTown) -> None:
    """The writer's session has run the triggers before: they are planned anew over the changed table."""
    town = new_town()
    citizen = town.client_for("citizen")
    page = citizen.get("collections/baeume/items?limit=100")
    town.edit(TREES, NOTE, NOTE.replace("vermerk: ", "notiz:").replace("true}", "true, was: vermerk}"))
    with town.login("owner") as connection, town.login("writer") as writer:
        write = "UPDATE store.baeume SET status = %s WHERE baum_nr = 'CANARY-baum-3'"
        writer.execute(write, ["gefaellt"])
        writer.execute(write, ["steht"])
        trees, manholes = _rows(connection, "baeume"), _rows(connection, "kanalschaechte")
        notes = _ask(connection, "SELECT id, vermerk FROM store.baeume ORDER BY id")
        assert _told(town) == ["baeume: `vermerk` heißt jetzt `notiz`"]
        assert _ask(connection, "SELECT id, notiz FROM store.baeume ORDER BY id") == notes
        assert _rows(connection, "kanalschaechte") == manholes
        after = _rows(connection, "baeume")
        stays = trees.keys() & after.keys()
        assert (len(trees), len(stays)) == (2, 1)
        assert {relation: after[relation] for relation in stays} == {relation: trees[relation] for relation in stays}
        again = citizen.get("collections/baeume/items?limit=100")
        assert [f["id"] for f in again.json()["features"]] == [f["id"] for f in page.json()["features"]]
        writer.execute(write, ["gefaellt"])
        writer.execute("INSERT INTO store.baeume (baum_nr, art, status, notiz) VALUES ('N1', 'Ulme', 'steht', 'neu')")
    assert town.drift() == []
    assert citizen.get("collections/baeume/items").json()["numberMatched"] == page.json()["numberMatched"]
    assert _told(town) == []


def test_a_page_of_an_unaffected_role_keeps_its_etag(new_town: NewTown) -> None:
    town = new_town()
    citizen = town.client_for("citizen")
    pages = ["collections", "collections/baeume", "collections/baeume/items?limit=100", "api"]
    before = [(answer.headers.get("etag"), answer.content) for answer in map(citizen.get, pages)]
    town.edit(TREES, NOTE, NOTE.replace("vermerk: ", "notiz:").replace("true}", "true, was: vermerk}"))
    town.edit(
        TREES,
        "geprueft:  {title: {de: Geprüft, en: Inspected}, type: datetime",
        "geprueft: {title: {de: Geprüft, en: Inspected}, type: text",
    )
    town.apply()
    assert [(answer.headers.get("etag"), answer.content) for answer in map(citizen.get, pages)] == before


@pytest.mark.parametrize(
    ("attribute", "before", "after"),
    [
        ("anzahl", "integer", "text"),
        ("anzahl", "integer", "number"),
        ("geschuetzt", "boolean", "text"),
        ("gepflanzt", "date", "datetime"),
        ("geprueft", "datetime", "text"),
    ],
)
def test_a_retyped_attribute_goes_there_and_back_without_loss(town_to_change: Town, attribute: str, before: str, after: str) -> None:
    town = town_to_change
    line = next(line for line in (town.policies_folder / TREES).read_text().splitlines() if line.strip().startswith(attribute))
    with town.login("owner") as connection, town.login("writer") as writer:
        write = "UPDATE store.baeume SET art = 'Ulme' WHERE art = 'Linde'"
        writer.execute("UPDATE store.baeume SET art = 'Linde' WHERE art = 'Ulme'")
        table = _store(connection)
        values = _ask(connection, f"SELECT id, {attribute} FROM store.baeume ORDER BY id")
        for types in ((before, after), (after, before)):
            changed = line.replace(f"type: {before}", f"type: {after}")
            town.edit(TREES, *((line, changed) if types[0] == before else (changed, line)))
            assert _told(town) == [f"baeume: `{attribute}` ist jetzt `{types[1]}`, bisher `{types[0]}`"]
            assert town.drift() == []
            writer.execute(write.encode())
            assert town.drift() == []
            assert _told(town) == []
        assert _ask(connection, f"SELECT id, {attribute} FROM store.baeume ORDER BY id") == values
        assert _store(connection) == table


@pytest.fixture(scope="module")
def town_to_change(new_town: NewTown) -> Town:
    """For tests that leave it as it was."""
    return new_town()


def test_an_evolved_table_is_like_one_that_was_made_anew(new_town: NewTown) -> None:
    """Everything at once: a name, a type and both of one attribute, a drop, a new one, and another key."""
    town = new_town()
    town.edit(TREES, SPECIES, SPECIES.replace("art:  ", "baumart:").replace("public}", "public, key: true, was: art}"))
    town.edit(TREES, "baum_nr:   {", "nummer: {was: baum_nr, ")
    town.edit(
        TREES,
        "  anzahl:    {title: {de: Stämme, en: Trunks}, type: integer",
        "  staemme: {was: anzahl, title: {de: Stämme, en: Trunks}, type: number",
    )
    town.edit(
        TREES,
        "geprueft:  {title: {de: Geprüft, en: Inspected}, type: datetime",
        "kontrolle: {was: geprueft, title: {de: G, en: I}, type: text",
    )
    town.edit(TREES, "gepflanzt: {title: {de: Gepflanzt, en: Planted}, type: date,", "gepflanzt: {title: {de: G, en: P}, type: datetime,")
    town.edit(TREES, SPONSOR, CROWN)
    town.edit(TREES, "datetime: gepflanzt\n", "datetime: gepflanzt\ndropped: [pate, nie_dagewesen]\n")
    town.edit("citizen.yaml", "art: keep", "baumart: keep")
    town.edit("citizen.yaml", "anzahl: keep", "staemme: keep")
    assert len(_told(town)) == 4 + 3 + 1 + 1 + 1
    assert town.drift() == []
    town.write("DELETE FROM store.baeume WHERE baumart = 'Linde'")
    town.insert("baeume", [{"nummer": "1", "baumart": "Linde", "staemme": 1.5, "status": "steht", "kronen_m": 3}])
    assert town.drift() == []
    assert _told(town) == []
    other = new_town(town.policies_folder, apply=False)
    with town.login("owner") as one, other.login("owner") as two:
        apply_layers(two, other.policies.layers)
        assert _store(one) == _store(two)
        with pytest.raises(psycopg.errors.CheckViolation):
            one.execute("UPDATE store.baeume SET staemme = 'NaN'")


def test_a_dropped_attribute_goes_with_its_values_only_where_the_file_says_so(new_town: NewTown) -> None:
    town = new_town()
    town.edit(TREES, NOTE, "")
    (reason,) = _refused(town)
    assert "baeume.vermerk" in reason
    assert "dropped: [vermerk]" in reason
    town.edit(TREES, "datetime: gepflanzt\n", "datetime: gepflanzt\ndropped: vermerk\n")
    with town.login("writer") as writer:
        writer.execute("UPDATE store.baeume SET status = 'steht' WHERE status = 'geplant'")
        assert _told(town) == ["baeume: `vermerk` fällt weg, mit 59 Werten"]
        assert town.drift() == []
        writer.execute("UPDATE store.baeume SET status = 'steht'")
    assert town.drift() == []
    assert _told(town) == []


def test_everything_that_stands_in_the_way_is_said_at_once_and_nothing_changes(new_town: NewTown) -> None:
    town = new_town()
    with town.login("owner") as connection:
        connection.execute("ALTER TABLE store.baeume ADD notiz text")
        before = (_store(connection), _store(connection, "kanalschaechte"), _rows(connection, "baeume"))
        town.edit(TREES, SPONSOR, "")
        town.edit(TREES, NOTE, NOTE.replace("vermerk: ", "notiz:").replace("true}", "true, was: vermerk}"))
        town.edit(TREES, "type: boolean", "type: date")
        town.edit(TREES, SPECIES, SPECIES.replace("public}", "public, key: true}"))
        town.edit(TREES, "class: internal, key: true", "class: internal")
        town.edit(MANHOLES, "type: PointZ, epsg: 25832", "type: PointZ, epsg: 25833")
        town.edit(MANHOLES, "  bemerkung:  {title: {de: Bemerkung, en: Remark}, type: text, class: internal, free_text: true}", "")
        town.edit(
            MANHOLES,
            "sohle_m:    {title: {de: Sohlhöhe, en: Invert level}, type: number,",
            "sohle_m: {title: {de: S, en: I}, type: integer,",
        )
        town.edit(
            MANHOLES,
            "schacht_nr: {title: {de: Schachtnummer, en: Manhole number}, type: text",
            "schacht_nr: {title: {de: S, en: M}, type: integer",
        )
        reasons = _refused(town)
        rows = [str(row) for (row,) in _ask(connection, "SELECT id FROM store.kanalschaechte ORDER BY id LIMIT 3")]
        assert (_store(connection), _store(connection, "kanalschaechte"), _rows(connection, "baeume")) == before
    beginnings = [
        "baeume.geschuetzt ist im Speicher `boolean` und in der Datei `date`",
        "baeume.pate steht im Speicher (mit 59 Werten)",
        "baeume.vermerk kann nicht `notiz` werden",
        "baeume: der Schlüssel `art` wäre nicht mehr eindeutig",
        "kanalschaechte.bemerkung steht im Speicher (mit 24 Werten)",
        "kanalschaechte.schacht_nr ist im Speicher `text` und in der Datei `integer`",
        "kanalschaechte.sohle_m ist im Speicher `number` und in der Datei `integer`",
        "kanalschaechte: die Geometrie ist im Speicher `PointZ` (EPSG:25832) und in der Datei `PointZ` (EPSG:25833)",
    ]
    assert len(reasons) == len(beginnings)
    assert [reason[: len(beginning)] for reason, beginning in zip(reasons, beginnings, strict=True)] == beginnings
    assert all(row in reasons[6] for row in rows)
    assert "Werte, die sich nicht umwandeln lassen: 24" in reasons[6]
    assert not any("CANARY" in reason for reason in reasons)


def test_the_geometry_of_an_empty_layer_is_made_anew(new_town: NewTown) -> None:
    town = new_town(rows=False)
    town.edit(TREES, "type: Point, epsg: 25832", "type: MultiPolygonZ, heights: DHHN2016, epsg: 25832")
    assert _told(town) == ["baeume: die Geometrie ist jetzt `MultiPolygonZ` (EPSG:25832), bisher `Point` (EPSG:25832)"]
    town.insert("baeume", [{"baum_nr": "1", "status": "steht", "geometry": "SRID=25832;MULTIPOLYGON Z (((0 0 1, 9 0 1, 9 9 1, 0 0 1)))"}])
    assert town.drift() == []
    other = new_town(town.policies_folder, apply=False)
    with town.login("owner") as one, other.login("owner") as two:
        apply_layers(two, other.policies.layers)
        assert _store(one) == _store(two)


def test_a_key_whose_values_fall_together_is_refused(new_town: NewTown) -> None:
    town = new_town(rows=False)
    town.insert("baeume", [{"baum_nr": number} for number in ("1", "01", "2")])
    town.edit(TREES, "baum_nr:   {title: {de: Baumnummer, en: Tree number}, type: text", "baum_nr: {title: {de: B, en: T}, type: integer")
    (reason,) = _refused(town)
    assert "gemein hätten: 2" in reason
    town.write("DELETE FROM store.baeume WHERE baum_nr = '01'")
    assert _told(town) == ["baeume: `baum_nr` ist jetzt `integer`, bisher `text`"]
    with town.login("writer") as writer, pytest.raises(psycopg.errors.UniqueViolation):
        writer.execute("INSERT INTO store.baeume (baum_nr) VALUES (2)")


@pytest.mark.parametrize("step", ["_build", "_switch", "_record"])
def test_an_apply_that_fails_leaves_store_and_twins_as_they_were(new_town: NewTown, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town()
    town.edit(TREES, SPECIES, SPECIES.replace("art:  ", "baumart:").replace("public}", "public, was: art}"))
    town.edit(TREES, "type: integer", "type: text")
    town.edit("citizen.yaml", "art: keep", "baumart: keep")

    def break_after(*args: object) -> None:
        original(*args)
        raise RuntimeError(step)

    original = getattr(applying, step)
    monkeypatch.setattr(applying, step, break_after)
    with town.login("owner") as connection:
        before = (_store(connection), _rows(connection, "baeume"))
        with pytest.raises(RuntimeError, match=step):
            town.apply()
        assert (_store(connection), _rows(connection, "baeume")) == before
    town.write("UPDATE store.baeume SET art = 'Ulme' WHERE art = 'Linde'")
    assert town.drift() == []
    monkeypatch.undo()
    assert len(_told(town)) == 2
    assert town.drift() == []


def test_layers_alone_change_nothing_that_is_published(new_town: NewTown) -> None:
    town = new_town()
    town.edit(TREES, SPONSOR, SPONSOR.replace("pate:  ", "freund:").replace("personal}", "personal, was: pate}"))  # nobody sees it
    town.edit(TREES, "type: integer", "type: text")
    with town.login("owner") as connection:
        with pytest.raises(LayersRefused, match=r"^baeume\.anzahl is published\. `twin policy apply`"):
            apply_layers(connection, town.policies.layers)
        town.edit(TREES, "type: text, class: public}\n  geschuetzt", "type: integer, class: public}\n  geschuetzt")
        assert [text.de for text in describe(apply_layers(connection, town.policies.layers))] == ["baeume: `pate` heißt jetzt `freund`"]
        assert plan_layers(connection, town.policies.layers).steps == []
    town.write("UPDATE store.baeume SET freund = 'x'")
    assert town.drift() == []


def test_the_calendar_leaves_a_store_alone_that_has_grown_since_the_last_apply(new_town: NewTown) -> None:
    town = new_town()
    town.edit(TREES, SPONSOR, CROWN)
    town.edit(TREES, "datetime: gepflanzt\n", "datetime: gepflanzt\ndropped: [pate]\n")
    with town.login("owner") as connection:
        apply_layers(connection, town.policies.layers)
        before = _store(connection)
        ((ends,),) = _ask(connection, "SELECT shown_until FROM council.collection WHERE name = 'kanalschaechte'")
        assert do_duties(connection, town.secrets, ends + timedelta(days=1))["close_expired_releases"] == 1
        assert _store(connection) == before


READ = "  gelesen: {title: {de: Gelesen, en: Read}, type: boolean, class: internal}\n"


def _with_flag(new_town: NewTown, rows: int = 2) -> Town:
    town = new_town(rows=False)
    town.edit(TREES, NOTE, NOTE.replace("free_text: true", "free_text: {reviewed: gelesen}") + READ)
    town.apply()
    town.write(
        "INSERT INTO store.baeume (baum_nr, vermerk, gelesen) SELECT 'B' || n, 'alt', n %% 2 = 0 FROM generate_series(1, %s) AS n", rows
    )
    return town


def _flags(town: Town) -> list[bool]:
    with town.login("owner") as connection:
        return [flag for (flag,) in _ask(connection, "SELECT gelesen FROM store.baeume ORDER BY baum_nr LIMIT 2")]


def test_changed_text_counts_as_unread_until_its_mark_is_set_anew(new_town: NewTown) -> None:
    town = _with_flag(new_town)
    town.write("UPDATE store.baeume SET art = 'Ulme', vermerk = vermerk, gelesen = gelesen")
    assert _flags(town) == [False, True]
    town.write("UPDATE store.baeume SET vermerk = 'neu', gelesen = true")
    assert _flags(town) == [True, False]  # the one mark was set with the text, the other stood before
    town.write("UPDATE store.baeume SET gelesen = true")
    town.write("UPDATE store.baeume SET vermerk = NULL")
    assert _flags(town) == [False, False]
    assert town.drift() == []


def test_a_bulk_write_takes_marks_back_too(new_town: NewTown) -> None:
    town = _with_flag(new_town, 6000)
    with town.login("owner") as connection, connection.transaction(), published_setwise(connection, "baeume", 6000):
        connection.execute("UPDATE store.baeume SET vermerk = 'neu', gelesen = true")
    with town.login("owner") as connection:
        assert _ask(connection, "SELECT count(*) FILTER (WHERE gelesen), count(*) FROM store.baeume") == [(3000, 6000)]
        assert _ask(connection, "SELECT DISTINCT tgenabled FROM pg_trigger WHERE tgrelid = 'store.baeume'::regclass") == [("O",)]
    assert town.drift() == []


def test_the_trigger_follows_the_file_and_goes_with_it(new_town: NewTown) -> None:
    town = _with_flag(new_town)
    town.edit(TREES, "vermerk:   {", "notiz: {was: vermerk, ")
    town.edit(TREES, "  gelesen: {", "  geprueft_am_text: {was: gelesen, ")
    town.edit(TREES, "{reviewed: gelesen}", "{reviewed: geprueft_am_text}")
    assert len(_told(town)) == 2
    town.write("UPDATE store.baeume SET notiz = 'neu'")
    functions = "SELECT proname::text, pg_get_userbyid(proowner)::text, proacl::text FROM pg_proc WHERE proname LIKE '%_unread'"
    with town.login("owner") as connection:
        assert _ask(connection, "SELECT bool_or(geprueft_am_text) FROM store.baeume") == [(False,)]
        owner = f"{town.database}_owner"
        assert _ask(connection, functions) == [("baeume_unread", owner, f"{{{owner}=X/{owner}}}")]
        town.edit(TREES, "{reviewed: geprueft_am_text}", "true")
        assert _told(town) == []
        assert _ask(connection, functions) == []
    assert town.drift() == []
