"""Policies and writers that mean harm: what they write stays data."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from tests.towns import Town

NewTown = Callable[..., Town]
LITERALS = [
    "$follow$ SET check_function_bodies = off; GRANT USAGE ON SCHEMA store TO {db}_citizen; GRANT SELECT ON store.kanalschaechte TO "
    "{db}_citizen; CREATE OR REPLACE FUNCTION published.zz() RETURNS trigger LANGUAGE plpgsql AS $follow$",
    "'); GRANT SELECT ON store.kanalschaechte TO {db}_citizen; --",
    "\\'); GRANT SELECT ON store.kanalschaechte TO {db}_citizen; --",
    "x' OR true OR 'a' = 'a",
    "%s %(id)s {0} :x $1 $$ /* ☃",
]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_literal_of_a_rule_is_a_text_and_nothing_else(new_town: NewTown, literal: str) -> None:
    town = new_town(rows=False)
    literal = literal.replace("{db}", town.database)
    town.edit("citizen.yaml", "rows: {status: [steht]}", f"rows: {{art: ['{literal.replace(chr(39), 2 * chr(39))}']}}")
    town.apply()
    town.insert("baeume", [{"baum_nr": "1", "art": literal}, {"baum_nr": "2", "art": "Linde"}])
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == 1
    with town.login("citizen") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM store.kanalschaechte")
    assert town.drift() == []


@pytest.mark.parametrize(
    "setting", ["standard_conforming_strings = off", "TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "extra_float_digits = -15"]
)
def test_a_writers_settings_do_not_change_what_a_rule_means(new_town: NewTown, setting: str) -> None:
    town = new_town(rows=False)
    town.edit("citizen.yaml", "rows: {status: [steht]}", "rows: \"art <> 'geheim\\\\intern'\"")
    town.apply()
    with town.login("writer") as connection:
        connection.execute(f"SET {setting}".encode())
        connection.execute(
            "INSERT INTO store.baeume (baum_nr, art, gepflanzt, hoehe_m, geprueft) VALUES ('1', E'geheim\\\\intern', '2026-01-02', 0.1, now())"
        )
        connection.execute(
            "INSERT INTO store.baeume (baum_nr, art, gepflanzt, hoehe_m, geprueft) VALUES ('2', 'Linde', '2026-01-02', 0.1, now())"
        )
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == 1
    assert town.drift() == []


@pytest.mark.parametrize(
    ("layer", "column", "value"),
    [
        ("baeume", "gepflanzt", "'infinity'"),
        ("baeume", "gepflanzt", "'10000-01-01'"),
        ("baeume", "gepflanzt", "'0044-03-15 BC'"),
        ("baeume", "geprueft", "'-infinity'"),
        ("baeume", "hoehe_m", "'NaN'"),
        ("baeume", "hoehe_m", "'-Infinity'"),
        ("kanalschaechte", "geometry", "'SRID=25832;POINT Z (672000 5500000 NaN)'"),
    ],
)
def test_the_store_takes_no_value_that_no_client_could_read(town: Town, layer: str, column: str, value: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        town.write(f"INSERT INTO store.{layer} ({column}) VALUES ({value})")


def test_the_last_moment_of_all_is_served(new_town: NewTown) -> None:
    town = new_town(rows=False)
    with town.superuser() as connection:
        connection.execute(f"ALTER DATABASE {town.database} SET TimeZone = 'Europe/Berlin'".encode())
    town.insert("baeume", [{"baum_nr": "1", "status": "steht", "gepflanzt": day} for day in ["0001-01-01"]])
    town.insert("baeume", [{"baum_nr": "2", "status": "steht", "gepflanzt": "9999-12-31", "geprueft": "9999-12-31T23:59:59Z"}])
    for role in ("citizen", "administration"):
        for path in ("", "collections", "collections/baeume", "collections/baeume/items", "api", "collections?f=html", "?f=html"):
            assert town.client_for(role).get(path).status_code == 200, (role, path)


@pytest.mark.parametrize(
    "name", ["added", "removed", "gained", "touched", "found", "tg_op", "before", "is_new", "t", "s", "o", "shown", "put", "reach"]
)
def test_an_attribute_may_be_called_like_a_word_of_the_publisher(new_town: NewTown, name: str) -> None:
    town = new_town(rows=False, apply=False)
    for file in ("layers/baeume.yaml", "citizen.yaml"):
        town.edit(file, "art:", f"{name}:")
    town.settle(rows=False)
    town.write(f"INSERT INTO store.baeume (baum_nr, {name}, status) VALUES ('1', 'Linde', 'steht'), ('2', 'Eiche', 'steht')")
    town.write(f"UPDATE store.baeume SET {name} = 'Ulme' WHERE baum_nr = '1'")
    town.write("DELETE FROM store.baeume WHERE baum_nr = '2'")
    features = town.client_for("citizen").get("collections/baeume/items").json()["features"]
    assert [feature["properties"][name] for feature in features] == ["Ulme"]
    assert town.drift() == []


def test_a_login_that_has_changed_itself_is_set_right_by_the_next_apply(new_town: NewTown) -> None:
    town = new_town()
    with town.login("citizen") as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER ROLE {town.database}_citizen SET statement_timeout = '1h'".encode())
        connection.execute(f"ALTER ROLE {town.database}_citizen PASSWORD 'mine'".encode())
    with pytest.raises(psycopg.OperationalError):
        town.login("citizen")
    town.apply()
    with town.login("citizen") as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("2s",)


def test_an_enum_names_no_value_that_the_rule_hides(town: Town) -> None:
    town_api = town.client_for("administration").get("api").text
    assert "geplant" in town_api
    assert "geplant" not in town.client_for("citizen").get("api").text
    council = town.client_for("council").get("api").json()
    parameters = council["paths"]["/collections/kanalschaechte/items"]["get"]["parameters"]
    assert next(p for p in parameters if p.get("name") == "zustand")["schema"]["enum"] == ["mittel", "schlecht"]
