"""Streets and what stands in the way on them, lights, gullies, and people counted as they pass."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, days, generator, numbers, pick
from twin_api.layers.musterdorf.kerb import alternating, beside, spread
from twin_api.layers.musterdorf.parcels import PARK, SCHOOL
from twin_api.layers.musterdorf.plan import ORIGIN
from twin_api.layers.musterdorf.sheet import Column, Sheet, boolean, date, integer, number, text
from twin_api.layers.musterdorf.streets import BRIDGE, ROAD, TOWN, TRACK
from twin_api.layers.musterdorf.town import Town

SPOTS: Final = ("markt", "bruecke", "bahnhof", "schulweg", "park")
BUSY: Final = (310, 120, 190, 90, 60)  # at the busiest hour
LAST_HOUR: Final = np.datetime64("2026-11-15T23", "h")
GULLY_REMARKS: Final = (
    "Laub im Eimer.", "Rost liegt schief, Radfahrer gefährdet.", "Pflaster daneben abgesackt.", "Riecht bei Hitze.",
    "Nach Starkregen übergelaufen.",
)  # fmt: skip


def streets(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "strassen")
    net, count = town.streets, len(town.streets.lines)
    main = pick(chance, int(net.line.max()) + 1, ("gemeindestrasse", "kreisstrasse"), (0.96, 0.04))[net.line]
    road = pick(chance, count, ("kreisstrasse", "staatsstrasse"), (0.6, 0.4))
    kind = np.where(net.kind == TRACK, "weg", np.where(net.kind == ROAD, road, main))
    core = np.array([place.kind == "core" for place in town.places])[net.settlement] & (net.settlement >= 0)
    paved = np.where(core & (chance.random(count) < 0.75), "pflaster", "asphalt")
    return Sheet("strassen", "LineString", net.lines, {
        "strasse_id": text(numbers("S-{:05d}", count)),
        "name": text(net.name),
        "klasse": text(kind),
        "belag": text(np.where(kind == "weg", "schotter", paved)),
        "zustandsnote": number(1 + 4 * chance.beta(1.6, 2.6, count), digits=1),
        "geprueft_am": date(days(chance, count)),
    })  # fmt: skip


def bridges(town: Town) -> Array:
    """Where streets cross the stream, nearest to the market first."""
    lines = town.streets.lines[town.streets.only(TOWN, BRIDGE, ROAD)]
    lines = lines[shapely.intersects(lines, town.stream.axis)]
    points = shapely.get_coordinates(shapely.get_parts(shapely.intersection(lines, town.stream.axis)))
    sorted_: Array = np.round(points[np.argsort(np.hypot(*(points - ORIGIN).T), kind="stable")], 2)
    return sorted_


def obstacles(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "hindernisse")
    over = bridges(town)
    count = max(town.plan.count("hindernisse"), len(over) + 4)
    lines = town.streets.lines[chance.permutation(town.streets.only(TOWN))[: count - len(over)]]
    elsewhere = np.round(shapely.get_coordinates(shapely.line_interpolate_point(lines, 0.5, normalized=True)), 2)
    art = np.concatenate([np.full(len(over), "bruecke"), pick(chance, len(elsewhere), ("durchfahrt", "gewichtsgrenze", "engstelle"))])
    title = {"bruecke": "Brücke", "durchfahrt": "Durchfahrt", "gewichtsgrenze": "Gewichtsgrenze", "engstelle": "Engstelle"}
    count = len(art)
    return Sheet("hindernisse", "Point", shapely.points(np.concatenate([over, elsewhere])), {
        "hindernis_nr": text(numbers("HI-{:03d}", count)),
        "art": text(art),
        "name": text(np.array([f"{title[kind]} {index + 1}" for index, kind in enumerate(art)], dtype=object)),
        "hoehe_m": number(chance.uniform(2.6, 4.6, count), np.isin(art, ("bruecke", "durchfahrt")), digits=1),
        "breite_m": number(np.where(art == "engstelle", chance.uniform(2.4, 3.2, count), chance.uniform(3, 6.5, count)), digits=1),
        "last_t": number(pick(chance, count, (3.5, 7.5, 12.0, 16.0, 30.0, 40.0)).astype(float), digits=1),
    })  # fmt: skip


def lights(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "strassenlaternen")
    points, _ = _along(town, "strassenlaternen", 0.5)
    count = len(points)
    technique = pick(chance, count, ("led", "natrium", "quecksilber"), (0.62, 0.31, 0.07))
    year = np.where(technique == "led", chance.integers(2012, 2026, count), chance.integers(1974, 2012, count))
    power = np.where(technique == "led", pick(chance, count, (18, 24, 32)), pick(chance, count, (50, 70, 80, 100)))
    switch = 1 + np.arange(count) // 45
    return Sheet("strassenlaternen", "Point", points, {
        "leuchte_nr": text(numbers("L-{:06d}", count)),
        "technik": text(technique),
        "leistung_w": integer(power),
        "baujahr": integer(year),
        "schaltstelle": text(np.array([f"SST-{number_:03d}" for number_ in switch], dtype=object)),
        "defekt": boolean(chance.random(count) < 0.025),
    })  # fmt: skip


def gullies(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "sinkkaesten")
    points, _ = _along(town, "sinkkaesten", 1.4)
    count = len(points)
    defect = pick(chance, count, ("keiner", "verstopft", "rost_gebrochen", "abgesackt"), (0.84, 0.09, 0.04, 0.03))
    fine = defect == "keiner"
    status = np.where(
        fine, pick(chance, count, ("in_ordnung", "behoben"), (0.93, 0.07)), pick(chance, count, ("gemeldet", "in_arbeit"), (0.7, 0.3))
    )
    said = ~fine & (chance.random(count) < 0.35)
    return Sheet("sinkkaesten", "Point", points, {
        "sinkkasten_nr": text(numbers("SK-{:06d}", count)),
        "mangel": text(defect),
        "status": text(status),
        "gemeldet_am": date(days(chance, count, "2026-03-02", "2026-11-13"), status != "in_ordnung"),
        "gereinigt_am": date(days(chance, count, "2025-09-01", "2026-10-30")),
        "bemerkung": text(pick(chance, count, GULLY_REMARKS), said),
        "bemerkung_gelesen": boolean(said & (chance.random(count) < 0.6)),
    })  # fmt: skip


def _along(town: Town, layer: str, inside_m: float) -> tuple[Array, Array]:
    """Points at both edges of the town's streets, by turns, this far inside the edge."""
    chosen = town.streets.only(TOWN)
    lines = town.streets.lines[chosen]
    line, metres = spread(lines, town.plan.count(layer))
    at = beside(lines, line, metres, alternating(line, town.streets.half_m[chosen][line] - inside_m))
    return shapely.points(at), chosen[line]


