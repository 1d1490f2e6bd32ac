"""A request for one item: which one, and in which CRS it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from twin_api.query.crs import Crs
from twin_api.query.look import Look, look_of
from twin_api.query.window import asked_crs
from twin_api.store.collection import Collection


@dataclass(frozen=True, slots=True)
class One:
    """One item of a collection, ready to be read; `uri` is the parameter `crs` as it was given."""

    collection: Collection
    id: UUID
    uri: str | None
    crs: Crs
    look: Look

    def rebind(self, collection: Collection) -> One:
        return one(collection, self.id, self.uri)


def one(collection: Collection, id: UUID, uri: str | None) -> One:
    """Raises `InvalidParameter` for a CRS in which the collection is not offered."""
    crs = asked_crs(collection, uri)
    return One(collection, id, uri, crs, look_of(collection.description, crs))
