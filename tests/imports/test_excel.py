"""Excel: cells arrive with the type they have, and what Excel itself could not make out is refused with its cell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyogrio.raw import write

from tests.imports.things import Database, attribute
from tests.imports.workbooks import DATE, DIGITS, EMPTY, EURO, MOMENT, OWN_DATE, OWN_MOMENT, number, shared, text, workbook
from twin_api.imports.description import Description, Place, Reading
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats import open_file
from twin_api.imports.run import ImportRequest, run_import
from twin_api.imports.source import Source
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
HEADER = [text("nr"), text("wert")]


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., Source]:
    """A workbook with these cells below `nr` and `wert`."""

    def open_(*wert: str, said: Description | None = None, **more: Any) -> Source:
        rows = [HEADER, *([number(n), cell] for n, cell in enumerate(wert, start=1))]
        return open_file(workbook(tmp_path / "thing.xlsx", rows, **more), said or Description(), tmp_path)

    return open_


def values(source: Source, column: str = "wert") -> list[Any]:
    return [value for batch in source.batches([column]) for value in batch.columns[column]]


def faults(source: Source) -> list[str]:
    return [fault.what.say("en") for batch in source.batches(["wert"]) for some in batch.faults.values() for fault in some]


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([number(1), number("12"), EMPTY], "integer", [1, 12, None]),
        ([number(1), number("1.5"), number("1E-3")], "number", [1.0, 1.5, 0.001]),
        ([number("1234.5", EURO)], "number", [1234.5]),
        (['<c t="b"><v>1</v></c>', '<c t="b"><v>0</v></c>'], "boolean", [True, False]),
        ([number(46346, DATE), number(46346, OWN_DATE)], "date", [date(2026, 11, 20)] * 2),
        ([number(1, DATE), number(61, DATE)], "date", [date(1900, 1, 1), date(1900, 3, 1)]),
        ([number("46346.3125", MOMENT), number(46346, OWN_MOMENT)], "datetime", ["2026-11-20T07:30:00", "2026-11-20"]),
        ([text("01234"), number(77)], "text", ["01234", "77"]),
        ([number(1067, DIGITS), number(95444, DIGITS), number("1.5", DIGITS)], "text", ["01067", "95444", "1.5"]),
        ([text("a"), number(0.5), '<c t="b"><v>1</v></c>', number(46346, DATE)], "text", ["a", "0.5", "true", "2026-11-20"]),
        (['<c t="str"><f>A1</f><v>aus Formel</v></c>', '<c t="str"><f>A1</f><v></v></c>'], "text", ["aus Formel", None]),
        ([text("zwei_x000A_Zeilen"), text("_x0041_")], "text", ["zwei\nZeilen", "A"]),
    ],
)
def test_cells_arrive_with_their_type(opened: Callable[..., Source], cells: list[str], kind: str, expected: list[Any]) -> None:
    source = opened(*cells)
    assert (source.columns["wert"], values(source)) == (kind, expected)


def test_a_workbook_that_counts_from_1904_is_understood(opened: Callable[..., Source]) -> None:
    assert values(opened(number(44884, DATE), since_1904=True)) == [date(2026, 11, 20)]


def test_shared_texts_come_without_reading_aids_and_with_all_their_runs(opened: Callable[..., Source]) -> None:
    texts = "<si><t>Linde</t></si><si><r><t>Ei</t></r><r><t>che</t></r><rPh sb='0' eb='1'><t>x</t></rPh></si>"
    assert values(opened(shared(1), shared(0), texts=texts)) == ["Eiche", "Linde"]


def test_in_a_column_of_mixed_values_numbers_and_days_are_spelt_as_the_texts_are(opened: Callable[..., Source]) -> None:
    reading = Reading(decimal=",", dates="DD.MM.YYYY")
    source = opened(number(1.5), text("2,5"), number(46346, DATE), said=Description(reading=reading))
    assert values(source) == ["1,5", "2,5", "20.11.2026"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c t="e"><v>#N/A</v></c>', "cell B2: error value `#N/A`"),
        ("<c><f>A1+1</f></c>", "cell B2: formula without a stored result"),
        ("<c><f>A1+1</f><v></v></c>", "cell B2: formula without a stored result"),
        (number(60, DATE), "cell B2: no day that exists"),
        (number("0.5", OWN_MOMENT), "cell B2: no day that exists"),
        (number(-3, DATE), "cell B2: no day that exists"),
        (number("1e9", DATE), "cell B2: no day that exists"),
        (number("1e999"), "cell B2: no finite number"),
        (number(1) + number(2), "cell C2 stands in no named column"),
    ],
)
def test_a_cell_that_holds_no_value_is_named(opened: Callable[..., Source], cell: str, expected: str) -> None:
    assert faults(opened(cell)) == [expected]


def test_an_error_in_a_column_that_is_not_imported_harms_nobody(opened: Callable[..., Source]) -> None:
    source = opened('<c t="e"><v>#N/A</v></c>')
    assert [batch.faults for batch in source.batches(["nr"])] == [{}]


def test_merged_cells_are_refused_and_above_the_header_they_are_not(opened: Callable[..., Source], tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="merged cells: `B2:B3` → split the cells"):
        opened(number(1), EMPTY, after='<mergeCells><mergeCell ref="B2:B3"/></mergeCells>')
    path = workbook(tmp_path / "a.xlsx", [[text("Titel")], HEADER, [number(1)]], after='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>')
    assert open_file(path, Description(header=2), tmp_path).total == 1


def test_of_several_sheets_one_is_chosen_by_name(opened: Callable[..., Source]) -> None:
    more = {"Straßen": [HEADER, [number(1), text("x")], [number(2), text("y")]]}
    with pytest.raises(FileRefused, match=r"`thing.xlsx` holds several layers → choose one with `--from`: `Daten`, `Straßen`"):
        opened(number(1), more=more)
    assert values(opened(number(1), more=more, said=Description(source_layer="Straßen"))) == ["x", "y"]


@pytest.mark.parametrize(
    ("harm", "value", "expected"),
    [
        ({"head": '<!DOCTYPE x [<!ENTITY a "b">]>'}, number(1), "holds a document type declaration"),
        ({"after": "<open>"}, number(1), "is no XML"),
        ({}, shared(7), "the workbook is damaged → open it in the spreadsheet program"),
        ({}, shared(-1), "the workbook is damaged"),
        ({}, number("geheim"), "the workbook is damaged"),
    ],
)
def test_a_damaged_workbook_is_refused_without_its_values(
    opened: Callable[..., Source], harm: dict[str, str], value: str, expected: str
) -> None:
    with pytest.raises(FileRefused) as caught:
        values(opened(value, **harm))
    assert expected in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_what_another_program_wrote_arrives_row_by_row_with_its_place(database: Database, new_layer: NewLayer, tmp_path: Path) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("tag", "date"), attribute("n", "number"))
    database.create(layer)
    days = np.array(["2026-11-20", "1999-01-01"], dtype="datetime64[D]")
    known = [
        np.array(["Ä1", "B2"], dtype=object),
        days,
        np.array([0.1, 7.0]),
        np.array([678_000.5, 678_001]),
        np.array([5_540_000, 5_540_001]),
    ]
    write(tmp_path / "a.xlsx", None, known, ["nr", "tag", "n", "x", "y"], driver="XLSX", geometry_type=None, layer_options={}, crs=None)
    said = Description(crs="EPSG:25832", place=Place("x", "y"), where="n < 5")
    for inserted in (1, 0):
        assert run_import(ImportRequest([tmp_path / "a.xlsx"], said), layer, database.connect).inserted == inserted
    assert database.rows("SELECT nr, tag, n, ST_AsText(geometry) FROM store.thing") == [
        ("Ä1", date(2026, 11, 20), 0.1, "POINT(678000.5 5540000)")
    ]


def test_an_error_cell_is_reported_with_its_row(database: Database, new_layer: NewLayer, tmp_path: Path) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("wert", "number"), type_=None)
    database.create(layer)
    path = workbook(tmp_path / "a.xlsx", [HEADER, [number(1), number(2)], [number(2), '<c t="e"><v>#DIV/0!</v></c>']])
    with pytest.raises(FileRefused) as caught:
        run_import(ImportRequest([path]), layer, database.connect)
    assert [finding.text().de.partition(" → ")[0] for finding in caught.value.findings] == ["Zeile 3: Zelle B3: Fehlerwert `#DIV/0!`"]
