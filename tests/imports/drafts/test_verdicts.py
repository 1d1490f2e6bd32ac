"""What a column is, by the texts in it."""

from __future__ import annotations

from typing import Any

import pytest

from twin_api.imports.description import Reading
from twin_api.imports.drafts.columns import Column
from twin_api.imports.drafts.verdict import judge

JA_NEIN = {"ja": "true", "nein": "false"}
BIG, TOO_BIG = str(2**63 - 2), str(2**63)

CASES: list[tuple[str, list[str | None], str, dict[str, Any]]] = [  # header, values, type, reading
    ("Anzahl", ["1", "22", "-3"], "integer", {}),
    ("Anzahl", ["0", "0"], "integer", {}),
    ("Nr", ["007", "012"], "text", {}),
    ("Nr", ["1", "07"], "text", {}),
    ("PLZ", ["91085", "91074"], "text", {}),
    ("PLZ", ["01067", "91074"], "text", {}),
    ("AGS", ["09572164"], "text", {}),
    ("Gemeindeschlüssel", ["9572164"], "text", {}),
    ("Hausnummer", ["1", "12"], "text", {}),
    ("Hausnummer", ["1", "12a"], "text", {}),
    ("Telefon", ["913512345"], "text", {}),
    ("Baujahr", ["1987", "2004"], "integer", {}),
    ("Wert", [BIG, "1"], "integer", {}),
    ("Wert", [TOO_BIG, "1"], "text", {}),
    ("Wert", ["9" * 30], "text", {}),
    ("Wert", ["+5"], "text", {}),
    ("Wert", ["1 234"], "text", {}),
    ("Höhe [m]", ["12.5", "3"], "number", {}),
    ("Höhe [m]", ["12,5", "3"], "number", {"decimal": ","}),
    ("Höhe [m]", ["12,5", "3.5"], "text", {}),
    ("Höhe [m]", ["-0,25", "0,5"], "number", {"decimal": ","}),
    ("Höhe [m]", [".5", "0.25"], "number", {}),
    ("Wert", ["1.5e3", "2.0"], "number", {}),
    ("Wohnung", ["1E5", "2E7"], "text", {}),
    ("Kosten", ["1.234,50", "12,00"], "number", {"decimal": ",", "thousands": "."}),
    ("Kosten", ["1.234.567", "12"], "number", {"decimal": ",", "thousands": "."}),
    ("Kosten", ["1,234.50", "12.00"], "number", {"thousands": ","}),
    ("Kosten", ["1.234", "2.345"], "number", {}),
    ("Wert", ["12 m", "13 m"], "text", {}),
    ("Wert", ["NaN", "1.5"], "number", {"nulls": {"NaN"}}),
    ("aktiv", ["ja", "nein", "ja"], "boolean", {"values": JA_NEIN}),
    ("aktiv", ["ja", "ja"], "boolean", {"values": JA_NEIN}),
    ("aktiv", ["Ja", "Nein"], "boolean", {"values": {"Ja": "true", "Nein": "false"}}),
    ("aktiv", ["JA", "Nein"], "boolean", {"values": {"JA": "true", "NEIN": "false", "Ja": "true", "Nein": "false"}}),
    ("aktiv", ["J", "N"], "boolean", {"values": {"J": "true", "N": "false"}}),
    ("Richtung", ["N", "N"], "text", {}),
    ("Richtung", ["N", "S"], "text", {}),
    ("aktiv", ["yes", "no"], "boolean", {"values": {"yes": "true", "no": "false"}}),
    ("aktiv", ["wahr", "falsch"], "boolean", {"values": {"wahr": "true", "falsch": "false"}}),
    ("aktiv", ["true", "false"], "boolean", {}),
    ("aktiv", ["TRUE", "FALSE"], "boolean", {"values": {"TRUE": "true", "FALSE": "false"}}),
    ("aktiv", ["ja", "nein", "vielleicht"], "text", {}),
    ("aktiv", ["ja", "no"], "text", {}),
    ("aktiv", ["0", "1"], "integer", {}),
    ("gepflanzt", ["2020-05-01", "1999-12-31"], "date", {}),
    ("gepflanzt", ["01.05.2020", "31.12.1999"], "date", {"dates": "DD.MM.YYYY"}),
    ("gepflanzt", ["01.05.20", "31.12.99"], "date", {"dates": "DD.MM.YY"}),
    ("gepflanzt", ["01/05/2020", "31/12/1999"], "date", {"dates": "DD/MM/YYYY"}),
    ("gepflanzt", ["05/01/2020", "12/31/1999"], "date", {"dates": "MM/DD/YYYY"}),
    ("gepflanzt", ["2020/05/01"], "date", {"dates": "YYYY/MM/DD"}),
    ("Datum", ["20200501", "19991231"], "date", {"dates": "YYYYMMDD"}),
    ("Nummer", ["20200501", "19991231"], "integer", {}),
    ("gepflanzt", ["2020-02-30"], "text", {}),
    ("gepflanzt", ["30.02.2020"], "text", {}),
    ("gepflanzt", ["01.05.2020", "Mai 2020"], "text", {}),
    ("gepflanzt", ["01.05.2020", "2020-05-02"], "text", {}),
    ("gemessen", ["2020-05-01T08:30:00+02:00"], "datetime", {}),
    ("gemessen", ["2022-05-01T00:00:00+0200"], "datetime", {}),
    ("gemessen", ["2020-05-01T08:30:00Z"], "datetime", {}),
    ("gemessen", ["01.05.2020 08:30"], "datetime", {"dates": "DD.MM.YYYY hh:mm"}),
    ("gemessen", ["01.05.2020 08:30:15"], "datetime", {"dates": "DD.MM.YYYY hh:mm:ss"}),
    ("gemessen", ["2020-05-01 08:30:15"], "datetime", {"dates": "YYYY-MM-DD hh:mm:ss"}),
    ("Höhe", ["12", "-", ""], "integer", {"nulls": {"-", ""}}),
    ("Höhe", ["12,5", "k.A.", "k. A."], "number", {"decimal": ",", "nulls": {"k.A.", "k. A."}}),
    ("Höhe", ["12", "unbekannt"], "integer", {"nulls": {"unbekannt"}}),
    ("Höhe", ["12", "ca. 13"], "text", {}),
    ("Art", ["Linde", "unbekannt"], "text", {}),
    ("Art", ["Linde", "-", "NULL", "n/a"], "text", {"nulls": {"-", "NULL", "n/a"}}),
    ("Art", ["unbekannt", "unbekannt"], "text", {}),
    ("gepflanzt", ["01.05.2020", "#NV"], "date", {"dates": "DD.MM.YYYY", "nulls": {"#NV"}}),
    ("leer", [None, None], "text", {}),
    ("leer", [], "text", {}),
    ("leer", ["", " "], "text", {"nulls": {""}}),
    ("Anzahl", [" 12", "7 "], "integer", {}),
    ("Art", [" Linde", "- "], "text", {"nulls": {"-"}}),
]  # fmt: skip


