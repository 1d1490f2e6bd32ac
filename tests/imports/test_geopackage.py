"""A GeoPackage whose columns hold what they do not declare: its reader would cut it down to size in silence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyogrio.raw import write

from tests.imports.things import Database, asked, attribute
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer


def package(path: Path, declared: str, value: Any) -> Path:
    """One point with a column `wert` of this type, and with a value that SQLite does not mind."""
    shapes = np.array([shapely.to_wkb(shapely.Point(678_000, 5_540_000))], dtype=object)
    write(path, shapes, [np.array(["1"], dtype=object)], ["nr"], driver="GPKG", geometry_type="Point", crs="EPSG:25832")
    with closing(sqlite3.connect(path)) as connection, connection:
        triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%ST_%'"
        for (name,) in connection.execute(triggers).fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')  # they call functions that only GDAL has
        connection.execute(f"ALTER TABLE {path.stem} ADD COLUMN wert {declared}")
        connection.execute(f"UPDATE {path.stem} SET wert = ?", [value])
    return path


@pytest.mark.parametrize(
    ("type_", "declared", "value", "expected"),
    [
        ("integer", "MEDIUMINT", 2**31, "`2147483648` → a number that fits into its column is required"),
        ("integer", "SMALLINT", 70_000, "`70000` → a number that fits into its column is required"),
        ("text", "TEXT", "a\0b", "→ text is required"),
        ("date", "DATE", "0000-01-01", "→ a day of the years 1 to 9999 is required"),
        ("text", "VARCHAR(5)", "Linde", "the column `wert` holds lists, times of day, binary data or an unknown type"),
        ("text", "TIME", "08:00", "the column `wert` holds lists, times of day, binary data or an unknown type"),
    ],
)
def test_what_its_reader_would_change_or_pass_over_is_named(
    database: Database, new_layer: Callable[..., Layer], tmp_path: Path, type_: Any, declared: str, value: Any, expected: str
) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("wert", type_))
    database.create(layer)
    with pytest.raises(FileRefused) as refused:
        run_import(asked(package(tmp_path / "a.gpkg", declared, value)), layer, database.connect)
    assert expected in str(refused.value)


@pytest.mark.parametrize(("declared", "value"), [("MEDIUMINT", -(2**31)), ("SMALLINT", 32_767), ("INTEGER", 2**62)])
def test_what_fits_arrives(database: Database, new_layer: Callable[..., Layer], tmp_path: Path, declared: str, value: int) -> None:
    layer = new_layer(attribute("nr", key=True), attribute("wert", "integer"))
    database.create(layer)
    run_import(asked(package(tmp_path / "a.gpkg", declared, value)), layer, database.connect)
    assert database.value("SELECT wert FROM store.thing") == value


def test_a_column_that_cannot_be_read_is_among_those_not_imported(
    database: Database, new_layer: Callable[..., Layer], tmp_path: Path
) -> None:
    layer = new_layer(attribute("nr", key=True))
    database.create(layer)
    assert run_import(asked(package(tmp_path / "a.gpkg", "VARCHAR(5)", "x")), layer, database.connect).ignored_columns == ("wert",)
