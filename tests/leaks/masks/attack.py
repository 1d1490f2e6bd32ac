"""Proof 7: attacks on masks over HTTP. Whoever asks anything at all learns the cell or the band that is declared, and never less than it.

A mask holds where no answer tells two true values of one cell apart: so each hidden row is given many true values, and all answers must
stay the same, byte for byte, also those to questions that only somebody could ask who knew where to look. That is more than bisection,
distances by shapes, order, averaging or the digits of a projection could ever use. The mask is as fine as declared, and the attack sees
at all, where a value of the next cell changes an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from pyproj import Transformer

from tests.towns import Town

Answer = tuple[int, str, bytes]
_TO_DEGREES: Final = Transformer.from_crs(25832, 4326, always_xy=True)
FINEST: Final = 1e-7  # of a degree: a coordinate has no more digits


@dataclass(frozen=True)
class Target:
    """One hidden row as the attacker knows it. `within` are true cells that show the same, the first of them first; `beyond` show another."""

    role: str
    collection: str
    layer: str
    key: tuple[str, str]
    within: Sequence[Mapping[str, Any]]
    beyond: Sequence[Mapping[str, Any]] = ()

    def set(self, town: Town, cells: Mapping[str, Any]) -> None:
        told = ", ".join(f"{name} = %s{'::postgis.geometry' if name == 'geometry' else ''}" for name in cells)
        town.write(f"UPDATE store.{self.layer} SET {told} WHERE {self.key[0]} = %s", *cells.values(), self.key[1])


def point(x: float, y: float, z: float | None = None) -> str:
    return f"SRID=25832;POINT{' Z' if z is not None else ''}({x!r} {y!r}{'' if z is None else f' {z!r}'})"


class Attacker:
    """Asks everything that narrows a collection, with the candidates' own values and places."""

    def __init__(self, town: Town, target: Target) -> None:
        self._client = town.client_for(target.role)
        self._items = f"collections/{target.collection}/items"
        self._collection = f"collections/{target.collection}"
        self._candidates = [*target.within, *target.beyond]

    def answers(self) -> dict[str, Answer]:
        return {address: self._ask(address) for address in (*self._whole(), *self._queries())} | self._walk()

    def _get(self, address: str) -> httpx.Response:
        """The answer; an attacker who is told to wait, waits."""
        while (answer := self._client.get(address)).status_code == 429:
            time.sleep(float(answer.headers["retry-after"]))
        return answer

    def _ask(self, address: str) -> Answer:
        answer = self._get(address)
        assert answer.status_code in (200, 400), f"{address}: {answer.status_code}: nothing can be learnt of a failure"
        return answer.status_code, answer.headers.get("etag", ""), answer.content

    def _whole(self) -> list[str]:
        return [self._collection, f"{self._items}?limit=1000", f"{self._items}?limit=1000&f=html", "api?f=json"]

    def _queries(self) -> Iterator[str]:
        """Each candidate's value as a filter, its day as an interval, its place as boxes: a speck, and four halves of the world."""
        for cells in self._candidates:
            for name, value in cells.items():
                if name == "geometry":
                    yield from (f"{self._items}?limit=1000&bbox={box}" for box in _boxes(value))
                    yield f"{self._items}?{urlencode({'limit': 1000, 'filter': _circle(value)})}"
                else:
                    yield f"{self._items}?{urlencode({'limit': 1000, name: str(value)})}"
                    yield from (f"{self._items}?limit=1000&datetime={i}" for i in _intervals(str(value)))

    def _walk(self) -> dict[str, Answer]:
        """Item by item: the order and the cursors' words."""
        found, address = {}, f"{self._items}?limit=1"
        while address:
            answer = self._get(address)
            found[address] = self._ask(address)
            address = next((link["href"] for link in answer.json()["links"] if link["rel"] == "next"), "")
        return found

    def bisected_place(self, id: str) -> tuple[float, float]:
        """Where the item lies by boxes alone, west to east and south to north, in degrees."""
        west = _bisect(-180.0, 180.0, lambda x: self._is_in(id, f"{x:.9f},-85,180,85"))
        south = _bisect(-85.0, 85.0, lambda y: self._is_in(id, f"-180,{y:.9f},180,85"))
        return west, south

    def _is_in(self, id: str, box: str) -> bool:
        return id.encode() in self._get(f"{self._items}?limit=1000&bbox={box}").content


def find_finer(town: Town, target: Target) -> list[str]:
    """What tells true values of one cell apart; and cells that nothing tells apart, for then the attack is blind. Changes the row."""
    attacker = Attacker(town, target)
    target.set(town, target.within[0])
    first = attacker.answers()
    found: list[str] = []
    for cells in target.within[1:]:
        target.set(town, cells)
        now = attacker.answers()
        told = [address for address in first if now.get(address) != first[address]]
        found += [f"{address} tells {dict(cells)} from {dict(target.within[0])}" for address in told[:3]]
    for cells in target.beyond:
        target.set(town, cells)
        if attacker.answers() == first:
            found.append(
                f"nothing tells {dict(cells)} from {dict(target.within[0])}: the attack is blind, or the cell larger than declared"
            )
    target.set(town, target.within[0])
    return found


def to_degrees(x: float, y: float) -> tuple[float, float]:
    longitude, latitude = _TO_DEGREES.transform(x, y)
    return longitude, latitude


def _place(geometry: str) -> tuple[float, float]:
    x, y, *_ = (float(number) for number in geometry.partition("(")[2].rstrip(")").split())
    return to_degrees(x, y)


def _circle(geometry: str) -> str:
    """A filter by distance from the place: smaller than what any grid leaves open."""
    longitude, latitude = _place(geometry)
    return f"distance_m(geometry, POINT({longitude:.9f} {latitude:.9f})) < 5"


def _boxes(geometry: str) -> list[str]:
    longitude, latitude = _place(geometry)
    e = 5 * FINEST
    speck = f"{longitude - e:.9f},{latitude - e:.9f},{longitude + e:.9f},{latitude + e:.9f}"
    halves = f"-180,-85,{longitude:.9f},85", f"{longitude:.9f},-85,180,85", f"-180,-85,180,{latitude:.9f}", f"-180,{latitude:.9f},180,85"
    return [speck, *halves]


def _intervals(value: str) -> list[str]:
    """For a value that is a day."""
    return [f"{value}/{value}", f"../{value}", f"{value}/.."] if len(value) == 10 and value[4] == value[7] == "-" else []


def _bisect(low: float, high: float, beyond: Callable[[float], bool]) -> float:
    """The largest number for which `beyond` still holds."""
    while high - low > FINEST / 4:
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) else (low, middle)
    return low


def distinct_answers(client: httpx.Client, address: str, times: int) -> int:
    return len({client.get(address).content for _ in range(times)})
