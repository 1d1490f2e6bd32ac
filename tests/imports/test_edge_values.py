"""Values at the edge of what can be said: read as they are meant, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.imports.things import Database, attribute
from twin_api.imports.description import ColumnRule, Description, Reading
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import ImportRequest, run_import
from twin_api.policy.documents import Layer

Bring = Callable[..., Any]


@pytest.fixture
def bring(database: Database, new_layer: Callable[..., Layer], tmp_path: Path) -> Bring:
    """One text, read in this way into an attribute of this type; gives what is in the store then."""

    def import_(text: str, type_: Any, reading: Reading, unit: str | None = None) -> Any:
        layer, file = new_layer(attribute("nr", key=True), attribute("wert", type_, unit=unit), type_=None), tmp_path / "rows.csv"
        database.create(layer)
        file.write_text(f"nr;wert\n1;{text}\n")
        run_import(ImportRequest([file], Description({"wert": ColumnRule("wert", reading)})), layer, database.connect)
        return database.value("SELECT wert::text FROM store.thing")

    return import_


FORMS = [("DDMMYYYY", "01122020"), ("YYMMDD", "201201"), ("YYYYMMDD", "20201201")]


@pytest.mark.parametrize(("form", "text"), FORMS)
def test_a_day_of_digits_alone_has_all_of_them(bring: Bring, form: str, text: str) -> None:
    assert bring(text, "date", Reading(dates=form)) == "2020-12-01"


@pytest.mark.parametrize(("form", "text"), [("DDMMYYYY", "1122020"), ("YYMMDD", "20121"), ("YYYYMMDD", "2020121")])
def test_a_day_of_digits_that_lost_a_zero_is_nobodys_guess(bring: Bring, form: str, text: str) -> None:
    with pytest.raises(FileRefused, match="a day of the form"):
        bring(text, "date", Reading(dates=form))


@pytest.mark.parametrize(("text", "zone"), [("0001-01-01T00:00:00+14:00", None), ("9999-12-31T23:59:59", "America/New_York")])
def test_a_moment_beyond_the_years_that_there_are_is_named(bring: Bring, text: str, zone: str | None) -> None:
    with pytest.raises(FileRefused, match="a moment with offset"):
        bring(text, "datetime", Reading(zone=zone))


@pytest.mark.parametrize(("text", "unit", "expected"), [("0.07", "m", "7"), ("1.1", "km", "110000"), ("2.5", "mm", "0.25")])
def test_a_number_in_another_unit_gains_no_digits(bring: Bring, text: str, unit: str, expected: str) -> None:
    assert bring(text, "number", Reading(unit=unit), unit="cm") == expected


def test_a_number_that_is_too_large_in_the_layers_unit_is_named(bring: Bring) -> None:
    with pytest.raises(FileRefused, match="a finite number is required"):
        bring("1e308", "number", Reading(unit="km"), unit="m")


@pytest.mark.parametrize("text", ["-9999", "-9999.0", "-9999.00"])
def test_a_number_that_means_not_known_does_so_however_it_is_written(bring: Bring, text: str) -> None:
    assert bring(text, "number", Reading(nulls=frozenset({"-9999"}))) is None