def passers_by(town: Town) -> Sheet:
    """Counted at five places, every hour, day and night; hours in UTC."""
    chance = generator(town.plan.seed, "passanten")
    hours = max(1, round(town.plan.count("passanten") / len(SPOTS)))
    hour = np.repeat(LAST_HOUR - np.arange(hours)[::-1], len(SPOTS))
    spot = np.tile(np.arange(len(SPOTS)), hours)
    clock = (hour.astype(int) + 1) % 24
    weekday = (hour.astype("datetime64[D]").astype(int) + 3) % 7
    day = np.exp(-(((clock - 11) / 3.2) ** 2)) + 0.9 * np.exp(-(((clock - 17) / 2.4) ** 2)) + 0.01
    way = np.exp(-(((clock - 7.6) / 0.8) ** 2)) + 0.8 * np.exp(-(((clock - 13) / 0.9) ** 2)) + 0.005
    busy = np.where(spot == 3, way * (weekday < 5), day * np.where(weekday == 6, 0.4, np.where(weekday == 5, 1.3, 1.0)))
    return Sheet("passanten", "Point", shapely.points(_spots(town)[spot]), {
        "zaehlung_nr": text(numbers("Z-{:06d}", len(spot))),
        "zaehlstelle": text(np.array(SPOTS, dtype=object)[spot]),
        "zeit": Column("datetime", hour),
        "anzahl": integer(chance.poisson(busy * np.array(BUSY)[spot])),
    })  # fmt: skip


def _spots(town: Town) -> Array:
    market = (ORIGIN[0] + 4.0, ORIGIN[1] - 6.0)
    over = bridges(town)
    trade = next(number for number, place in enumerate(town.places) if place.kind == "trade")
    station = town.streets.lines[np.flatnonzero(town.streets.settlement == trade)[0]]
    whole = shapely.get_coordinates(shapely.centroid(town.wholes.shapes))
    school, park = (np.flatnonzero(town.wholes.role == role)[0] for role in (SCHOOL, PARK))
    ends = [market, over[0] if len(over) else market, shapely.get_coordinates(station)[0], whole[school] + (0, -45), whole[park]]
    return np.round(np.array(ends), 2)