def looked_at(header: str, values: list[Any], kind: Any = "text", **more: Any) -> Column:
    column = Column(header, kind, **more)
    column.look(values)
    return column


@pytest.mark.parametrize(("header", "values", "type_", "reading"), CASES)
def test_a_column_of_texts_is(header: str, values: list[str | None], type_: str, reading: dict[str, Any]) -> None:
    verdict = judge(looked_at(header, values))
    expected = Reading(**(reading | {"nulls": frozenset(reading.get("nulls", ()))}))
    assert (verdict.type, verdict.reading) == (type_, expected)


@pytest.mark.parametrize(
    ("header", "kind", "values", "type_"),
    [
        ("Höhe", "number", [12.0, 13.0], "number"),
        ("Baujahr", "number", [1987.0, None], "integer"),
        ("Baujahr", "number", [1987.5], "number"),
        ("Anzahl", "number", [float("nan"), float("inf"), 1e300], "number"),
        ("PLZ", "integer", [1067], "text"),
        ("Anzahl", "integer", [3], "integer"),
        ("aktiv", "boolean", [True], "boolean"),
        ("von", "date", [None], "date"),
        ("von", "datetime", ["2020-01-01T00:00:00Z"], "datetime"),
    ],
)
def test_a_column_that_has_a_kind_already_keeps_it_but_for_numbers_that_are_none(
    header: str, kind: str, values: list[Any], type_: str
) -> None:
    assert judge(looked_at(header, values, kind)).type == type_


