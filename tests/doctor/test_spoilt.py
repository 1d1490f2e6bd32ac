"""Each right, setting and table that somebody spoils is found, ends the doctor with exit code 1, and is sound again after its remedy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.doctor.examining import call, complaints, document, follow, look, settings
from tests.leaks.told import find_in_doctor
from tests.towns import Town

SPOILT = [
    ("logins", 'ALTER ROLE "{db}_citizen" CREATEDB BYPASSRLS', "`{db}_citizen` is CREATEDB, BYPASSRLS"),
    ("logins", 'ALTER ROLE "{db}_owner" SUPERUSER', "`{db}_owner` is SUPERUSER"),
    ("logins", "ALTER ROLE \"{db}_council\" SET statement_timeout = '1h'", "`{db}_council` has other limits: `statement_timeout`"),
    ("logins", 'ALTER ROLE "{db}_council" RESET lock_timeout', "`{db}_council` has other limits: `lock_timeout`"),
    ("logins", "ALTER ROLE \"{db}_council\" SET search_path = 'store'", "`{db}_council` has other limits: `search_path`"),
    ("logins", 'ALTER ROLE "{db}_citizen" CONNECTION LIMIT -1', "`{db}_citizen` may open any number of connections"),
    ("logins", 'ALTER ROLE "{db}_writer" NOLOGIN', "`{db}_writer` may not log in"),
    ("logins", 'GRANT "{db}_council" TO "{db}_citizen"', "`{db}_citizen` is a member of `{db}_council`"),
    ("logins", "SELECT control.ensure_login('council_alt', 'SCRAM-SHA-256$x')", "`{db}_council_alt` belongs to no role any more"),
    ("grants", 'GRANT SELECT ON store.baeume TO "{db}_citizen"', "`{db}_citizen` holds SELECT on `store.baeume`"),
    ("grants", 'GRANT SELECT (pate) ON store.baeume TO "{db}_council"', "`{db}_council` holds SELECT on `store.baeume.pate`"),
    ("grants", 'GRANT USAGE ON SCHEMA council TO "{db}_citizen"', "`{db}_citizen` holds USAGE on `council`"),
    ("grants", 'GRANT UPDATE ON citizen.baeume TO "{db}_citizen"', "`{db}_citizen` holds UPDATE on `citizen.baeume`"),
    ("grants", "GRANT SELECT ON council.baeume TO PUBLIC", "`PUBLIC` holds SELECT on `council.baeume`"),
    ("grants", 'GRANT DELETE ON control.audit TO "{db}_audit"', "`{db}_audit` holds DELETE on `control.audit`"),
    ("grants", 'GRANT TRUNCATE ON store.baeume TO "{db}_writer"', "`{db}_writer` holds TRUNCATE on `store.baeume`"),
    ("grants", 'REVOKE SELECT ON citizen.baeume FROM "{db}_citizen"', "`citizen` may not read `citizen.baeume`"),
    ("grants", 'REVOKE USAGE ON SCHEMA council FROM "{db}_council"', "`council` may not read `council`"),
    ("grants", "ALTER VIEW citizen.baeume OWNER TO postgres", "`citizen.baeume` belongs to `postgres`"),
    ("grants", "ALTER SCHEMA council OWNER TO postgres", "`council` belongs to `postgres`"),
    ("hardening", "CREATE FUNCTION postgis.st_later(int) RETURNS int LANGUAGE sql AS 'SELECT $1'", "everybody still holds 1 functions of PostGIS: `postgis.st_later(integer)`"),
    ("hardening", "GRANT EXECUTE ON FUNCTION pg_sleep(float8) TO PUBLIC", "everybody still holds 1 functions of the catalogue: `pg_sleep(double precision)`"),
    ("hardening", "GRANT EXECUTE ON FUNCTION age(xid) TO PUBLIC", "everybody still holds 1 functions of the catalogue: `age(xid)`"),
    ("hardening", "GRANT SELECT ON pg_proc TO PUBLIC", "everybody still holds 2 source texts of functions: `pg_proc.prosqlbody`, `pg_proc.prosrc`"),
    ("hardening", "GRANT SELECT (prosrc) ON pg_proc TO PUBLIC", "everybody still holds 1 source texts of functions: `pg_proc.prosrc`"),
    ("hardening", 'GRANT TEMPORARY ON DATABASE "{db}" TO PUBLIC', "everybody still holds 1 rights on the database: `{db}`"),
    ("hardening", "GRANT USAGE ON SCHEMA public TO PUBLIC", "everybody still holds 1 schemas: `public`"),
    ("hardening", "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC", "everybody still holds 1 languages: `plpgsql`"),
    ("hardening", "GRANT SELECT ON postgis.geometry_columns TO PUBLIC", "everybody still holds 1 tables of PostGIS: `postgis.geometry_columns`"),
    ("hardening", 'GRANT EXECUTE ON FUNCTION pg_sleep(float8) TO "{db}_citizen"', "`{db}_citizen` may execute `pg_sleep(double precision)`"),
    ("hardening", "GRANT EXECUTE ON FUNCTION control.drop_login(text) TO PUBLIC", "everybody may execute `control.drop_login(text)`"),
    ("hardening", "SELECT lo_create(4711); GRANT SELECT ON LARGE OBJECT 4711 TO PUBLIC", "the large object 4711 is open to `PUBLIC`"),
    ("neighbours", 'GRANT CONNECT ON DATABASE postgres TO "{db}_citizen"', "`{db}_citizen` may enter the database `postgres`"),
    ("neighbours", 'CREATE ROLE "{db}_stranger"; GRANT CONNECT ON DATABASE "{db}" TO "{db}_stranger"', "`{db}_stranger` is none of this town"),
    ("upkeep", "CREATE TABLE published.preview_12345678_t_1 ()", "left by a preview: `published.preview_12345678_t_1`"),
    ("upkeep", "CREATE SCHEMA council_preview", "left by a preview: `council_preview`"),
    ("upkeep", 'CREATE SCHEMA next_baeume AUTHORIZATION "{db}_owner"', "left by an import: `next_baeume`"),
    ("policies", "UPDATE published.definition SET statements = statements || '{{SELECT 1}}' WHERE layer = 'baeume'", "published tables were built by another version"),
    ("policies", "DELETE FROM published.shown WHERE schema = 'council'", "what is published is not what is in force: `council.baeume`, `council.kanalschaechte`"),
    ("drift", "ALTER TABLE store.baeume DISABLE TRIGGER USER; DELETE FROM store.baeume WHERE status = 'steht'", "`baeume`: triggers are off"),
]  # fmt: skip
PASSING = "every login may enter other databases"  # those that other tests are founding just now


@pytest.fixture(scope="module")
def spoilt(new_town: Callable[..., Town]) -> Town:
    return new_town()


@pytest.mark.parametrize(("name", "spoil", "told"), SPOILT, ids=[f"{name}: {spoil[:50]}" for name, spoil, _ in SPOILT])
def test_what_somebody_spoils_is_found_and_the_remedy_mends_it(spoilt: Town, name: str, spoil: str, told: str) -> None:
    before = _lasting(spoilt, name)
    with spoilt.superuser() as connection:
        connection.execute(spoil.format(db=spoilt.database).encode())
    found = look(spoilt, name)
    new = [
        finding
        for finding in found.findings
        if f"{finding.severity}: {finding.what.say('en')}" not in [*before, ""]
        and finding.severity != "note"
        and PASSING not in finding.what.say("en")
    ]
    assert any(told.format(db=spoilt.database) in finding.what.say("en") for finding in new), complaints(found)
    for remedy in dict.fromkeys(finding.remedy.say("en") for finding in new):
        follow(spoilt, remedy)
    assert _lasting(spoilt, name) == before


def _lasting(town: Town, name: str) -> list[str]:
    return [told for told in complaints(look(town, name)) if PASSING not in told]


@pytest.mark.parametrize("name", sorted({name for name, *_ in SPOILT} - {"neighbours"}))
def test_a_town_as_it_was_founded_gives_no_cause_for_complaint(town: Town, name: str) -> None:
    assert complaints(look(town, name)) == []


def test_a_fault_ends_with_exit_code_1_a_warning_only_with_strict(new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> None:
    town = new_town(rows=False)
    sound = ("--only", "grants", "--only", "upkeep", "--json")
    assert call(monkeypatch, settings(town), *sound, "--strict").exit_code == 0
    with town.login("owner") as connection:
        connection.execute("CREATE TABLE published.preview_12345678_t_1 ()")
    warned = call(monkeypatch, settings(town), *sound)
    assert (warned.exit_code, document(warned)["sound"], document(warned)["warnings"]) == (0, True, 1)
    strict = call(monkeypatch, settings(town), *sound, "--strict")
    assert (strict.exit_code, document(strict)["sound"]) == (1, False)
    with town.superuser() as connection:
        connection.execute("GRANT SELECT ON council.baeume TO PUBLIC")
    assert call(monkeypatch, settings(town), *sound).exit_code == 1


def test_the_doctor_tells_that_rows_are_wrong_and_never_which(spoilt: Town) -> None:
    assert find_in_doctor(spoilt) == []
    follow(spoilt, "ALTER TABLE store.baeume ENABLE TRIGGER USER; && twin policy rebuild")
    assert complaints(look(spoilt, "drift")) == []
