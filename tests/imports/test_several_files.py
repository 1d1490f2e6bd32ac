"""Several files as one import: each column lands in its own attribute, whatever the others have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.things import Database, asked, attribute, point
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

ATTRIBUTES = attribute("nr", key=True), attribute("hoehe", "number"), attribute("umfang", "number")
ROWS = "SELECT nr, hoehe, umfang FROM store.thing ORDER BY nr"


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("second", ["nr;umfang\n2;7\n", "nr\n2\n"])
def test_a_table_without_a_column_that_another_has_is_refused(
    database: Database, new_layer: Callable[..., Layer], tmp_path: Path, second: str
) -> None:
    layer = new_layer(*ATTRIBUTES, type_=None)
    database.create(layer)
    files = table(tmp_path / "a.csv", "nr;hoehe\n1;5\n"), table(tmp_path / "b.csv", second)
    with pytest.raises(FileRefused) as refused:
        run_import(asked(*files), layer, database.connect)
    assert "`b.csv`: no column fills `hoehe`, in other files one does" in str(refused.value)
    assert database.rows(ROWS) == []


def test_in_files_that_leave_out_what_is_empty_every_value_finds_its_attribute(
    database: Database, new_layer: Callable[..., Layer], geojson: Callable[..., Path]
) -> None:
    layer = new_layer(*ATTRIBUTES)
    database.create(layer)
    pages = [geojson(({"nr": "1", "hoehe": 5}, point()), name="1.geojson"), geojson(({"nr": "2", "umfang": 7}, point()), name="2.geojson")]
    outcome = run_import(asked(*pages), layer, database.connect)
    assert database.rows(ROWS) == [("1", 5.0, None), ("2", None, 7.0)]
    assert list(outcome.mapped) == ["nr", "hoehe", "umfang"]
