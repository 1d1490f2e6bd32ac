"""The part of a collection that a request asks for: parameters become clauses, checked against what the collection shows.

INVARIANT: names are looked up among the collection's own properties; a hidden one is as unknown as one that never was.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from uuid import UUID

from twin_api.problems import InvalidParameter
from twin_api.query.ask import Asked, once, unknown
from twin_api.query.clause import Clause, During, Equals, Params, box_params
from twin_api.query.cql2 import parse as cql2
from twin_api.query.cql2.compile import read_filter
from twin_api.query.crs import CRS84, Crs, offered_crs, read_crs
from twin_api.query.value import read_instant, read_number, read_value
from twin_api.store.collection import Collection
from twin_api.store.twin import Key
from twin_api.texts import Text

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 10_000
PARAMETERS: Final = ("bbox", "datetime", "filter", "filter-lang", "filter-crs", "limit", "cursor", "f")
_ELSEWHERE: Final = ("limit", "cursor", "f", "filter-lang", "filter-crs")  # they narrow nothing by themselves
_WANTED: Final = {
    "limit": Text(f"`limit` verlangt eine ganze Zahl von 1 bis {MAX_LIMIT}", f"`limit` wants a whole number from 1 to {MAX_LIMIT}"),
    "cursor": Text(
        "`cursor` verlangt das Wort aus einem Verweis `next`, unverändert", "`cursor` wants the word from a `next` link, unchanged"
    ),
    "bbox": Text(
        "`bbox` verlangt West,Süd,Ost,Nord in Grad (CRS84), etwa `11.4,49.9,11.6,50.1`",
        "`bbox` wants west,south,east,north in degrees (CRS84), such as `11.4,49.9,11.6,50.1`",
    ),
    "filter-lang": Text("`filter-lang` verlangt `cql2-text` oder `cql2-json`", "`filter-lang` wants `cql2-text` or `cql2-json`"),
    "datetime": Text(
        "`datetime` verlangt einen Tag, eine Zeit mit Zone oder einen Zeitraum wie `2025-01-01/..`",
        "`datetime` wants a date, a time with offset, or an interval such as `2025-01-01/..`",
    ),
}


@dataclass(frozen=True, slots=True)
class Window:
    """`shape` has no values, `params` has them all; `asked` is what the client wrote, for links and for checking again."""

    asked: Asked
    shape: tuple[Clause, ...]
    params: Params
    limit: int
    after: Key | None


def bind(collection: Collection, asked: Asked) -> Window:
    """Read the parameters for a collection; raises `InvalidParameter` for the first one that is not right. Touches no database."""
    given = once(asked)
    _check_filter_words(collection, given)
    shape: list[Clause] = []
    params: Params = {}
    for name, text in given.items():
        if name in _ELSEWHERE:
            continue
        clauses, values = _filter(collection, given) if name == "filter" else _clauses(collection, name, text)
        shape += clauses
        params |= values
    shape.sort(key=repr)  # whatever the order they are asked in, it is one text
    return Window(asked, tuple(shape), params, _limit(given.get("limit")), _cursor(given.get("cursor")))


def cursor(key: Key) -> str:
    """A page's end as an opaque word for the next link; made of what the last feature shows and nothing else."""
    return base64.urlsafe_b64encode(key.id.bytes + key.place.encode()).decode().rstrip("=")


def _clauses(collection: Collection, name: str, text: str) -> tuple[Sequence[Clause], Params]:
    """No clause where the collection has nothing that the parameter could narrow: then everything matches."""
    if name == "bbox":
        clause, params = _bbox(text)
        return ((clause,), params) if collection.description.geometry_type else ((), {})
    if name == "datetime":
        return _datetime(collection, text)
    shown = collection.property(name)
    if shown is None:
        raise unknown(name, [*PARAMETERS, *(p.name for p in collection.description.properties)])
    return (Equals(name, shown.type),), {f"is_{name}": read_value(name, shown.type, text)}


def _filter(collection: Collection, given: Mapping[str, str]) -> tuple[Sequence[Clause], Params]:
    clause, params = read_filter(collection, given["filter"], given.get("filter-lang", cql2.TEXT), _filter_crs(collection, given))
    return (clause,), params


def _filter_crs(collection: Collection, given: Mapping[str, str]) -> Crs:
    return read_crs("filter-crs", given["filter-crs"], offered_crs(collection.description)) if "filter-crs" in given else CRS84


def _check_filter_words(collection: Collection, given: Mapping[str, str]) -> None:
    """What says how a filter is read is right even where there is none to read."""
    _filter_crs(collection, given)
    if given.get("filter-lang", cql2.TEXT) not in cql2.LANGUAGES:
        raise InvalidParameter("filter-lang", _WANTED["filter-lang"])


def _limit(text: str | None) -> int:
    """More than the maximum is the maximum, as the standard wants it (OGC 17-069r4, /req/core/fc-limit-response-1)."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise InvalidParameter("limit", _WANTED["limit"])
    return min(int(text), MAX_LIMIT)


def _cursor(text: str | None) -> Key | None:
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return Key(_place(raw[16:]), UUID(bytes=raw[:16]))
    except (ValueError, binascii.Error):
        raise InvalidParameter("cursor", _WANTED["cursor"]) from None


def _place(raw: bytes) -> str:
    place = raw.decode("ascii")
    if len(place) > 20 or not (place.isalnum() or not place):
        raise ValueError
    return place


def _bbox(text: str) -> tuple[Clause, Params]:
    """Four numbers or six (heights are accepted and do not narrow), degrees in CRS84."""
    try:
        numbers = [read_number(part) for part in text[:512].split(",")]
        west, south, east, north = numbers if len(numbers) == 4 else (numbers[0], numbers[1], numbers[3], numbers[4])
        if len(numbers) not in (4, 6) or south > north or max(abs(south), abs(north)) > 90 or max(abs(west), abs(east)) > 180:
            raise ValueError
    except (ValueError, IndexError):
        raise InvalidParameter("bbox", _WANTED["bbox"]) from None
    return box_params(west, south, east, north)


def _datetime(collection: Collection, text: str) -> tuple[Sequence[Clause], Params]:
    try:
        starts, ends = _interval(text)
    except ValueError:
        raise InvalidParameter("datetime", _WANTED["datetime"]) from None
    shown = collection.property(collection.description.datetime or "")
    if shown is None:
        return (), {}
    name, type_ = shown.name, shown.type
    params = {"time_from": _bound(starts, type_, time.min), "time_to": _bound(ends, type_, time.max)}
    clause = During(name, type_, starts is not None, ends is not None)
    return (clause,), {key: value for key, value in params.items() if value is not None}


def _interval(text: str) -> tuple[date | None, date | None]:
    """Both ends of an instant or a closed interval; an open end is None. Raises ValueError."""
    parts = text.split("/")
    ends = [None if len(parts) == 2 and part in ("", "..") else read_instant(part) for part in parts]
    if len(ends) > 2 or ends == [None, None]:
        raise ValueError
    starts, stops = ends[0], ends[-1]
    if starts is not None and stops is not None and _bound(starts, "datetime", time.min) > _bound(stops, "datetime", time.max):
        raise ValueError
    return starts, stops


def _bound(end: date | None, type_: str, at: time) -> Any:
    """An end of the interval as a value of the property's type: a day is all its moments, a moment lies on its UTC day."""
    if end is None:
        return None
    if type_ == "date":
        return end.date() if isinstance(end, datetime) else end
    return end if isinstance(end, datetime) else datetime.combine(end, at, UTC)