@pytest.mark.parametrize(
    ("values", "in_utc", "type_", "local"),
    [
        (["2020-05-01T08:30:00+02:00"], False, "datetime", False),
        (["2020-05-01T08:30:00"], True, "datetime", False),
        (["2020-05-01T08:30:00", None], False, "datetime", True),
        (["2020-05-01T00:00:00", "2020-05-02T00:00:00"], False, "date", False),
        (["2020-05-01T00:00:00", "2020-05-02T10:00:00"], False, "datetime", True),
    ],
)
def test_moments_without_an_offset_are_days_if_all_are_midnights_and_else_by_the_towns_clocks(
    values: list[Any], in_utc: bool, type_: str, local: bool
) -> None:
    verdict = judge(looked_at("am", values, "datetime", moments_in_utc=in_utc))
    assert (verdict.type, verdict.local) == (type_, local)


def test_three_places_after_a_point_are_thousands_where_the_file_writes_decimal_commas() -> None:
    column = looked_at("Kosten", ["1.234", "12"])
    assert judge(column, comma=True).reading == Reading(decimal=",", thousands=".")
    assert judge(column, comma=False).reading == Reading()
    assert "bitte prüfen" in judge(column).remarks[0]


def test_one_value_that_is_no_number_makes_a_text_and_is_counted() -> None:
    column = looked_at("Höhe", ["12,5"] * 40 + ["ca. 13"])
    assert judge(column).remarks == ("fast nur Zahlen: 1 von 41 Werten sind keine, darum `text`",)


def test_a_day_that_two_orders_would_read_is_doubted() -> None:
    assert judge(looked_at("am", ["01/05/2020", "02/06/2020"])).remarks == ("Tag oder Monat zuerst? bitte prüfen",)


def test_letters_that_were_lost_are_counted() -> None:
    assert judge(looked_at("Art", ["B\ufffdume", "Linde"])).remarks == ("in 1 Werten steht `\ufffd`: dort gingen Buchstaben verloren",)


@pytest.mark.parametrize(
    ("header", "values", "free"),
    [
        ("Zustand", ["Krone licht und am Stamm ein alter Schaden"] * 3, True),
        ("Zustand", ["gut", "schlecht"], False),
        ("Bemerkung", ["gut", "schlecht"], True),
        ("Zustand", ["erste Zeile\nzweite"], True),
        ("Bemerkung", ["1", "2"], False),
    ],
)
def test_long_texts_and_remarks_are_free_text(header: str, values: list[str], free: bool) -> None:
    assert judge(looked_at(header, values)).free_text is free


def test_batches_add_up() -> None:
    column = Column("Höhe", "text")
    for values in (["12", None], ["13,5"], ["-"]):
        column.look(values)
    assert (column.rows, column.missing, column.texts, judge(column).type) == (4, 1, 2, "number")


def test_few_values_are_kept_only_where_they_may_be_listed() -> None:
    assert looked_at("Art", ["Linde"]).values is None
    assert looked_at("Art", ["Linde", "Linde"], listing=True).values == {"Linde": 2}
    assert looked_at("Art", [f"Art {n}" for n in range(13)], listing=True).values is None
