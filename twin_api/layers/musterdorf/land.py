"""The town as the land registry and the residents' register see it: boundary, districts, parcels."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely

from twin_api.layers.musterdorf.buildings import Buildings, lot_uses
from twin_api.layers.musterdorf.chance import Array, generator, persons, pick
from twin_api.layers.musterdorf.parcels import PARK
from twin_api.layers.musterdorf.plan import AGS
from twin_api.layers.musterdorf.settlements import DISTRICTS
from twin_api.layers.musterdorf.shapes import multi
from twin_api.layers.musterdorf.sheet import Sheet, integer, number, text
from twin_api.layers.musterdorf.town import Town

PER_HOME: Final = 2.6
OWNERS: Final = ("privat", "gemeinde", "kirche", "bund")
VILLAGES: Final = ("Oberdorf", "Mühlbach", "Weiler")


def residents(town: Town, known: Buildings) -> Array:
    """How many people live in each district."""
    homes = town.houses.middle[known.use == "wohnen"]
    homes_there = np.bincount(town.districts.of(shapely.points(homes)), minlength=len(DISTRICTS))
    return np.round(homes_there * PER_HOME).astype(int)


def boundary(town: Town, people: Array) -> Sheet:
    shape = np.array([town.districts.boundary], dtype=object)
    return Sheet("gemeindegebiet", "MultiPolygon", multi(shape), {
        "name": text(np.array(["Musterdorf"], dtype=object)),
        "ags": text(np.array([AGS], dtype=object)),
        "einwohner": integer(np.array([people.sum()])),
        "flaeche_ha": number(shapely.area(shape) / 10_000, digits=1),
    })  # fmt: skip


def districts(town: Town, people: Array) -> Sheet:
    return Sheet("ortsteile", "MultiPolygon", multi(town.districts.shapes), {
        "name": text(np.array(DISTRICTS, dtype=object)),
        "einwohner": integer(people),
    })  # fmt: skip


def parcels(town: Town) -> Sheet:
    chance = generator(town.plan.seed, "flurstuecke")
    public = np.append(np.array([town.market], dtype=object), town.roads)
    shapes = np.concatenate([town.lots.shapes(), town.wholes.shapes, town.fields.shapes, public])
    use = np.concatenate([
        lot_uses(town),
        np.where(town.wholes.role == PARK, "gruen", "gemeinbedarf"),
        np.where(town.fields.green, "gruen", "landwirtschaft"),
        np.full(len(public), "verkehr", dtype=object),
    ])  # fmt: skip
    count = len(shapes)
    owned = pick(chance, count, OWNERS, (0.9, 0.06, 0.03, 0.01))
    shared = pick(chance, count, OWNERS, (0.0, 0.8, 0.15, 0.05))
    owner: Any = np.where(use == "verkehr", "gemeinde", np.where(np.isin(use, ("gemeinbedarf", "gruen")), shared, owned))
    place = np.array(DISTRICTS, dtype=object)[town.districts.of(shapely.point_on_surface(shapes))]
    return Sheet("flurstuecke", "MultiPolygon", multi(shapes), {
        "flurstueck_nr": text(np.array([f"{101 + index // 7}/{1 + index % 7}" for index in range(count)], dtype=object)),
        "gemarkung": text(np.where(np.isin(place, VILLAGES), place, "Musterdorf")),
        "flaeche_m2": number(shapely.area(shapes), digits=1),
        "eigentum": text(owner),
        "eigentuemer": text(persons(chance, count), owner == "privat"),
        "nutzung": text(use),
    })  # fmt: skip
