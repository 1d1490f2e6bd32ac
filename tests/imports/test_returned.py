"""Rejects that come back mended, and rows whose new state was rejected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.description import Description, Place, Reading
from twin_api.imports.finding import FileRefused
from twin_api.imports.request import ImportOutcome, ImportRequest
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
Write = Callable[..., Path]
AS_OFFICES = Description(
    reading=Reading(decimal=",", dates="DD.MM.YYYY"), crs="EPSG:25832", place=Place(x="OST", y="NORD"), encoding="iso-8859-1", separator="\t",
    header=2,
)  # fmt: skip


@pytest.fixture
def layer(database: Database, new_layer: NewLayer) -> Layer:
    layer = new_layer(attribute("nr", key=True), attribute("groesse", "number"), attribute("tag", "date"))
    database.create(layer)
    return layer


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """A table below a title, in the way of `AS_OFFICES`."""

    def write(*rows: str) -> Path:
        path = tmp_path / "lager.csv"
        lines = ["Stand Juni", "NR\tGRÖSSE\tTAG\tOST\tNORD", *rows]
        path.write_bytes("\r\n".join([*lines, ""]).encode("iso-8859-1"))
        return path

    return write


def bring(database: Database, layer: Layer, *files: Path, **more: Any) -> ImportOutcome:
    return run_import(ImportRequest(files, AS_OFFICES, **more), layer, database.connect)


GOOD = "B-1\t2,5\t01.06.2026\t678000,5\t5540000"
BAD = "B-2\tgroß\t31.02.2026\t678001,5\t5540000"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "iso-8859-1"])
def test_mended_rejects_come_back_as_the_original_is_described(
    database: Database, layer: Layer, table: Write, tmp_path: Path, encoding: str
) -> None:
    rest = tmp_path / "rest.csv"
    bring(database, layer, table(GOOD, BAD), rejects=rest)
    mended = rest.read_text(encoding="utf-8-sig").replace("→", "-").replace(";groß;31.02.2026", ";7,5;28.02.2026")
    rest.write_bytes(mended.encode(encoding))
    outcome = bring(database, layer, rest)
    assert (outcome.read, outcome.inserted) == (1, 1)
    assert database.rows("SELECT groesse, tag::text, ST_X(geometry) FROM store.thing WHERE nr = 'B-2'") == [(7.5, "2026-02-28", 678_001.5)]


def test_rejects_of_a_file_with_geometries_bring_their_places(database: Database, layer: Layer, geojson: Write, tmp_path: Path) -> None:
    rest = tmp_path / "rest.csv"
    file = geojson(({"nr": "B-2", "groesse": "viel"}, point(678_010)), ({"nr": "B-1", "groesse": "1"}, point()))
    run_import(asked(file, rejects=rest), layer, database.connect)
    rest.write_text(rest.read_text(encoding="utf-8-sig").replace(";viel;", ";9;"), encoding="utf-8-sig")
    run_import(ImportRequest([rest], Description(crs="EPSG:25832")), layer, database.connect)
    assert database.rows("SELECT groesse, ST_X(geometry) FROM store.thing WHERE nr = 'B-2'") == [(9, 678_010)]


def test_a_row_whose_new_state_is_rejected_keeps_its_last_good_one(database: Database, layer: Layer, table: Write, tmp_path: Path) -> None:
    bring(database, layer, table(GOOD, BAD.replace("groß\t31.02", "3,5\t28.02"), GOOD.replace("B-1", "B-3")))
    outcome = bring(database, layer, table(GOOD, BAD), rejects=tmp_path / "rest.csv", replace=True)
    assert (outcome.rejected, outcome.deleted) == (1, 0)
    assert database.value("SELECT groesse FROM store.thing WHERE nr = 'B-2'") == 3.5
    assert bring(database, layer, table(GOOD), replace=True).deleted == 2


def test_rejects_are_never_everything_there_is(database: Database, layer: Layer, table: Write, tmp_path: Path) -> None:
    bring(database, layer, table(GOOD, BAD), rejects=tmp_path / "rest.csv")
    with pytest.raises(FileRefused, match="is never everything there is"):
        bring(database, layer, tmp_path / "rest.csv", replace=True)
    assert database.value("SELECT count(*) FROM store.thing") == 1
