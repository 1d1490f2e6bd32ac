"""Buildings, the vacant ones among them, and what is going to be built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, days, generator, numbers, persons, pick
from twin_api.layers.musterdorf.shapes import inset, multi
from twin_api.layers.musterdorf.sheet import Sheet, boolean, date, integer, number, text
from twin_api.layers.musterdorf.town import Town

LOT_USES: Final = ("wohnen", "gewerbe", "gemeinbedarf", "landwirtschaft")
SHARES: Final = {  # of those uses
    "core": (0.62, 0.28, 0.1, 0.0), "quarter": (0.95, 0.04, 0.01, 0.0), "village": (0.75, 0.03, 0.02, 0.2),
    "trade": (0.0, 0.95, 0.05, 0.0),
}  # fmt: skip
STATES: Final = ("gut", "mittel", "schlecht")
PROJECTS: Final = (
    ("Neubau Kindertagesstätte", 4_200_000), ("Umgestaltung Marktplatz", 2_600_000), ("Baugebiet am Ortsrand", 6_800_000),
    ("Ersatzbau Brücke", 1_900_000), ("Feuerwehrhaus", 5_400_000), ("Sanierung Grundschule", 7_300_000), ("Radweg", 850_000),
    ("Hochwasserrückhalt", 3_700_000), ("Dorfladen", 640_000), ("Mehrgenerationenplatz", 320_000),
    ("Photovoltaik auf Freifläche", 2_200_000),
    ("Regenüberlaufbecken", 1_450_000), ("Nachverdichtung", 3_100_000), ("Parkdeck", 2_900_000), ("Mehrzweckhalle", 8_900_000),
)  # fmt: skip
PUBLISHED: Final = ("2027-03-01", "2027-07-01", "2027-10-01", "2099-01-01")


@dataclass(frozen=True, slots=True)
class Buildings:
    """What several layers say of the same buildings."""

    id: Array
    address: Array
    use: Array
    core: Array


def lot_uses(town: Town) -> Array:
    """What each lot is used for; the same for the parcel and for the building on it."""
    chance = generator(town.plan.seed, "lot uses")
    drawn = chance.random(len(town.lots.kind))
    bounds = np.cumsum(np.array([SHARES[kind] for kind in town.lots.kind]), axis=1)
    use: Array = np.array(LOT_USES, dtype=object)[np.minimum((drawn[:, None] >= bounds).sum(axis=1), 3)]
    return use


def buildings(town: Town) -> Buildings:
    houses, lots = town.houses, town.lots
    own = houses.lot >= 0
    lot = np.maximum(houses.lot, 0)
    kind = np.where(own, lots.kind[lot], "quarter")
    chance = generator(town.plan.seed, "annexes")
    plain = np.array(["wohnen", "gewerbe", "oeffentlich", "landwirtschaft"], dtype=object)
    use = plain[np.array([LOT_USES.index(name) for name in lot_uses(town)])[lot]]
    barn = chance.random(len(own)) < np.where(kind == "village", 0.4, 0.02)
    annex = np.where(kind == "trade", "gewerbe", np.where(barn, "landwirtschaft", "garage"))
    use = np.where(own, np.where(houses.annex, annex, use), "oeffentlich")
    return Buildings(numbers("G-{:06d}", len(own)), _addresses(town), use, kind == "core")


def _addresses(town: Town) -> Array:
    """`Marktstraße 12`: odd numbers on one side, even ones on the other, rising along the street."""
    lots, houses = town.lots, town.houses
    order = np.lexsort((lots.place, lots.upper, lots.line))
    street = lots.line[order] * 2 + lots.upper[order]
    first = np.flatnonzero(np.append(True, street[1:] != street[:-1]))
    rank = np.empty(len(order), dtype=int)
    rank[order] = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    house_number = 2 * rank + 1 + lots.upper
    lines, where = np.unique(town.streets.line, return_index=True)
    names = town.streets.name[where[np.searchsorted(lines, lots.line)]]
    own = np.array([f"{name} {number_}" for name, number_ in zip(names, house_number, strict=True)], dtype=object)
    built = town.streets.only("town")
    large = np.flatnonzero(houses.lot < 0)
    address = own[np.maximum(houses.lot, 0)]
    nearest = shapely.STRtree(town.streets.lines[built]).nearest(shapely.points(houses.middle[large]))
    address[large] = [f"{name} 1a" for name in town.streets.name[built[nearest]]]
    return address


def sheet(town: Town, known: Buildings) -> Sheet:
    chance = generator(town.plan.seed, "gebaeude")
    count = len(known.id)
    annex = town.houses.annex
    floors = np.where(
        annex | (known.use == "landwirtschaft"), 1, np.where(known.core, chance.integers(2, 5, count), chance.integers(1, 4, count))
    )
    year = np.where(known.core, 1620 + chance.random(count) ** 0.6 * 390, 1925 + chance.random(count) ** 0.8 * 99).astype(int)
    seen = (chance.random(count) > 1 / 12) & ~annex
    return Sheet("gebaeude", "MultiPolygon", multi(town.houses.shapes), {
        "gebaeude_id": text(known.id),
        "adresse": text(known.address),
        "nutzung": text(known.use),
        "hoehe_m": number(floors * 2.9 + np.where(annex, 0.2, chance.uniform(1.5, 4.5, count)), digits=1),
        "geschosse": integer(floors),
        "baujahr": integer(year),
        "denkmal": boolean((year < 1900) & (chance.random(count) < 0.35) & ~annex),
        "zustand": text(pick(chance, count, STATES, (0.62, 0.28, 0.1)), seen),
        "geprueft_am": date(days(chance, count), seen),
    })  # fmt: skip


def vacancies(town: Town, known: Buildings) -> Sheet:
    """Mostly shops of the old town."""
    chance = generator(town.plan.seed, "leerstaende")
    usable = np.flatnonzero(~town.houses.annex & np.isin(known.use, ("wohnen", "gewerbe")))
    weight = np.where(known.core[usable], 6.0, 1.0) * np.where(known.use[usable] == "gewerbe", 3.0, 1.0)
    chosen = usable[np.argsort(chance.random(len(usable)) ** (1 / weight), kind="stable")[::-1][: town.plan.count("leerstaende")]]
    count = len(chosen)
    shop = pick(chance, count, ("laden", "gaststaette", "buero", "wohnung"), (5, 1.5, 2, 1.5))
    use = np.where(known.core[chosen] | (known.use[chosen] == "gewerbe"), shop, "wohnung")
    offered = chance.random(count) < 0.4
    contact = [f"0000 0000-{n:04d}" if n % 2 else f"objekt-{n:05d}@musterdorf.example" for n in range(1, count + 1)]
    return Sheet("leerstaende", "Point", shapely.points(town.houses.middle[chosen]), {
        "objekt_nr": text(numbers("L-{:05d}", count)),
        "adresse": text(known.address[chosen]),
        "nutzung": text(use),
        "flaeche_m2": number(chance.uniform(35, 240, count), digits=0),
        "leer_seit": date(days(chance, count, "2015-01-05", "2026-09-30")),
        "angeboten": boolean(offered),
        "miete_eur_m2": number(chance.uniform(4, 11, count), offered | (chance.random(count) < 0.3), digits=1),
        "eigentuemer": text(persons(chance, count)),
        "kontakt": text(np.array(contact, dtype=object)),
    })  # fmt: skip


def projects(town: Town) -> Sheet:
    """One, two or three variants of each: the same place, another extent, another price."""
    chance = generator(town.plan.seed, "bauvorhaben")
    count = town.plan.count("bauvorhaben")
    project, variant = list[int](), list[str]()
    while len(project) < count:
        for letter in "ABC"[: int(chance.integers(1, 4))]:
            project.append(variant.count("A") + (letter == "A") - 1)
            variant.append(letter)
    of, letters = np.array(project[:count]), np.array(variant[:count], dtype=object)
    total = int(of.max()) + 1
    lot = chance.permutation(len(town.lots.block))[:total]
    extent = {"A": 1.0, "B": 0.82, "C": 0.66}
    what = chance.integers(0, len(PROJECTS), total)
    names = np.array([f"{PROJECTS[kind][0]} {number_ + 1}" for number_, kind in enumerate(what)], dtype=object)
    seen = pick(chance, total, ("oeffentlich", "rat", "intern"), (0.6, 0.25, 0.15))
    later = chance.random(total) < 0.25
    released = np.where(later, np.array(PUBLISHED, dtype="datetime64[D]")[np.arange(total) % 4], days(chance, total))
    share = np.array([extent[letter] for letter in letters])
    price = np.array([PROJECTS[kind][1] for kind in what])[of] * share * chance.uniform(0.9, 1.15, count)
    said = np.array([f"Variante {letter}: {round(100 * extent[letter])} % der Fläche." for letter in letters], dtype=object)
    return Sheet("bauvorhaben", "MultiPolygon", multi(inset(town.lots.corners[lot[of]], share * 0.98)), {
        "vorhaben_nr": text(np.array([f"V-{number_ + 1:04d}" for number_ in of], dtype=object)),
        "variante": text(letters),
        "name": text(names[of]),
        "sichtbarkeit": text(seen[of]),
        "freigabe_ab": date(released[of]),
        "kosten_eur": number(np.round(price, -4)),
        "stand": text(pick(chance, total, ("idee", "entwurf", "genehmigung", "bau", "fertig"), (3, 3, 2, 1, 1))[of]),
        "beschreibung": text(said),
    })  # fmt: skip
