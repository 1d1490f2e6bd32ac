"""Inspections as a building yard would note them, all invented: the same item gets the same ones in every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin_api.layers.musterdorf.chance import between, draw, pick, working_day
from twin_api.layers.musterdorf.sheet import Cell

INSPECTORS: Final = ("M. Beispiel", "A. Muster", "K. Probe", "S. Vorlage", "T. Exempel")
BUILDING_DEFECTS: Final = {
    "mittel": (
        "Dachrinne an der Nordseite undicht, Wasser läuft an der Fassade ab.",
        "Putz im Sockelbereich auf etwa 3 m² hohl liegend.",
        "Fensteranstrich verwittert, Kittfalze brüchig.",
        "Einzelne Dachziegel verschoben, bei Sturm Absturzgefahr.",
        "Feuchte Kellerwand, Salzausblühungen bis 60 cm Höhe.",
    ),
    "schlecht": (
        "Setzungsriss über zwei Geschosse, Gipsmarke gerissen; Statiker beauftragen.",
        "Dachstuhl mit Hausbockbefall, Tragfähigkeit eingeschränkt.",
        "Balkonbrüstung locker, Zugang gesperrt.",
        "Kamin über Dach bröckelt, Gehweg darunter abgesperrt.",
        "Nasser Keller nach Starkregen, Rückstauklappe ohne Funktion.",
    ),
}
ROAD_REMARKS: Final = {
    "mittel": ("Einzelne Netzrisse in der Rollspur.", "Randabsenkung am Bankett.", "Flickstellen, Entwässerung in Ordnung."),
    "schlecht": ("Schlaglöcher bis 6 cm Tiefe.", "Tragfähigkeit erschöpft, Vollausbau vorgesehen.", "Spurrinnen, Wasser bleibt stehen."),
}
MANHOLE_REMARKS: Final = {
    "gut": (None, None, None, "Deckel 2024 getauscht."),
    "mittel": ("Steigeisen angerostet.", "Fugen im Schachtring ausgewaschen.", "Deckel klappert, Einlage erneuern."),
    "schlecht": ("Schachtring gebrochen, Fremdwasser.", "Wurzeleinwuchs am Zulauf.", "Berme abgebrochen, Ablagerungen 15 cm."),
}


def condition(key: str, good: float = 0.62, fair: float = 0.28) -> str:
    """`gut`, `mittel` or `schlecht`; the shares are those of the first two."""
    drawn = draw(key, "zustand")
    return "gut" if drawn < good else "mittel" if drawn < good + fair else "schlecht"


def of_building(key: str) -> Mapping[str, Cell]:
    """One building in twelve has never been inspected: nothing is known of it."""
    if draw(key, "inspected") < 1 / 12:
        return {}
    state = condition(key)
    seen: dict[str, Cell] = {
        "zustand": state,
        "geprueft_am": working_day(key, "geprueft_am"),
        "pruefer": pick(key, "pruefer", INSPECTORS),
    }
    if state != "gut":
        cost = between(key, "schaden", 300, 4_000) if state == "mittel" else between(key, "schaden", 5_000, 80_000)
        seen |= {"maengel": pick(key, "maengel", BUILDING_DEFECTS[state]), "schaden_eur": float(round(cost / 50) * 50)}
    return seen


def of_road(key: str) -> Mapping[str, Cell]:
    """The grade runs from 1.0 (as new) to 5.0 (worn out), as German road surveys do."""
    state = condition(key, 0.5, 0.35)
    low = {"gut": 1.0, "mittel": 2.5, "schlecht": 4.0}[state]
    seen: dict[str, Cell] = {
        "zustandsnote": round(between(key, "note", low, min(low + 1.4, 5.0)), 1),
        "geprueft_am": working_day(key, "geprueft_am"),
    }
    if state != "gut":
        seen["bemerkung"] = pick(key, "bemerkung", ROAD_REMARKS[state])
    return seen


def of_manhole(key: str, cover_m: float) -> Mapping[str, Cell]:
    """`cover_m` is the height of the lid; the invert lies 1.6 to 4.2 m below."""
    state = condition(key, 0.55, 0.3)
    return {
        "baujahr": 1956 + int(draw(key, "baujahr") ** 0.8 * 67),
        "sohle_m": round(cover_m - between(key, "tiefe", 1.6, 4.2), 2),
        "zustand": state,
        "geprueft_am": working_day(key, "geprueft_am"),
        "bemerkung": pick(key, "bemerkung", MANHOLE_REMARKS[state]),
    }
