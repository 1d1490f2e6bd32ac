"""The rows of the town of Kanaria. Every hidden cell holds a canary: a text, a number or a place that stands nowhere else (no number is one that an OID could be)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

# around 11.39 E, 49.63 N in EPSG:25832
EAST: Final = 672000.0
NORTH: Final = 5500000.0


def _point(dx: float, dy: float, z: float | None = None) -> str:
    height = "" if z is None else f" {z}"
    return f"SRID=25832;POINT{' Z' if z is not None else ''}({EAST + dx} {NORTH + dy}{height})"


def _square(dx: float, dy: float, size: float) -> str:
    x, y = EAST + dx, NORTH + dy
    ring = f"{x} {y}, {x + size} {y}, {x + size} {y + size}, {x} {y + size}, {x} {y}"
    return f"SRID=25832;MULTIPOLYGON((({ring})))"


def _tree(number: int, status: str, dx: float, dy: float, **more: Any) -> dict[str, Any]:
    """A tree; where its status hides it from citizens, all its cells are canaries."""
    shown = status == "steht"
    return {
        "baum_nr": f"CANARY-baum-{number}",
        "art": ["Linde", "Ahorn", "Eiche"][number % 3] if shown else f"CANARY-art-{number}",
        "gepflanzt": date(1950 + number, 3, 1) if shown else date(1850 + number, 7, 13),
        "hoehe_m": 10.25 + number if shown else 7700.125 + number,
        "anzahl": 1 + number % 2 if shown else 7_351_000_000 + number,
        "geschuetzt": number % 2 == 0,
        "geprueft": f"2026-0{1 + number % 9}-17T11:22:33Z",
        "status": status,
        "vermerk": f"CANARY-vermerk-{number}",
        "pate": f"CANARY-pate-{number}",
        "geometry": _point(dx, dy),
        **more,
    }


_STANDING: Final = [_tree(n, "steht", 37.0 * (n % 8), 53.0 * (n // 8)) for n in range(40)]
# between the visible ones, and far outside their extent
_HIDDEN: Final = [
    *(_tree(40 + n, "gefaellt", 37.0 * (n % 8) + 18.3137, 53.0 * (n // 8) + 26.7193) for n in range(16)),
    _tree(60, "geplant", 50_000.4242, 50_000.4242),
    _tree(61, "geplant", -50_000.4242, -50_000.4242),
]
_NAMED: Final = _tree(70, "steht", 5.0, 7.0, art='Späth\'s "Erle" \\ %s :x 0x41 ß☃', gepflanzt=None, hoehe_m=-0.5, anzahl=None)

_CONDITIONS: Final = ("gut", "mittel", "schlecht")


def _manhole(number: int) -> dict[str, Any]:
    return {
        "schacht_nr": f"CANARY-schacht-{number}",
        "baujahr": 1953 + number,
        "sohle_m": 412.000917 + number,
        "zustand": _CONDITIONS[number % 3],
        "bemerkung": f"CANARY-bemerkung-{number}",
        "geometry": _point(13.137 + 41.0 * number, 17.913 + 29.0 * number, 415.000733 + number),
    }


def _application(number: int) -> dict[str, Any]:
    return {
        "aktenzeichen": f"CANARY-akte-{number}",
        "antragsteller": f"CANARY-antragsteller-{number}",
        "geometry": _square(3.1711 + 61.0 * number, 400.1911, 20.0),
    }


ROWS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "baeume": [*_STANDING, *_HIDDEN, _NAMED],
    "kanalschaechte": [_manhole(n) for n in range(24)],
    "bauantraege": [_application(n) for n in range(8)],
}
