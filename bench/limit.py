"""The limit: the same answers built on request, by an application that does nothing else.

A bare ASGI callable and prepared statements of asyncpg that return the finished body. No routing, no checks, no links, no
`numberMatched`, no validator. Whoever builds GeoJSON when it is asked for can hardly be faster.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg

FEATURE = """concat('{"type":"Feature","id":"', id, '","geometry":', ST_AsGeoJSON(geom, 7, 0),
 ',"properties":{"name":', coalesce(to_json(name)::text, 'null'), ',"art":', coalesce(to_json(art)::text, 'null'),
 ',"nutzung":', coalesce(to_json(nutzung)::text, 'null'), ',"baujahr":', coalesce(baujahr::text, 'null'),
 ',"hoehe_m":', coalesce(to_json(hoehe_m)::text, 'null'), '}}')"""
COLLECTION = """SELECT concat('{"type":"FeatureCollection","features":[', string_agg(feature, ','), ']}') FROM"""

ITEM = f"SELECT {FEATURE} FROM gebaeude WHERE id = $1"
FIRST = f"{COLLECTION} (SELECT {FEATURE} feature FROM gebaeude ORDER BY id LIMIT $1) page"
BOX = "ST_MakeEnvelope($2, $3, $4, $5, 4326)"
# the index finds and the ids are sorted first, the exact test is done for the page alone: the fastest of the ways tried
BOXED = f"""{COLLECTION} (
 WITH hits AS MATERIALIZED (SELECT * FROM gebaeude WHERE geom && {BOX} ORDER BY id)
 SELECT {FEATURE} feature FROM hits WHERE ST_Intersects(geom, {BOX}) ORDER BY id LIMIT $1) page"""
FILTERED = f"""{COLLECTION} (
 WITH hits AS MATERIALIZED (SELECT * FROM gebaeude WHERE geom && {BOX}
  AND hoehe_m > 8 AND baujahr BETWEEN 1900 AND 1980 AND art <> 'garage' ORDER BY id)
 SELECT {FEATURE} feature FROM hits WHERE ST_Intersects(geom, {BOX}) ORDER BY id LIMIT $1) page"""
NEXT = f"{COLLECTION} (SELECT {FEATURE} feature FROM gebaeude WHERE id > $2 ORDER BY id LIMIT $1) page"
HEAD = [(b"content-type", b"application/geo+json")]


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """Nothing to tidy up between two reads, so nothing is sent to do it."""

    def get_reset_query(self) -> str:
        return ""


class Limit:
    def __init__(self) -> None:
        self._pool: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        statement, values = _read(scope)
        async with self._pool.acquire() as connection:
            text = await connection.fetchval(statement, *values)
        body = text.encode()
        await send({"type": "http.response.start", "status": 200, "headers": [*HEAD, (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        size = int(os.environ["BENCH_POOL"])
        self._pool = await asyncpg.create_pool(os.environ["BENCH_URL"], min_size=size, max_size=size, connection_class=_Connection)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def _read(scope: Any) -> tuple[str, tuple[Any, ...]]:
    """`/items/<id>` and `/items?limit=…`, with `bbox`, with `bbox` and the one filter, or `after` an id."""
    if not scope["query_string"]:
        return ITEM, (UUID(scope["path"][7:]),)
    asked = dict(parse_qsl(scope["query_string"].decode()))
    limit = int(asked["limit"])
    if "bbox" in asked:
        return FILTERED if "filter" in asked else BOXED, (limit, *map(float, asked["bbox"].split(",")))
    return (NEXT, (limit, UUID(asked["after"]))) if "after" in asked else (FIRST, (limit,))


app = Limit()
