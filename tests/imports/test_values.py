"""Values as people write them: read as the description says, or refused with what would be right."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.imports.things import attribute
from twin_api.imports.description import Reading
from twin_api.imports.values.date_form import DateForm
from twin_api.imports.values.plain import Unfit
from twin_api.imports.values.readers import reader
from twin_api.imports.values.units import factor

COMMA = Reading(decimal=",")
GROUPED = Reading(decimal=",", thousands=".")
GERMAN = Reading(dates="DD.MM.YYYY")
MOMENT = Reading(dates="DD.MM.YYYY hh:mm", zone="Europe/Berlin")
WINTER = Reading(dates="DD.MM.YYYY hh:mm", zone="+01:00")

READ: list[tuple[str, Reading, str, Any]] = [
    ("integer", Reading(), "12", 12),
    ("integer", Reading(), " -7 ", -7),
    ("integer", GROUPED, "1.234.567", 1_234_567),
    ("integer", Reading(nulls=frozenset({"k. A."})), "k. A.", None),
    ("integer", Reading(values={"eins": "1"}), "eins", 1),
    ("number", Reading(), "1.5e3", 1500.0),
    ("number", COMMA, "12,5", 12.5),
    ("number", COMMA, "-,5", -0.5),
    ("number", GROUPED, "1.234,5", 1234.5),
    ("number", Reading(thousands=" "), "1 234.5", 1234.5),
    ("number", Reading(nulls=frozenset({"-9999"})), "-9999", None),
    ("date", Reading(), "2026-11-20", date(2026, 11, 20)),
    ("date", GERMAN, "20.11.2026", date(2026, 11, 20)),
    ("date", GERMAN, "1.2.2026", date(2026, 2, 1)),
    ("date", Reading(dates="MM/DD/YYYY"), "11/20/2026", date(2026, 11, 20)),
    ("date", Reading(dates="DD.MM.YY"), "20.11.68", date(2068, 11, 20)),
    ("date", Reading(dates="DD.MM.YY"), "20.11.69", date(1969, 11, 20)),
    ("date", Reading(dates="YYYYMMDD"), "20261120", date(2026, 11, 20)),
    ("datetime", Reading(), "2026-11-20T08:30:00+01:00", datetime(2026, 11, 20, 7, 30, tzinfo=UTC)),
    ("datetime", Reading(), "2026-11-20T08:30:00+0100", datetime(2026, 11, 20, 7, 30, tzinfo=UTC)),
    ("datetime", Reading(zone="Europe/Berlin"), "2026-07-01T12:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ("datetime", MOMENT, "20.11.2026 08:30", datetime(2026, 11, 20, 7, 30, tzinfo=UTC)),
    ("datetime", WINTER, "25.10.2026 02:30", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ("boolean", Reading(), "true", True),
    ("boolean", Reading(values={"ja": "true", "nein": "false"}), "nein", False),
    ("text", Reading(), "  bleibt ", "  bleibt "),
    ("text", Reading(nulls=frozenset({"-"})), " - ", None),
    ("text", Reading(values={"Lä.": "Lärche"}), "Lä.", "Lärche"),
]  # fmt: skip

REFUSED: list[tuple[str, Reading, str, str]] = [
    ("integer", Reading(), "1.234", "eine ganze Zahl, ohne Tausendertrennung"),
    ("integer", GROUPED, "1.23.4", "eine ganze Zahl, Tausender durch `.` getrennt"),
    ("integer", Reading(), "٣", "eine ganze Zahl, ohne Tausendertrennung"),
    ("integer", Reading(), "9223372036854775807", "eine ganze Zahl, die in 64 Bit passt"),
    ("number", Reading(), "12,5", "eine Zahl mit Dezimalpunkt, ohne Tausendertrennung"),
    ("number", COMMA, "12.5", "eine Zahl mit Dezimalkomma, ohne Tausendertrennung"),
    ("number", GROUPED, "1.23,5", "eine Zahl mit Dezimalkomma, Tausender durch `.` getrennt"),
    ("number", COMMA, "1,2,3", "eine Zahl mit Dezimalkomma, ohne Tausendertrennung"),
    ("number", Reading(), "1e999", "eine endliche Zahl"),
    ("number", Reading(), "12 m", "eine Zahl mit Dezimalpunkt, ohne Tausendertrennung"),
    ("date", Reading(), "20.11.2026", "ein Tag der Form `YYYY-MM-DD`"),
    ("date", GERMAN, "2026-11-20", "ein Tag der Form `DD.MM.YYYY`"),
    ("date", GERMAN, "31.02.2026", "ein Tag der Form `DD.MM.YYYY`"),
    ("date", GERMAN, "20.11.26", "ein Tag der Form `DD.MM.YYYY`"),
    ("datetime", Reading(), "2026-11-20T08:30:00", "ein Zeitpunkt mit Zeitzone wie 2026-11-20T08:30:00+01:00"),
    ("datetime", MOMENT, "25.10.2026 02:30", "ein eindeutiger Zeitpunkt der Form `DD.MM.YYYY hh:mm` in der Zone Europe/Berlin"),
    ("datetime", MOMENT, "29.03.2026 02:30", "ein eindeutiger Zeitpunkt der Form `DD.MM.YYYY hh:mm` in der Zone Europe/Berlin"),
    ("datetime", Reading(dates="DD.MM.YYYY hh:mm"), "20.11.2026 08:30",
     "ein eindeutiger Zeitpunkt der Form `DD.MM.YYYY hh:mm`; dazu gehört `zone`"),
    ("boolean", Reading(), "ja", "`true` oder `false`"),
    ("text", Reading(), "a\0b", "gültiger UTF-8-Text ohne NUL-Zeichen"),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "reading", "text", "expected"), READ)
def test_a_text_is_read_as_the_description_says(type_: Any, reading: Reading, text: str, expected: Any) -> None:
    read = reader(attribute("wert", type_), "text", reading)
    assert read is not None
    assert read(text) == expected


@pytest.mark.parametrize(("type_", "reading", "text", "expected"), REFUSED)
def test_a_text_that_is_none_is_refused_with_what_would_be_right(type_: Any, reading: Reading, text: str, expected: str) -> None:
    read = reader(attribute("wert", type_), "text", reading)
    assert read is not None
    with pytest.raises(Unfit) as caught:
        read(text)
    assert caught.value.expected.de == expected


@pytest.mark.parametrize(("kind", "reading", "value", "expected"), [
    ("integer", Reading(values={"1": "gut", "2": "schlecht"}), 2, "schlecht"),
    ("text", Reading(values={"Gut": "gut"}), "Gut", "gut"),
])  # fmt: skip
def test_codes_and_spellings_become_the_values_of_an_enumeration(kind: Any, reading: Reading, value: Any, expected: str) -> None:
    read = reader(attribute("zustand", enum={"gut": "good", "schlecht": "poor"}), kind, reading)
    assert read is not None
    assert read(value) == expected


def test_numbers_that_mean_not_known_are_no_values() -> None:
    read = reader(attribute("hoehe", "number"), "number", Reading(nulls=frozenset({"-9999", "k. A."})))
    assert read is not None
    assert [read(value) for value in (-9999.0, -9998.0)] == [None, -9998.0]


@pytest.mark.parametrize(("from_unit", "to_unit", "value", "expected"), [
    ("cm", "m", 35, 0.35), ("mm", "m", 7, 0.007), ("ha", "m²", 1.5, 15_000.0), ("m2", "ha", 2500, 0.25), ("km/h", "m/s", 36, 10.0),
    ("m³/h", "l/s", 36, 10.0), ("kWh", "MWh", 1500, 1.5), ("m", "m", 1.1, 1.1),
])  # fmt: skip
def test_numbers_of_another_unit_are_converted_without_a_trace_of_it(from_unit: str, to_unit: str, value: float, expected: float) -> None:
    read = reader(attribute("wert", "number", unit=to_unit), "number", Reading(unit=from_unit))
    assert read is not None
    assert read(value) == expected


def test_units_of_different_things_have_no_factor() -> None:
    assert factor("m", "kg") is None
    assert factor("m", "Ellen") is None


def test_a_whole_number_stays_whole_in_another_unit_or_is_refused() -> None:
    read = reader(attribute("wert", "integer", unit="m"), "integer", Reading(unit="cm"))
    assert read is not None
    assert read(300) == 3
    with pytest.raises(Unfit):
        read(350)


@pytest.mark.parametrize("form", ["DD.MM", "MM.YYYY", "DD.DD.MM.YYYY", "gestern", "hh:mm"])
def test_a_form_that_names_no_day_is_none(form: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(form)}$"):
        DateForm(form)


@given(st.dates(min_value=date(1, 1, 1), max_value=date(9999, 12, 31)))
def test_every_day_comes_back_from_how_it_is_written(day: date) -> None:
    assert DateForm("DD.MM.YYYY").day(f"{day.day:02}.{day.month:02}.{day.year:04}") == day


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_comes_back_from_how_it_is_written(number: float) -> None:
    read = reader(attribute("wert", "number"), "text", COMMA)
    assert read is not None
    assert read(repr(number).replace(".", ",")) == number
