"""A header taken apart: the title that people read, and the unit of the numbers below it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from twin_api.imports.naming import UNIT_AT_END, attribute_name, bracketed
from twin_api.policy.yaml_file import is_hidden

LONGEST_TITLE: Final = 200
_SPELLINGS: Final = {
    "m": ("meter", "metre"), "cm": ("zentimeter",), "mm": ("millimeter",), "dm": (), "km": ("kilometer",),
    "m²": ("m2", "m^2", "qm", "quadratmeter"), "km²": ("km2", "qkm"), "cm²": ("cm2",), "ha": ("hektar",), "a": ("ar",),
    "m³": ("m3", "m^3", "cbm", "kubikmeter"), "l": ("liter",), "%": ("prozent", "percent"), "‰": ("promille",),
    "°": ("grad", "deg", "degree", "degrees"), "°C": ("grad c", "celsius", "degc"), "K": ("kelvin",), "gon": (),
    "W": ("watt",), "kW": (), "MW": (), "kWp": (), "kWh": (), "MWh": (), "kWh/a": (), "kWh/m²": ("kwh/m2",), "kWh/(m²a)": ("kwh/m2a",),
    "V": ("volt",), "kV": (), "A": ("ampere",), "l/s": (), "m³/h": ("m3/h",), "m³/s": ("m3/s",), "m/s": (), "km/h": (), "mm/h": (),
    "l/(s ha)": ("l/s/ha",), "bar": (), "hPa": (), "Pa": (), "g": (), "kg": (), "t": (), "µg/m³": ("ug/m3", "µg/m3"), "mg/l": (),
    "€": ("eur", "euro"), "€/m²": ("eur/m2", "€/m2", "eur/qm"), "s": ("sek",), "min": (), "h": ("std", "stunden"), "d": ("tage",),
    "dB": (), "dB(A)": (), "dBA": (), "lx": ("lux",), "lm": ("lumen",), "Hz": (), "Ew./km²": ("ew/km2", "ew/km²"),
}  # fmt: skip
UNITS: Final = {spelling.lower(): unit for unit, others in _SPELLINGS.items() for spelling in (unit, *others)}
IN_UNIT: Final = re.compile(r"\s+in\s+(\S{1,12})\s*$", re.IGNORECASE)
ENDINGS: Final = {"_m2": "m²", "_qm": "m²", "_m3": "m³", "_ha": "ha", "_km": "km", "_km2": "km²", "_cm": "cm", "_mm": "mm", "_kw": "kW",
                  "_kwh": "kWh", "_kwp": "kWp", "_prozent": "%", "_m": "m"}  # fmt: skip
LENGTHS: Final = re.compile(r"hoehe|laenge|breite|tiefe|durchmesser|umfang|radius|abstand|dicke|height|length|width|depth|diameter")


@dataclass(frozen=True, slots=True)
class Heading:
    """`unit` is what the header says of it, whether or not the column holds numbers; `whole` is the title with the unit in it."""

    title: str
    unit: str | None
    whole: str


def read_heading(header: str) -> Heading:
    """`Höhe [m]` is `Höhe` in `m`; brackets that hold no unit stay in the title."""
    whole = visible(header) or "Spalte"
    for pattern, said in ((UNIT_AT_END, bracketed(whole)), (IN_UNIT, _after_in(whole))):
        unit = UNITS.get(" ".join(said.lower().replace("º", "°").split()))
        title = pattern.sub("", whole).strip()
        if unit is not None and title:
            return Heading(title, unit, whole)
    return Heading(whole, _ending(attribute_name(re.sub(r"(?<=[a-zäöüß])([CKM]?M)$", r"_\1", whole))), whole)


def visible(text: str) -> str:
    """One line without what nobody would see; a policy would refuse it."""
    spaced = re.sub(r"\s+", " ", text)
    return "".join(letter for letter in spaced if not is_hidden(letter)).strip()[:LONGEST_TITLE]


def _after_in(header: str) -> str:
    found = IN_UNIT.search(header)
    return found[1] if found else ""


def _ending(name: str) -> str | None:
    """The unit that a name such as `flaeche_m2` ends in; `_m` may also mean men, and so needs a length before it."""
    ending = next((ending for ending in ENDINGS if name.endswith(ending)), None)
    return ENDINGS[ending] if ending and (ending != "_m" or LENGTHS.search(name)) else None
