"""Units of measurement that towns' tables use, and the exact factor between two of one kind."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

_KINDS: Final = (  # in each, of one and the same unit
    {"mm": "1/1000", "cm": "1/100", "dm": "1/10", "m": "1", "km": "1000"},
    {"mm²": "1/1000000", "cm²": "1/10000", "m²": "1", "a": "100", "ha": "10000", "km²": "1000000"},
    {"l": "1/1000", "hl": "1/10", "m³": "1"},
    {"l/s": "1", "l/min": "1/60", "m³/s": "1000", "m³/h": "10/36"},
    {"g": "1/1000", "kg": "1", "t": "1000"},
    {"W": "1/1000", "kW": "1", "MW": "1000"},
    {"Wh": "1/1000", "kWh": "1", "MWh": "1000"},
    {"s": "1", "min": "60", "h": "3600", "d": "86400"},
    {"Pa": "1", "hPa": "100", "mbar": "100", "kPa": "1000", "bar": "100000"},
    {"m/s": "1", "km/h": "10/36"},
    {"‰": "1/10", "%": "1"},
)
_SPELLINGS: Final = str.maketrans({"2": "²", "3": "³"})
KNOWN: Final = tuple(unit for kind in _KINDS for unit in kind)


def factor(from_unit: str, to_unit: str) -> Fraction | None:
    """What a number in the one unit is multiplied by to be in the other; `None` if they do not measure the same. `m2` is `m²`."""
    if from_unit == to_unit:
        return Fraction(1)
    source, target = from_unit.translate(_SPELLINGS), to_unit.translate(_SPELLINGS)
    for kind in _KINDS:
        if source in kind and target in kind:
            return Fraction(kind[source]) / Fraction(kind[target])
    return None
