"""The previous versions' data: up, down and up again without a row changed, under readers, and with a way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.backup.backups import NOW, asking
from tests.cli.test_commands import twin
from tests.towns import Town
from twin_api.backup.folder import list_backups
from twin_api.backup.sealed import Identity
from twin_api.backup.upgrade import find_way, upgrade
from twin_api.publish import migrate as migrations
from twin_api.publish.migrate import downgrade, find_revision, list_revisions, migrate
from twin_api.publish.switch import StoreBusy
from twin_api.query import page
from twin_api.store import twin as twin_module

LANGUAGE = Path(__file__).parents[1] / "language" / "policies"
NewTown = Callable[..., Town]
ROWS = 10_000
FILL = (
    "INSERT INTO store.baeume (baum_nr, art, status, hoehe_m, geprueft, geometry) SELECT 'B' || n, 'Späth''s Erle', "
    "(ARRAY['steht', 'gefaellt'])[n %% 2 + 1], n / 7.0, '2026-03-01T12:00:00.123456Z'::timestamptz + n * interval '1 s', "
    f"ST_SetSRID(ST_MakePoint(672000 + n %% 90 + 0.1, 5500000 + n / 90.0), 25832) FROM generate_series(1, {ROWS}) AS n"
)
CHECKSUM = "SELECT count(*), md5(string_agg((to_jsonb(s) - 'import_id')::text || geometry::text, '' ORDER BY id)) FROM store.baeume s"


def checksum(town: Town) -> tuple[object, ...] | None:
    with town.superuser() as connection:
        connection.execute("SET search_path = pg_catalog, postgis")
        return connection.execute(CHECKSUM).fetchone()


@pytest.fixture
def _a_server_of_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Servers read as those did that still run while a town is upgraded: without `_closed`, which came with 0011."""

    def is_shown(table: sa.Table) -> sa.ColumnElement[bool]:
        return sa.or_(table.c.shown_until.is_(None), table.c.shown_until > sa.func.now())

    monkeypatch.setattr(twin_module, "is_shown", is_shown)
    monkeypatch.setattr(page, "is_shown", is_shown)
    page._compile.cache_clear()
    page._compile_own.cache_clear()
    yield
    page._compile.cache_clear()
    page._compile_own.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("_a_server_of_before")
@pytest.mark.parametrize("revision", ["0009", pytest.param("0006", marks=pytest.mark.long)])
def test_ten_thousand_rows_go_up_down_and_up_again_under_readers(new_town: NewTown, revision: str) -> None:
    town = new_town(rows=False)
    town.write(FILL)
    before, head = checksum(town), list_revisions()[-1]
    assert before is not None
    assert before[0] == ROWS
    for _ in range(2):
        downgrade(town.admin, town.secrets, revision)
        assert (find_revision(town.admin), checksum(town)) == (revision, before)
        with asking(town) as told:
            upgrade(town.admin, town.secrets, NOW)
        assert (find_revision(town.admin), checksum(town), town.drift()) == (head, before, [])
        assert told == {200}
    assert town.client_for("citizen").get("collections/baeume/items").json()["numberMatched"] == ROWS // 2


def test_the_register_is_whole_again_after_going_down_and_up(new_town: NewTown) -> None:
    """Older revisions know neither areas nor figures."""
    town = new_town(LANGUAGE, rows=False)
    query = "SELECT jsonb_agg(to_jsonb(d) - 'synced_at' - 'was_empty' - 'reach' ORDER BY relation) FROM published.definition d"
    with town.superuser() as connection:
        before = connection.execute(query).fetchone()
    downgrade(town.admin, town.secrets, "0005")
    upgrade(town.admin, town.secrets, NOW)
    with town.superuser() as connection:
        assert connection.execute(query).fetchone() == before
    assert town.drift() == []


@pytest.mark.slow
def test_an_upgrade_backs_up_first_and_says_what_it_will_do(new_town: NewTown, tmp_path: Path) -> None:
    town = new_town()
    downgrade(town.admin, town.secrets, "0009")
    told = {"TWIN_BACKUPS": str(tmp_path / "b"), "TWIN_LANG": "en"}
    planned = twin(town, "upgrade", "--dry-run", **told)
    assert (planned.returncode, planned.stdout) == (
        0,
        "Revision 0009; steps: 0010, 0011, 0012, 0013, 0014; to be published anew: ? tables.\n",
    ), planned.stderr
    nobody = twin(town, "upgrade", **told)
    assert nobody.returncode == 1
    assert "twin backup key FILE" in nobody.stderr
    assert (find_revision(town.admin), (tmp_path / "b").exists()) == ("0009", False)
    done = twin(town, "upgrade", **told, TWIN_BACKUP_RECIPIENT=str(Identity.generate().to_public()))
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("no drift.\n")
    assert len(list_backups(tmp_path / "b", town.database)) == 1
    assert twin(town, "upgrade", **told).stdout == "Nothing to do.\n"


def test_an_upgrade_that_fails_says_how_to_go_back(new_town: NewTown, tmp_path: Path) -> None:
    town = new_town()
    downgrade(town.admin, town.secrets, "0009")
    with town.superuser() as connection:  # a town whose files this version does not take
        connection.execute("UPDATE control.policy SET files = jsonb_set(files, '{citizen.yaml}', '\"role: nobody\"')")
    told = {"TWIN_BACKUPS": str(tmp_path), "TWIN_LANG": "en", "TWIN_BACKUP_RECIPIENT": str(Identity.generate().to_public())}
    failed = twin(town, "upgrade", **told)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    (saved,) = list_backups(tmp_path)
    assert f"`twin restore {saved.path} --replace" in failed.stderr


def test_a_migration_does_not_wait_long_for_somebody_who_holds_a_table(new_town: NewTown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LOCK_WAIT_S", 0.05)
    town = new_town()
    downgrade(town.admin, town.secrets, "0009")
    with town.superuser() as holder, holder.transaction():
        holder.execute("SELECT count(*) FROM published.withdrawn")
        with pytest.raises(StoreBusy):
            migrate(town.admin, town.secrets)
        assert find_revision(town.admin) == "0009"
    migrate(town.admin, town.secrets)
    assert find_way(town.admin, town.secrets, NOW).ahead == ()
