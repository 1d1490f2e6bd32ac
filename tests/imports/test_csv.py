"""CSV: what an office exports is read as it says, or refused with its line and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.imports.things import Database, attribute
from twin_api.imports.description import Description, Place, Reading
from twin_api.imports.finding import FileRefused
from twin_api.imports.formats import open_file
from twin_api.imports.run import ImportRequest, run_import
from twin_api.imports.source import Source
from twin_api.policy.documents import Layer

NewLayer = Callable[..., Layer]
XY = {"crs": "EPSG:25832", "place": Place(x="x", y="y")}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """A CSV file of this text."""

    def write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "thing.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.fixture
def opened(written: Callable[..., Path], tmp_path: Path) -> Callable[..., Source]:
    """The same, opened as a person describes it."""
    return lambda text, stored="utf-8", **said: open_file(written(text, stored), Description(**said), tmp_path)


def cells(source: Source) -> list[tuple[Any, ...]]:
    return [row for batch in source.batches(list(source.columns)) for row in zip(*batch.columns.values(), strict=True)]


def refusal(opened: Callable[..., Source], *words: Any, **said: Any) -> str:
    with pytest.raises(FileRefused) as caught:
        cells(opened(*words, **said))
    return str(caught.value)


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_the_separator_is_found_in_the_header_line(opened: Callable[..., Source], separator: str) -> None:
    text = f'nr{separator}"art, {separator} lang"\r\n1{separator}"a{separator}b"\r\n'
    assert cells(opened(text)) == [("1", f"a{separator}b")]


def test_of_several_separators_none_is_guessed(opened: Callable[..., Source]) -> None:
    text = "nr;art, lang\n1;x\n"
    assert "several separators: `;`, `,` → say which one separates" in refusal(opened, text)
    assert cells(opened(text, separator=";")) == [("1", "x")]


@pytest.mark.parametrize(("encoding", "said"), [("utf-8", None), ("utf-8-sig", None), ("cp1252", "windows-1252"), ("utf-16", "utf-16")])
def test_umlauts_arrive_in_every_encoding_that_is_named(opened: Callable[..., Source], encoding: str, said: str | None) -> None:
    source = opened("größe;ort\n5 €;Süd\n", encoding, encoding=said)
    assert list(source.columns) == ["größe", "ort"]
    assert cells(source) == [("5 €", "Süd")]


def test_bytes_that_are_no_utf_8_are_refused_with_their_line(opened: Callable[..., Source]) -> None:
    assert refusal(opened, "nr;ort\n1;Nord\n2;Süd\n", "cp1252").startswith("line 3 is no UTF-8 → name the encoding")


def test_windows_letters_in_a_file_said_to_be_latin_1_are_noticed(opened: Callable[..., Source]) -> None:
    found = refusal(opened, "nr;preis\n1;5 €\n", "cp1252", encoding="iso-8859-1")
    assert found == "line 2: characters that `iso-8859-1` does not have → the encoding meant is probably `windows-1252`"


def test_an_encoding_that_does_not_exist_is_refused(opened: Callable[..., Source]) -> None:
    assert "there is no encoding `utf-9`" in refusal(opened, "nr\n1\n", encoding="utf-9")
    assert "there is no encoding `zlib`" in refusal(opened, "nr\n1\n", encoding="zlib")


def test_every_value_is_text_and_an_empty_one_is_not_known(opened: Callable[..., Source]) -> None:
    assert cells(opened('plz;n;leer\n01234;"1,5";\n')) == [("01234", "1,5", None)]


def test_a_header_further_down_and_a_quoted_line_break_keep_their_lines(opened: Callable[..., Source]) -> None:
    source = opened('Stand: 2026\n\nnr;art\n1;"zwei\nZeilen"\n2;x\n', header=3)
    assert [batch.fids for batch in source.batches(["nr"])] == [[4, 6]]
    assert cells(source)[0] == ("1", "zwei\nZeilen")


def test_rows_of_nothing_but_separators_are_passed_over(opened: Callable[..., Source]) -> None:
    source = opened("nr;art\n1;x\n;\n\n")
    assert (source.total, cells(source)) == (1, [("1", "x")])


def test_columns_of_one_name_are_refused_and_one_without_a_name_gets_its_number(opened: Callable[..., Source]) -> None:
    assert "2 columns are called `art`" in refusal(opened, "nr;art; art\n1;2;3\n")
    assert list(opened("nr;;art\n1;2;3\n").columns) == ["nr", "field_2", "art"]


def test_a_missing_header_is_refused(opened: Callable[..., Source]) -> None:
    assert "row 4 holds no column names" in refusal(opened, "nr;art\n1;x\n", header=4)


@pytest.mark.parametrize("text", ['nr;art\n1;x\n2;"offen\n3;y\n', 'nr;art\n1;x\n2;"zu"spät\n'])
def test_unpaired_quotation_marks_are_refused_where_they_begin(opened: Callable[..., Source], text: str) -> None:
    assert refusal(opened, text).startswith("line 3")


def test_a_cell_larger_than_the_parsers_usual_limit_is_read(opened: Callable[..., Source]) -> None:
    assert len(cells(opened("nr;text\n1;" + "x" * 500_000 + "\n"))[0][1]) == 500_000


def bring(database: Database, layer: Layer, file: Path, **said: Any) -> None:
    database.create(layer)
    run_import(ImportRequest([file], Description(**said)), layer, database.connect)


def test_places_come_from_two_columns_with_decimal_comma_and_thousands(
    database: Database, new_layer: NewLayer, written: Callable[..., Path]
) -> None:
    file = written("nr;x;y\n1;678.000,25;5.540.000,5\n")
    bring(database, new_layer(attribute("nr", key=True)), file, reading=Reading(",", "."), **XY)
    assert database.value("SELECT ST_AsText(geometry) FROM store.thing") == "POINT(678000.25 5540000.5)"


@pytest.mark.parametrize("x", ["6780.00,25", "678.0005", "6.78.000"])
def test_a_coordinate_whose_thousands_are_not_in_threes_is_none(
    database: Database, new_layer: NewLayer, written: Callable[..., Path], x: str
) -> None:
    with pytest.raises(FileRefused, match="the coordinate in column `x` is no number"):
        bring(database, new_layer(attribute("nr", key=True)), written(f"nr;x;y\n1;{x};5.540.000,5\n"), reading=Reading(",", "."), **XY)


def test_places_come_from_wkt_or_with_a_height(database: Database, new_layer: NewLayer, written: Callable[..., Path]) -> None:
    layer = new_layer(attribute("nr", key=True), type_="PointZ")
    bring(database, layer, written("nr;o\n1;POINT Z (678000 5540000 340.5)\n"), crs="EPSG:25832", place=Place(wkt="o"))
    text = written("nr;x;y;z\n2;678000;5540000;340.5\n")
    run_import(ImportRequest([text], Description(crs="EPSG:25832", place=Place("x", "y", "z"))), layer, database.connect)
    assert database.value("SELECT count(DISTINCT geometry) FROM store.thing WHERE ST_Z(geometry) = 340.5") == 1


def test_a_table_without_places_fills_a_layer_without_geometry(
    database: Database, new_layer: NewLayer, written: Callable[..., Path]
) -> None:
    bring(database, new_layer(attribute("nr", key=True), type_=None), written("nr;art\n1;x\n2;y\n"))
    assert database.value("SELECT count(*) FROM store.thing") == 2


def test_every_bad_row_is_named_by_its_line_and_only_for_its_own_fault(
    database: Database, new_layer: NewLayer, written: Callable[..., Path]
) -> None:
    file = written("nr;x;y\n1;678000;5540000\n2;678000\n3;678000;5540000;9\n4;abc;5540000\n5;;5540000\n6;1,5;2\n")
    with pytest.raises(FileRefused) as caught:
        bring(database, new_layer(attribute("nr", key=True)), file, **XY)
    found = [finding.text().say("en") for finding in caught.value.findings]
    assert [line.partition(" → ")[0] for line in found] == [
        "row 3: the row has 2 fields, the header 3",
        "row 4: the row has 4 fields, the header 3",
        "row 5: the coordinate in column `x` is no number",
        "row 6: the coordinate in column `x` is missing",
        "row 7: the coordinate in column `x` is no number",
    ]


def test_wkt_that_is_none_is_refused_without_its_text(database: Database, new_layer: NewLayer, written: Callable[..., Path]) -> None:
    nest = "GEOMETRYCOLLECTION(" * 100_000 + "POINT(1 1)" + ")" * 100_000
    for text in ("geheim", nest):
        with pytest.raises(FileRefused, match=r"the geometry in column `o` is no WKT → WKT such as") as caught:
            bring(database, new_layer(attribute("nr", key=True)), written(f"nr;o\n1;{text}\n"), crs="EPSG:25832", place=Place(wkt="o"))
        assert text[:7] not in str(caught.value)
        with database.connect() as connection:
            connection.execute("DROP TABLE store.thing")


def test_a_layer_with_geometry_asks_for_the_place_columns(database: Database, new_layer: NewLayer, written: Callable[..., Path]) -> None:
    with pytest.raises(FileRefused, match="the file has no geometries → say which of its columns hold the place"):
        bring(database, new_layer(attribute("nr", key=True)), written("nr;x\n1;2\n"))


def test_a_place_column_that_is_not_there_is_named(opened: Callable[..., Source]) -> None:
    assert "has no place column `X` → did you mean `x`" in refusal(opened, "nr;x;y\n1;2;3\n", place=Place(x="X", y="y"))
    assert "only one coordinate is named for the place" in refusal(opened, "nr;x;y\n1;2;3\n", place=Place(x="x"))


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        ("art = 'b'", ["2"]),
        ("CAST(n AS REAL) > 5", ["1", "3"]),
        ("\"art\" IN ('a', 'c')", ["1", "3"]),
        ("n LIKE '0%'", ["3"]),
        ("art IS NULL", ["4"]),
    ],
)
def test_a_condition_chooses_rows(opened: Callable[..., Source], where: str, chosen: list[str]) -> None:
    source = opened("nr;art;n\n1;a;12\n2;b;3\n3;c;07\n4;;1\n", where=where)
    assert [row[0] for row in cells(source)] == chosen


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("n > 5", "compares `n` with a number, but the column holds text"),
        ("5 < n", "compares `n` with a number"),
        ('"n" IN (5)', "compares `n` with a number"),
        ("\"m\" = 'x'", "names a column `m` that is not there"),
        ("art ==== 'x'", "cannot be evaluated"),
        ("abs(-9223372036854775807 - 1) IS NULL", "cannot be evaluated"),
    ],
)
def test_a_condition_that_would_be_misunderstood_is_refused(opened: Callable[..., Source], where: str, expected: str) -> None:
    assert expected in refusal(opened, "nr;art;n\n1;a;12\n", where=where)
