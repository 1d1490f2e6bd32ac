"""`replace` deletes what a delivery does not have; half a delivery, an empty one, or one with mistakes deletes nothing by chance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.imports.things import Database, asked, attribute
from twin_api.imports.finding import FileRefused
from twin_api.imports.run import run_import
from twin_api.policy.documents import Layer

COUNT = "SELECT count(*) FROM store.thing"
THIRTY = [*range(30)]
Deliver = Callable[..., tuple[int, int]]


@pytest.fixture
def deliver(database: Database, new_layer: Callable[..., Layer], tmp_path: Path) -> Deliver:
    """Import rows of these numbers with `replace`; says how many were deleted, and rejected."""
    layer = new_layer(attribute("nr", "integer", key=True), type_=None)
    database.create(layer)

    def import_(numbers: list[int], wrong: str = "", **more: bool | Path) -> tuple[int, int]:
        file = tmp_path / "rows.csv"
        file.write_text("".join(f"{line}\n" for line in ["nr", *numbers, *([wrong] if wrong else [])]))
        outcome = run_import(asked(file, replace=True, **more), layer, database.connect)
        return outcome.deleted, outcome.rejected

    return import_


@pytest.mark.parametrize("left", [0, 14])
def test_a_delivery_of_less_than_half_is_refused_unless_that_is_said(database: Database, deliver: Deliver, left: int) -> None:
    deliver(THIRTY)
    with pytest.raises(FileRefused, match=f"{left} features come in place of 30: most would be deleted"):
        deliver(THIRTY[:left])
    assert database.value(COUNT) == 30
    assert deliver(THIRTY[:left], may_shrink=True) == (30 - left, 0)


def test_half_of_a_layer_goes_without_asking_and_most_of_a_small_one(database: Database, deliver: Deliver) -> None:
    deliver(THIRTY)
    assert [deliver(THIRTY[:left]) for left in (15, 8, 1)] == [(15, 0), (7, 0), (7, 0)]


def test_the_last_row_does_not_go_with_an_empty_file(database: Database, deliver: Deliver) -> None:
    deliver([1])
    with pytest.raises(FileRefused, match="0 features come in place of 1"):
        deliver([])


def test_nothing_is_deleted_while_a_row_of_the_file_is_rejected(database: Database, deliver: Deliver, tmp_path: Path) -> None:
    deliver([1, 2, 3])
    assert deliver([1], wrong="2o", rejects=tmp_path / "rejects.csv") == (0, 1)
    assert database.value(COUNT) == 3
