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

import orjson

from twin_api.problems import InvalidParameter
from twin_api.query.ask import Asked, once, read_names, unknown
from twin_api.query.box import box_crs, read_box, read_box_crs
from twin_api.query.clause import Clause, During, Equals, Params
from twin_api.query.cql2 import parse as cql2
from twin_api.query.cql2.compile import read_filter
from twin_api.query.crs import CRS84, Crs, default_crs, offered_crs, read_crs
from twin_api.query.look import FINISHED, Look, look_of
from twin_api.query.order import Order, read_order
from twin_api.query.value import read_instant, read_value
from twin_api.store.collection import Collection, Property
from twin_api.store.twin import Key
from twin_api.texts import Text

DEFAULT_LIMIT: Final = 10
MAX_LIMIT: Final = 10_000
PARAMETERS: Final = (
    "bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs", "crs", "sortby", "properties", "limit", "cursor", "f",
)  # fmt: skip
_MOVING: Final = ("bbox", "cursor")
_REMEMBERED: Final = 128  # frames a twin, each as large as its filter: 50 KB at most
_NOT_NARROWING: Final = ("limit", "f", "crs", "sortby", "properties", "filter-lang", "filter-crs")
_WANTED: Final = {
    "limit": Text(f"`limit` verlangt eine ganze Zahl von 1 bis {MAX_LIMIT}", f"`limit` wants a whole number from 1 to {MAX_LIMIT}"),
    "cursor": Text(
        "`cursor` verlangt das Wort aus einem Verweis `next`, unverändert", "`cursor` wants the word from a `next` link, unchanged"
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
    crs: Crs
    look: Look = FINISHED
    order: Order = Order()  # noqa: RUF009  # frozen
    properties: frozenset[str] | None = None  # by name; None: all there are


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stays of a request while a map is moved or a walk goes on; as in `Window`."""

    shape: tuple[Clause, ...]
    params: Params
    limit: int
    crs: Crs
    look: Look
    order: Order
    properties: frozenset[str] | None


def bind(collection: Collection, asked: Asked) -> Window:
    """Read the parameters for a collection; raises `InvalidParameter` for the first one that is not right. Touches no database."""
    given = once(asked)
    frame = _frame(collection, tuple([one for one in asked if one[0] not in _MOVING]))
    after, resumed = _cursor(given["cursor"], frame.order) if "cursor" in given else (None, {})
    shape, params = frame.shape, {**frame.params, **resumed}
    if "bbox" in given:
        boxes, corners = read_box(collection, given["bbox"], given.get("bbox-crs"))
        shape, params = (*boxes, *shape), params | corners
    return Window(asked, shape, params, frame.limit, after, frame.crs, frame.look, frame.order, frame.properties)


def _frame(collection: Collection, asked: tuple[tuple[str, str], ...]) -> _Frame:
    """Read once for box after box and page after page: reading a filter costs more than all else that is done for a page.

    INVARIANT: each twin remembers by itself, so nobody feels by the time what was asked of another.
    """
    key = (collection.name, collection.version, asked)
    frame: _Frame | None = collection.memo.get(key)
    if frame is None:
        frame = _read_frame(collection, dict(asked))
        if len(collection.memo) >= _REMEMBERED:
            collection.memo.clear()
        collection.memo[key] = frame
    return frame


def _read_frame(collection: Collection, given: Mapping[str, str]) -> _Frame:
    _check_filter_words(collection, given)
    shape: dict[str, Sequence[Clause]] = {}
    params: Params = {}
    for name, text in given.items():
        if name not in _NOT_NARROWING:
            shape[name], values = _clauses(collection, given, name, text)
            params |= values
    clauses = tuple(clause for name in sorted(shape) for clause in shape[name])  # in whatever order they are asked, it is one text
    crs = asked_crs(collection, given.get("crs"))
    order, shown = read_order(collection, given.get("sortby")), _properties(collection, given.get("properties"))
    names = None if shown is None else frozenset(p.name for p in shown)
    return _Frame(clauses, params, _limit(given.get("limit")), crs, look_of(collection.description, crs, shown), order, names)


def asked_crs(collection: Collection, uri: str | None) -> Crs:
    """The CRS to answer in, the collection's default where none is asked for; raises `InvalidParameter`."""
    told = collection.description
    return default_crs(told) if uri is None else read_crs("crs", uri, offered_crs(told))


def cursor(key: Key) -> str:
    """A page's end as an opaque word for the next link; made of what the last feature shows and nothing else."""
    sorted_by = b"|" + orjson.dumps(key.values) if key.values else b""
    return base64.urlsafe_b64encode(key.id.bytes + key.place.encode() + sorted_by).decode().rstrip("=")


def _clauses(collection: Collection, given: Mapping[str, str], name: str, text: str) -> tuple[Sequence[Clause], Params]:
    """No clause where the collection has nothing that the parameter could narrow: then everything matches."""
    if name == "bbox-crs":
        read_box_crs(collection, text)
        return (), {}
    if name == "filter":
        return _filter(collection, given)
    if name == "datetime":
        return _datetime(collection, text)
    shown = collection.property(name)
    if shown is None:
        raise unknown(name, [*PARAMETERS, *(p.name for p in collection.description.properties)])
    return (Equals(name, shown.type),), {f"is_{name}": _value(shown, text)}


def _value(shown: Property, text: str) -> Any:
    """A value of the property; of a list, one that it shows (/req/queryables-query-parameters/parameters)."""
    if shown.enum and text not in shown.enum:
        every = ", ".join(f"`{value}`" for value in shown.enum)
        raise InvalidParameter(shown.name, Text(f"`{shown.name}` verlangt eines von {every}", f"`{shown.name}` wants one of {every}"))
    return read_value(shown.name, shown.type, text)


def _filter(collection: Collection, given: Mapping[str, str]) -> tuple[Sequence[Clause], Params]:
    clause, params = read_filter(collection, given["filter"], given.get("filter-lang", cql2.TEXT), _filter_crs(collection, given))
    return (clause,), params


def _filter_crs(collection: Collection, given: Mapping[str, str]) -> Crs:
    return read_crs("filter-crs", given["filter-crs"], box_crs(collection)) if "filter-crs" in given else CRS84


def _check_filter_words(collection: Collection, given: Mapping[str, str]) -> None:
    """What says how a filter is read is right even where there is none to read."""
    _filter_crs(collection, given)
    if given.get("filter-lang", cql2.TEXT) not in cql2.LANGUAGES:
        raise InvalidParameter("filter-lang", _WANTED["filter-lang"])


def _properties(collection: Collection, text: str | None) -> tuple[Property, ...] | None:
    """Those asked for, in the collection's own order."""
    if text is None:
        return None
    named = read_names("properties", [name.strip() for name in text.split(",")], collection)
    return tuple(p for p in collection.description.properties if p in named)


def _limit(text: str | None) -> int:
    """More than the maximum is the maximum, as the standard wants it (OGC 17-069r4, /req/core/fc-limit-response-1)."""
    if text is None:
        return DEFAULT_LIMIT
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise InvalidParameter("limit", _WANTED["limit"])
    return min(int(text), MAX_LIMIT)


def _cursor(text: str, order: Order) -> tuple[Key, Params]:
    """Where to go on, and the values to go on from."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        place, mark, told = raw[16:].partition(b"|")
        key = Key(_place(place), UUID(bytes=raw[:16]), _values(told) if mark else ())
        return key, order.params(key)
    except (ValueError, binascii.Error):
        raise InvalidParameter("cursor", _WANTED["cursor"]) from None


def _values(told: bytes) -> tuple[str | None, ...]:
    values = orjson.loads(told)
    if not isinstance(values, list) or not values or not all(value is None or isinstance(value, str) for value in values):
        raise ValueError
    return tuple(values)


def _place(raw: bytes) -> str:
    place = raw.decode("ascii")
    if len(place) > 20 or not (place.isalnum() or not place):
        raise ValueError
    return place


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
