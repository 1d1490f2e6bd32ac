"""What an import does around the change of rows: publish it, at once and in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from twin_api.policy.documents import Layer
from twin_api.publish.bulk import published_setwise


@contextmanager
def publishing(connection: psycopg.Connection, layer: Layer, rows: int) -> Iterator[None]:
    """Around the change of some rows of a layer: many are published set-wise."""
    with published_setwise(connection, layer.name, rows):
        yield
