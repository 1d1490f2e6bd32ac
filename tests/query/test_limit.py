"""`limit`: how many items a page holds."""

from __future__ import annotations

import pytest

from tests.query.asked import ask
from tests.towns import Town

ALL = 41  # trees that citizens see


@pytest.mark.parametrize(
    ("limit", "returned"), [("1", 1), ("7", 7), ("040", 40), ("41", ALL), ("10000", ALL), ("10001", ALL), ("9" * 18, ALL), (None, 10)]
)
def test_a_page_holds_as_many_as_asked_for_and_at_most_ten_thousand(town: Town, limit: str | None, returned: int) -> None:
    page = ask(town, **({"limit": limit} if limit else {})).json()
    assert (page["numberReturned"], len(page["features"]), page["numberMatched"]) == (returned, returned, ALL)


@pytest.mark.parametrize(
    "limit", ["0", "-1", "", "ten", "1.5", "1e3", " 1", "+1", "0x10", "١", "9" * 19, "9" * 5000, "1\x00", "1,2", "NaN"]
)
def test_a_limit_that_is_no_positive_number_is_refused(town: Town, limit: str) -> None:
    refused = ask(town, limit=limit)
    assert (refused.status_code, refused.json()["parameter"]) == (400, "limit")
