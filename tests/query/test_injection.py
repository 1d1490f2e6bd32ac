"""Values are data: no value, wherever it stands, becomes text of a statement or breaks the server."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.query.asked import ask
from tests.towns import Town
from twin_api.query.page import Pages
from twin_api.query.window import bind
from twin_api.store.collection import Collection, Description, Property
from twin_api.texts import Text

TYPES = ("text", "integer", "number", "boolean", "date", "datetime")
TREES = Collection(
    "baeume",
    Description(Text("x"), tuple(Property(f"a_{t}", t, Text(t)) for t in TYPES), "Point", 25832, "a_date", "", ""),
    0,
    None,
    None,
    "1",
)
_STARTS = ["", "1", "'", '"', "\\", "')", "1)", "a'", "%s", "%(limit)s", ":name", "$1", "{}", "/*", "\x00", "\n", "‘", "；"]
_MIDDLES = ["", " OR 1=1", " OR 'a'='a'", "; DROP TABLE store.baeume", " UNION SELECT * FROM store.baeume", "||(SELECT pate FROM store.baeume LIMIT 1)", "/**/OR/**/true",
            " AND pg_sleep(10)", "; SET ROLE postgres", "::int", " COLLATE \"x\"", "=ANY(ARRAY[1])"]  # fmt: skip
_ENDS = ["", "--", " --"]
PAYLOADS = ["".join(parts) for parts in product(_STARTS, _MIDDLES, _ENDS)][:: (len(_STARTS) * len(_MIDDLES) * len(_ENDS)) // 300]
PARAMETERS = ["limit", "bbox", "datetime", "cursor", "f", "art", "gepflanzt", "hoehe_m", "anzahl", "geschuetzt"]


@pytest.mark.parametrize("parameter", [*PARAMETERS, "<name>"])
def test_no_payload_in_any_parameter_gives_more_than_a_plain_answer(town: Town, parameter: str) -> None:
    assert len(PAYLOADS) >= 300
    for payload in PAYLOADS:
        answer = ask(town, **({payload: "1"} if parameter == "<name>" else {parameter: payload}))
        if answer.status_code == 200:  # an odd text is a text that no tree has
            assert (payload in ("", "1") and parameter != "art") or answer.json()["numberMatched"] == 0, payload
        else:
            assert answer.status_code == 400, payload


def _sql(asked: list[tuple[str, str]]) -> str:
    return Pages(TREES, bind(TREES, asked)).statement("citizen").sql


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
    st.integers(1, 10**17),
)
def test_the_text_of_a_statement_is_the_same_whatever_the_values(
    text: str, integer: int, number: float, yes: bool, day: object, limit: int
) -> None:
    asked = [
        ("a_text", text),
        ("a_integer", str(integer)),
        ("a_number", repr(number)),
        ("a_boolean", str(yes).lower()),
        ("a_date", str(day)),
    ]
    plain = [("a_text", "x"), ("a_integer", "1"), ("a_number", "1"), ("a_boolean", "true"), ("a_date", "2000-01-01")]
    assert _sql([*asked, ("limit", str(limit))]) == _sql([*plain, ("limit", "1")])


@settings(max_examples=100, deadline=None)
@given(st.permutations([("a_text", "x"), ("bbox", "1,2,3,4"), ("datetime", "2000-01-01/.."), ("a_number", "1")]))
def test_the_text_of_a_statement_is_the_same_whatever_the_order_asked_in(asked: list[tuple[str, str]]) -> None:
    assert _sql(asked) == _sql(sorted(asked))


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
    | st.binary(max_size=40).map(lambda raw: __import__("base64").urlsafe_b64encode(raw).decode())
)
def test_a_cursor_is_a_key_or_refused(town: Town, garbage: str) -> None:
    garbage = garbage.encode("utf-8", "ignore").decode()
    answer = ask(town, cursor=garbage)
    assert answer.status_code == 200 or answer.json()["parameter"] == "cursor"
