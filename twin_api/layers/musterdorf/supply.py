"""Water, electricity and hydrants."""

from __future__ import annotations

import numpy as np
import shapely

from twin_api.layers.musterdorf.chance import Array, days, generator, numbers, pick
from twin_api.layers.musterdorf.kerb import alternating, beside, spread
from twin_api.layers.musterdorf.sheet import Sheet, boolean, date, integer, number, text
from twin_api.layers.musterdorf.streets import TOWN
from twin_api.layers.musterdorf.town import Town


def water(town: Town) -> Sheet:
    """Tanks on the heights, wells by the stream, everything else in the streets."""
    chance = generator(town.plan.seed, "wassernetz")
    wanted = town.plan.count("wassernetz")
    some = max(1, round(wanted / 300))
    outside = shapely.point_on_surface(town.fields.shapes)
    by_height = np.argsort(town.stream.height_m(outside), kind="stable")
    by_stream = np.argsort(town.stream.away_m(outside), kind="stable")
    apart = outside[np.concatenate([by_height[::-1][: 8 * some : 8], by_stream[: 8 * some : 8], by_height[40 : 40 + 8 * some : 8]])]
    points = np.concatenate([np.round(shapely.get_coordinates(apart), 2), _in_streets(town, wanted - len(apart), -2.6)])
    art = np.concatenate([
        np.repeat(np.array(["hochbehaelter", "brunnen", "pumpwerk"], dtype=object), len(apart) // 3),
        pick(chance, wanted - len(apart), ("schieber", "uebergabe"), (0.92, 0.08)),
    ])  # fmt: skip
    height = np.round(town.stream.height_m(shapely.points(points)) - np.where(art == "hochbehaelter", 0, 1.5), 2)
    return Sheet("wassernetz", "Point Z", shapely.points(np.column_stack([points, height])), {
        "knoten_nr": text(numbers("W-{:05d}", len(points))),
        "art": text(art),
        "druck_bar": number(np.where(art == "hochbehaelter", 0.5, chance.uniform(3.2, 6.2, len(points))), digits=1),
        "baujahr": integer(1952 + (chance.random(len(points)) ** 0.8 * 73).astype(int)),
    })  # fmt: skip


def power(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "stromnetz")
    wanted = town.plan.count("stromnetz")
    large = max(1, round(wanted / 400))
    outside = shapely.point_on_surface(town.fields.shapes[chance.permutation(len(town.fields.shapes))[:large]])
    points = np.concatenate([np.round(shapely.get_coordinates(outside), 2), _in_streets(town, wanted - large, 0.4)])
    art = np.append(
        np.full(large, "umspannwerk", dtype=object), pick(chance, wanted - large, ("trafostation", "kabelverteiler"), (0.15, 0.85))
    )
    volts = np.where(art == "umspannwerk", 110.0, np.where(art == "trafostation", 20.0, 0.4))
    size = np.where(art == "trafostation", pick(chance, wanted, (250, 400, 630)), pick(chance, wanted, (63, 100, 160)))
    return Sheet("stromnetz", "Point", shapely.points(points), {
        "knoten_nr": text(numbers("E-{:05d}", len(points))),
        "art": text(art),
        "spannung_kv": number(volts, digits=1),
        "leistung_kva": integer(np.where(art == "umspannwerk", 40_000, size)),
    })  # fmt: skip


def hydrants(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "hydranten")
    points = _in_streets(town, town.plan.count("hydranten"), -1.8)
    count = len(points)
    return Sheet("hydranten", "Point", shapely.points(points), {
        "hydrant_nr": text(numbers("HY-{:05d}", count)),
        "art": text(pick(chance, count, ("unterflur", "ueberflur"), (0.8, 0.2))),
        "nennweite_mm": integer(pick(chance, count, (80, 100, 150), (0.55, 0.4, 0.05))),
        "durchfluss_l_min": integer(np.round(chance.uniform(400, 1_900, count), -1)),
        "geprueft_am": date(days(chance, count, "2024-03-04", "2026-10-30")),
        "einsatzbereit": boolean(chance.random(count) < 0.96),
    })  # fmt: skip


def _in_streets(town: Town, count: int, outside_m: float) -> Array:
    """Spread over the town's streets, this far outside their edges (negative: inside)."""
    chosen = town.streets.only(TOWN)
    lines = town.streets.lines[chosen]
    line, metres = spread(lines, count)
    return beside(lines, line, metres * 0.96, alternating(line, town.streets.half_m[chosen][line] + outside_m))
