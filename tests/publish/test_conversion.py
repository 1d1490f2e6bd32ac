"""Values of one type become values of another only where they say the same; no text can make the check fail."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.towns import Town
from twin_api.imports.description import Reading
from twin_api.imports.values.plain import Unfit
from twin_api.imports.values.written import reader_of_text
from twin_api.policy.documents import AttributeType
from twin_api.publish.conversion import CONVERSIONS
from twin_api.publish.statement import pin_session

PLAIN = {
    "integer": ["0", "-0", "+7", "007", "9223372036854775806", "-9223372036854775806"],
    "number": ["0", ".5", "5.", "-1e3", "+1.50", "5.e3", "1.7976931348623157e308", "5e-324", "0e999", "0" * 300 + "1"],
    "boolean": ["true", "false"],
    "date": ["2026-11-20", "0001-01-01", "0099-12-31", "9999-12-31", "2024-02-29"],
    "datetime": ["2026-11-20T08:30:00+01:00", "2026-11-20 08:30Z", "2026-11-20T08:30:59.999999-1130", "0001-01-01T00:00:00Z",
                 "2026-11-20T08:30+01", "0099-02-28T23:59:59.5Z", "9999-12-31T23:59:59.999999Z"],
}  # fmt: skip
WRONG = [
    "", " ", "x", "1,5", "1 000", "--1", "1e", "e1", ".", "+", "1\n", "\n1", "٣", "１", "NaN", "Infinity", "1_000", "0x1F", "1e999", "1e-999", "9" * 19,
    "9223372036854775807", "1" * 400, "1" * 200_000, "9" * 310, "TRUE", "1", "t", "yes", "2026-02-29", "2023-02-30", "2026-13-01", "2026-00-10",
    "0000-01-01", "2026-1-1", "20261120", "10000-01-01", "infinity", "today", "2026-11-20 BC", "2026-11-20T24:00:00Z", "2026-11-20T08:60Z",
    "2026-11-20T08:30:60Z", "2026-11-20T08:30:00", "2026-11-20T08:30:00+15:00", "2026-11-20T08:30:00.1234567Z", "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00", "2026-11-20T08:30:00 CET", "now", "'", "\\", "%s", "{0}", "@", "2026-W47-5",
]  # fmt: skip
LETTERS = "0123456789+-.eETZ: /x"


def _converted(town: Town, types: tuple[str, str], values: list[str], as_type: str) -> list[tuple[str, bool, Any]]:
    """Every value as text, whether it converts, and to what."""
    conversion = CONVERSIONS[types]
    query = (
        f"SELECT v::text, ({conversion.fits('v')}) IS TRUE, CASE WHEN {conversion.fits('v')} THEN {conversion.value('v')} END "
        f"FROM (SELECT t::{as_type} AS v FROM unnest(%s::text[]) AS t) AS r"
    )
    with town.login("owner") as connection, connection.transaction():
        pin_session(connection)
        return [
            (text, fits, value)
            for text, fits, value in connection.execute(query.replace("%", "%%").replace("%%s", "%s").encode(), [values])
        ]


def _mutations(values: list[str], seed: int) -> list[str]:
    dice = random.Random(seed)  # a test's dice
    mutated = []
    for value, _ in itertools.product(values, range(150)):
        place = dice.randrange(len(value) + 1)
        mutated.append(value[:place] + dice.choice(LETTERS) * dice.randrange(2) + value[place + dice.randrange(3) :])
    return mutated


@pytest.mark.parametrize("type_", PLAIN)
def test_texts_are_read_as_an_import_reads_them(town: Town, type_: AttributeType) -> None:
    read = reader_of_text(type_, Reading())
    every = [*PLAIN[type_], *WRONG, *itertools.chain(*PLAIN.values()), *_mutations([v for v in PLAIN[type_] if len(v) < 40], seed=26)]
    answers = _converted(town, ("text", type_), every, "text")
    assert [text for text, fits, _ in answers[: len(PLAIN[type_])] if not fits] == []
    for text, fits, value in answers:
        if fits:
            assert value == read(text), text
    refused = {text for text, fits, _ in answers if not fits}
    assert refused >= {value for value in WRONG if value not in PLAIN[type_] and _is_refused(read, value)}


def _is_refused(read: Callable[[Any], Any], value: str) -> bool:
    try:
        read(value)
    except (Unfit, OverflowError):
        return True
    return False


@pytest.mark.parametrize(
    ("type_", "sql_type", "values"),
    [
        ("integer", "bigint", ["0", "-9223372036854775806", "42"]),
        ("number", "float8", ["0.1", "1e300", "-0", "123456789.123456789", "5e-324"]),
        ("boolean", "boolean", ["true", "false"]),
        ("date", "date", ["0001-01-01", "9999-12-31", "2026-11-20"]),
        ("datetime", "timestamptz", ["2026-11-20T08:30:00.000001+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"]),
    ],
)
def test_every_value_as_text_is_read_back_as_itself(town: Town, type_: str, sql_type: str, values: list[str]) -> None:
    texts = [text for _, _, text in _converted(town, (type_, "text"), values, sql_type)]
    back = _converted(town, ("text", type_), texts, "text")
    assert [value for _, _, value in back] == [value for _, _, value in _converted(town, ("text", type_), values, "text")]
    assert all(fits for _, fits, _ in back)


@pytest.mark.parametrize(
    ("types", "sql_type", "fit", "unfit"),
    [
        (("integer", "number"), "bigint", ["9007199254740992", "-9007199254740992"], ["9007199254740993", "-9223372036854775808"]),
        (("number", "integer"), "float8", ["3", "-0", "9007199254740992"], ["0.5", "1e300", "NaN", "Infinity"]),
        (("date", "datetime"), "date", ["2026-11-20", "9999-12-31"], []),
        (("datetime", "date"), "timestamptz", ["2026-11-20T00:00Z", "2026-11-20T01:00+01"], ["2026-11-20T00:00+01", "2026-11-20T00:00:00.000001Z"]),
    ],
)  # fmt: skip
def test_numbers_and_times_convert_only_exactly(
    town: Town, types: tuple[str, str], sql_type: str, fit: list[str], unfit: list[str]
) -> None:
    assert [fits for _, fits, _ in _converted(town, types, fit + unfit, sql_type)] == [True] * len(fit) + [False] * len(unfit)
