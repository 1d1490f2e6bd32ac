"""Trees along streets, roads and the stream and in parks; playgrounds."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, days, generator, numbers, persons, pick
from twin_api.layers.musterdorf.kerb import alternating, beside, spread
from twin_api.layers.musterdorf.parcels import PARK, within
from twin_api.layers.musterdorf.settlements import DISTRICTS
from twin_api.layers.musterdorf.shapes import inset, multi
from twin_api.layers.musterdorf.sheet import Sheet, boolean, date, integer, number, text
from twin_api.layers.musterdorf.streets import ROAD, TOWN
from twin_api.layers.musterdorf.town import Town

SPECIES: Final = ("Linde", "Ahorn", "Eiche", "Birke", "Kastanie", "Esche", "Hainbuche", "Platane", "Apfel", "Kirsche", "Weide", "Erle")
FEW: Final = {"Weiler": 13, "Gewerbepark": 9}  # so that the sample has cells in which few are counted
FINDINGS: Final = (
    "Totholz in der Krone, Rückschnitt bis Frühjahr.", "Faulstelle am Stammfuß, mit Resistograph prüfen.",
    "Pilzbefall, zweite Meinung einholen.",
    "Rindenschaden nach Anfahrt.", "Wurzeln heben den Gehweg an.", "Zwiesel mit Riss, Kronensicherung prüfen.",
    "Misteln, kein Handlungsbedarf.",
)  # fmt: skip
PLAY: Final = (
    "Schaukel, Rutsche",
    "Sandkasten, Wippe",
    "Kletterturm, Seilbahn",
    "Nestschaukel, Balancierbalken",
    "Karussell, Sandkasten, Rutsche",
)
FLAWS: Final = ("Fallschutz zu dünn.", "Kettenglied verschlissen.", "Splitter an der Brüstung.", "Schraube am Federtier locker.")


def trees(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "baeume")
    points = _standing(town, chance)
    count = len(points)
    status = pick(chance, count, ("steht", "gefaellt", "geplant"), (0.94, 0.04, 0.02))
    planted = np.where(status == "geplant", np.datetime64("2027-03-15"), days(chance, count, "1935-03-01", "2025-11-28"))
    age = np.maximum((np.datetime64("2026-06-30") - planted).astype(int) / 365.25, 0)
    height = np.minimum(2.2 + 1.1 * age**0.72 * chance.uniform(0.7, 1.25, count), 31)
    found = (chance.random(count) < 0.09) & (status == "steht")
    return Sheet("baeume", "Point", shapely.points(points), {
        "baum_nr": text(numbers("B-{:06d}", count)),
        "art": text(pick(chance, count, SPECIES, (20, 17, 12, 8, 8, 5, 7, 6, 6, 5, 3, 3))),
        "gepflanzt": date(planted),
        "hoehe_m": number(height, digits=1),
        "krone_m": number(np.maximum(height * chance.uniform(0.35, 0.6, count), 1.0), digits=1),
        "status": text(status),
        "geprueft_am": date(days(chance, count)),
        "befund": text(pick(chance, count, FINDINGS), found),
        "befund_gelesen": boolean(found & (chance.random(count) < 0.6)),
        "pate": text(persons(chance, count), chance.random(count) < 0.04),
    })  # fmt: skip


def _standing(town: Town, chance: np.random.Generator) -> Array:
    wanted = town.plan.count("baeume")
    streets, roads = (town.streets.only(kind) for kind in (TOWN, ROAD))
    leafy = streets[np.isin(town.kinds[town.streets.settlement[streets]], ("quarter", "village"))]
    stream = np.array([shapely.intersection(town.stream.axis, town.districts.boundary)], dtype=object)
    rows = []
    for lines, half, share in (
        (town.streets.lines[leafy], town.streets.half_m[leafy] - 0.2, 0.68),
        (town.streets.lines[roads], np.full(len(roads), 8.5), 0.12),
        (shapely.get_parts(stream), np.full(len(shapely.get_parts(stream)), 12.0), 0.12),
    ):
        line, metres = spread(lines, round(wanted * share))
        rows.append(beside(lines, line, metres, alternating(line, half[line]) + chance.uniform(-0.6, 0.6, len(line))))
    parks = town.wholes.corners[town.wholes.role == PARK]
    park = chance.integers(0, len(parks), round(wanted * 0.24))
    rows.append(within(parks[park], chance.uniform(0.05, 0.95, len(park)), chance.uniform(0.08, 0.92, len(park))))
    points = np.concatenate(rows)
    points = points[chance.permutation(len(points))]
    points = points[shapely.intersects(town.districts.boundary, shapely.points(points))]
    district = town.districts.of(shapely.points(points))
    keep = np.ones(len(points), dtype=bool)
    for name, few in FEW.items():
        keep[np.flatnonzero(district == DISTRICTS.index(name))[few:]] = False
    some: Array = points[keep][:wanted]
    return some


def playgrounds(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "spielplaetze")
    parks = np.flatnonzero(town.wholes.role == PARK)[: town.plan.count("spielplaetze")]
    count = len(parks)
    built = town.streets.only(TOWN)
    nearest = shapely.STRtree(town.streets.lines[built]).nearest(shapely.centroid(town.wholes.shapes[parks]))
    names = [f"Spielplatz {name}" for name in town.streets.name[built[nearest]]]
    names = [name if name not in names[:place] else f"{name} {place + 1}" for place, name in enumerate(names)]
    state = pick(chance, count, ("gut", "mittel", "schlecht"), (0.6, 0.3, 0.1))
    return Sheet("spielplaetze", "MultiPolygon", multi(inset(town.wholes.corners[parks], chance.uniform(0.16, 0.27, count))), {
        "name": text(np.array(names, dtype=object)),
        "geraete": text(pick(chance, count, PLAY)),
        "ab_alter": integer(pick(chance, count, (1, 3, 6, 10), (2, 5, 4, 1))),
        "geprueft_am": date(days(chance, count, "2026-02-02", "2026-10-30")),
        "zustand": text(state),
        "mangel": text(pick(chance, count, FLAWS), state != "gut"),
    })  # fmt: skip
