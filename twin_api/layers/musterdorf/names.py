"""Names of streets: the old town's own, and enough put together from plants, birds and fields for a town of any size."""

from __future__ import annotations

from typing import Final

import numpy as np

from twin_api.layers.musterdorf.chance import Array

OLD: Final = (
    "Marktplatz", "Marktstraße", "Ringstraße", "Stadtgraben", "Kirchgasse",
    "Badgasse", "Torgasse", "Mühlgasse", "Brunnengasse", "Schulgasse",
    "Hafnergasse", "Webergasse", "Gerbergasse", "Schmiedgasse", "Rathausgasse", "Spitalgasse", "Klostergasse", "Fischergasse", "Turmgasse",
    "Zehntgasse", "Salzgasse", "Büttnergasse", "Färbergasse", "Metzgergasse", "Bäckergasse", "Lange Gasse", "Enge Gasse",
    "Obere Gasse", "Untere Gasse", "Hintere Gasse", "Am Anger", "Am Zwinger", "An der Mauer", "Schlossberg", "Kellergasse", "Bachgasse",
)  # fmt: skip
FIRST: Final = (
    "Linden", "Ahorn", "Birken", "Buchen", "Eichen", "Erlen", "Eschen", "Fichten", "Kiefern", "Ulmen", "Weiden", "Holunder", "Schlehen",
    "Hasel", "Flieder", "Rosen", "Tulpen", "Nelken", "Lilien", "Veilchen", "Amsel", "Drossel", "Finken", "Lerchen", "Meisen", "Schwalben",
    "Spatzen", "Zeisig", "Falken", "Bussard", "Eulen", "Storchen", "Garten", "Wiesen", "Feld", "Acker", "Wald", "Berg", "Tal", "Höhen",
    "Sonnen", "Stein", "Sand", "Lehm", "Kies", "Brunnen", "Quellen", "Weiher", "Mühl", "Ziegel", "Kirsch", "Apfel", "Birn", "Nuss",
    "Hopfen",
    "Korn", "Hafer", "Gersten", "Klee", "Heide", "Moos", "Schul", "Sport", "Bahnhof", "Post", "Schützen", "Jäger", "Förster", "Hirten",
)  # fmt: skip
LAST: Final = ("straße", "weg", "ring", "gasse", "steig", "hang", "grund", "rain", "leite", "winkel")
TRADE: Final = ("Industriestraße", "Gewerbering", "Handwerkerstraße", "Werkstraße", "Am Bauhof", "Lagerstraße", "Hammerwerk", "Gleisstraße")
PLACES: Final = ("Muster", "Beispiel", "Probe", "Vorlagen", "Exempel", "Attrappen", "Schablonen", "Erfunden")
ENDINGS: Final = ("dorf", "hof", "reuth", "bach", "hausen", "feld", "berg", "mühle", "grün", "lohe", "wind", "stadt")


def name_streets(line: Array, kind: Array, chance: np.random.Generator) -> Array:
    """A name for every piece: one for each `line`, which is in a settlement of this `kind`."""
    _, where, inverse = np.unique(line, return_index=True, return_inverse=True)
    many = [first + last for last in LAST for first in FIRST]
    mixed = [many[index] for index in chance.permutation(len(many))]
    names: list[str] = []
    used = {"core": 0, "trade": 0, "other": 0}
    for kind_ in kind[where]:
        pool = {"core": OLD, "trade": TRADE}.get(kind_, ())
        group = kind_ if used.get(kind_, 0) < len(pool) else "other"
        names.append(pool[used[group]] if group != "other" else mixed[used["other"] % len(mixed)])
        used[group] += 1
    named: Array = np.array(names, dtype=object)[inverse]
    return named


def name_place(number: int) -> str:
    """What a village is called on the sign of a road: `Beispielreuth`."""
    return PLACES[number % len(PLACES)] + ENDINGS[(number * 5 + number // len(PLACES)) % len(ENDINGS)]
