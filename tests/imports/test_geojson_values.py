"""GeoJSON, as one object or a feature per line: what its reader would turn into another value is refused, or arrives as written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.imports.things import Database, asked, attribute
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

Bring = Callable[..., list[Any]]
FORMS = [("geojson", 2), ("geojsonl", 2), ("geojsonl", 1)]


@pytest.fixture(params=FORMS, ids=str)
def bring(request: pytest.FixtureRequest, database: Database, new_layer: Callable[..., Layer], tmp_path: Path) -> Bring:
    """These values, one a feature, as the store has them then."""
    ending, least = request.param

    def import_(type_: Any, *values: Any) -> list[Any]:
        layer, file = new_layer(attribute("nr", key=True), attribute("wert", type_)), tmp_path / f"thing.{ending}"
        database.create(layer)
        place = {"type": "Point", "coordinates": [11.5, 50.0]}
        members = [
            {"type": "Feature", "properties": {"nr": str(nr), "wert": wert}, "geometry": place}
            for nr, wert in enumerate([*values, *[values[0]] * (least - len(values))])
        ]
        whole = ending == "geojson"
        file.write_text(json.dumps({"type": "FeatureCollection", "features": members}) if whole else "\n".join(map(json.dumps, members)))
        run_import(asked(file), layer, database.connect)
        return [row[0] for row in database.rows("SELECT wert::text FROM store.thing ORDER BY nr")][: len(values)]

    return import_


@pytest.mark.parametrize("day", ["2026-02-30", "2026/02/28"])
def test_a_day_that_there_is_not_is_not_turned_into_another(bring: Bring, day: str) -> None:
    with pytest.raises(FileRefused, match=f"`{day}` → a day of the form"):
        bring("date", day)


def test_a_moment_keeps_its_microseconds(bring: Bring) -> None:
    assert bring("datetime", "2026-01-01T00:00:00.123456+05:37") == ["2025-12-31 18:23:00.123456+00"]


def test_a_text_that_looks_like_a_day_stays_a_text(bring: Bring) -> None:
    assert bring("text", "2026-02-30") == ["2026-02-30"]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1])
def test_a_whole_number_is_exact_or_refused(bring: Bring, number: int) -> None:
    try:
        assert bring("integer", number, 2**63 - 2) == [str(number), str(2**63 - 2)]
    except FileRefused as refused:
        assert "whole number" in str(refused)  # noqa: PT017 - either will do
