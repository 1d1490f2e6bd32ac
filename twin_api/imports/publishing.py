"""What an import does around the change of rows: publish it, at once and in the same transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg

from twin_api.policy.documents import Layer
from twin_api.publish.bulk import FROM_ROWS, published_setwise
from twin_api.publish.bulk_beside import Beside, beside


@contextmanager
def publishing(connection: psycopg.Connection, layer: Layer, rows: int, place: Beside | None = None) -> Iterator[None]:
    """Around the change of some rows of a layer: many are published set-wise, those that lie in `place` from there."""
    with published_setwise(connection, layer.name, rows, place):
        yield


@contextmanager
def placing(connect: Callable[[], psycopg.Connection], layer: Layer, rows: int) -> Iterator[Beside | None]:
    """A place for so many rows to come, if publishing them from there pays."""
    if rows < FROM_ROWS:
        yield None
        return
    with beside(connect, layer.name) as place:
        yield place
