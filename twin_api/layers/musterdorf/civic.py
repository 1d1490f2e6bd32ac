"""What the council decides, and the schools."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.buildings import Buildings
from twin_api.layers.musterdorf.chance import Array, generator, pick
from twin_api.layers.musterdorf.parcels import SCHOOL
from twin_api.layers.musterdorf.plan import ORIGIN
from twin_api.layers.musterdorf.sheet import Sheet, boolean, date, integer, text
from twin_api.layers.musterdorf.town import Town

LAST_MEETING: Final = np.datetime64("2026-12-17", "D")  # a Thursday; they meet every week
DECIDED: Final = np.datetime64("2026-11-20", "D")
ITEMS: Final = 8  # of a meeting
COMMITTEES: Final = ("finanzausschuss", "bauausschuss", "marktgemeinderat")
SUBJECTS: Final = (
    "Bauantrag", "Vergabe von Tiefbauarbeiten", "Änderung des Bebauungsplans", "Zuschuss für einen Verein", "Straßensanierung",
    "Baumfällung",
    "Verkehrsrechtliche Anordnung", "Anschaffung eines Fahrzeugs", "Hochwasserschutz", "Friedhofsgebühren", "Erschließung", "Beleuchtung",
)  # fmt: skip
BEHIND_DOORS: Final = ("Grundstücksangelegenheit", "Personalangelegenheit", "Vertragsangelegenheit", "Stundung einer Forderung")
NAMED: Final = ("2026-11-12", 7, "Sanierungsprogramm Kanal 2027")
SCHOOLS: Final = (
    ("Grundschule Musterdorf", "grundschule", 320), ("Mittelschule Musterdorf", "mittelschule", 410), ("Kita Regenbogen", "kita", 75),
    ("Gymnasium Musterdorf", "gymnasium", 820), ("Kita Pusteblume", "kita", 50), ("Kita Zwergenstube", "kita", 48),
    ("Grundschule am Bach", "grundschule", 190), ("Kita Waldwichtel", "kita", 25), ("Kita Sonnenschein", "kita", 98),
)  # fmt: skip


def agenda(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "tagesordnung")
    count = town.plan.count("tagesordnung")
    meeting, item = np.arange(count) // ITEMS, np.arange(count) % ITEMS + 1
    day = LAST_MEETING - 7 * meeting
    open_ = item <= np.where(chance.random(count) < 0.5, 5, 6)
    subject = np.where(open_, pick(chance, count, SUBJECTS), pick(chance, count, BEHIND_DOORS))
    named = (day == np.datetime64(NAMED[0])) & (item == NAMED[1])
    title = np.array([f"{what} {index + 1}" for index, what in enumerate(subject)], dtype=object)
    title[named] = NAMED[2]
    spots = town.houses.middle[chance.integers(0, len(town.houses.middle), count)]
    spots[(chance.random(count) < 0.25) | named] = ORIGIN  # what has no place of its own stands at the town hall
    return Sheet("tagesordnung", "Point", shapely.points(spots), {
        "top_nr": text(np.array([f"{date_}/{number}" for date_, number in zip(day.astype(str), item, strict=True)], dtype=object)),
        "sitzung": date(day),
        "gremium": text(np.array(COMMITTEES, dtype=object)[meeting % 3]),
        "titel": text(title),
        "oeffentlich": boolean(open_ | named),
        "beschluss": text(pick(chance, count, ("angenommen", "abgelehnt", "vertagt"), (0.8, 0.08, 0.12)), day <= DECIDED),
    })  # fmt: skip


def schools(town: Town, known: Buildings) -> Sheet:
    chance = generator(town.plan.seed, "schulen")
    house = np.flatnonzero(town.houses.whole >= 0)
    house = house[town.wholes.role[town.houses.whole[house]] == SCHOOL]
    chosen = [SCHOOLS[index % len(SCHOOLS)] for index in range(len(house))]
    names = [name if index < len(SCHOOLS) else f"{name} {index // len(SCHOOLS) + 1}" for index, (name, _, _) in enumerate(chosen)]
    return Sheet("schulen", "Point", shapely.points(town.houses.middle[house]), {
        "name": text(np.array(names, dtype=object)),
        "art": text(_column([kind for _, kind, _ in chosen])),
        "plaetze": integer(np.array([places for _, _, places in chosen])),
        "adresse": text(known.address[house]),
        "barrierefrei": boolean(chance.random(len(house)) < 0.7),
    })  # fmt: skip


def _column(values: list[str]) -> Array:
    return np.array(values, dtype=object)
