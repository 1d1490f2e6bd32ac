"""The examples of `docs/filtering.md` are asked."""

from __future__ import annotations

import re
from pathlib import Path

from tests.query.asked import ask, found
from tests.towns import Town

PAGE = (Path(__file__).parents[2] / "docs" / "filtering.md").read_text(encoding="utf-8")


def test_every_example_has_an_answer(town: Town) -> None:
    (texts,) = re.findall(r"```cql2\n(.*?)```", PAGE, re.DOTALL)
    for text in texts.strip().split("\n"):
        answer = ask(town, filter=text)
        assert answer.status_code == 200, answer.text
        assert answer.json()["numberMatched"] > 0, text


def test_text_and_json_of_the_page_say_the_same(town: Town) -> None:
    (tree,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found(town, filter=tree, **{"filter-lang": "cql2-json"}) == found(town, filter="art = 'Linde' AND hoehe_m > 20")


def test_what_the_page_says_of_unknowns_and_decimals_holds(town: Town) -> None:
    assert len(found(town, filter="0.1 + 0.2 = 0.3")) == 41
    assert len(found(town, filter="1 / 0 = 1 OR NOT (1 / 0 = 1)")) == 0
