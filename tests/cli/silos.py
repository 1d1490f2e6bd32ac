"""Files as a town's silos give them away, made anew for each test: nobody has described them to us."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import shapely
from pyogrio.raw import write

PLAYGROUNDS, BANKS, TREES = 12, 5, 7
GML: Final = """<?xml version="1.0" encoding="UTF-8"?>
<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0" xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:nd="https://nd.example/1.0">
{members}</wfs:FeatureCollection>
"""
MEMBER: Final = """<wfs:member><nd:Naturdenkmal gml:id="ND_{n}"><nd:kennung>ND-09-{n:03}</nd:kennung><nd:bezeichnung>{name}</nd:bezeichnung>
<nd:verordnung>19{n}5-04-12</nd:verordnung><nd:umfangCm>{girth}</nd:umfangCm>
<nd:ort><gml:Point gml:id="P_{n}" srsName="urn:ogc:def:crs:EPSG::25832"><gml:pos>{x} {y}</gml:pos></gml:Point></nd:ort></nd:Naturdenkmal></wfs:member>
"""
NAMES: Final = ("Gerichtslinde", "Tausendjährige Eiche", "Felsengruppe", "Doppeleibe", "Quelltopf", "Luthereiche", "Blutbuche")


def write_playgrounds(folder: Path) -> Path:
    """A GeoPackage out of somebody's desktop GIS: areas, headers with units, a column about people."""
    numbers = range(PLAYGROUNDS)
    boxes = shapely.to_wkb([shapely.box(678_000 + 60 * n, 5_540_000, 678_000 + 60 * n + 20, 5_540_000 + 30 + n) for n in numbers])
    fields = {
        "Nr": [f"SP-{n:02}" for n in numbers],
        "Bezeichnung": [f"Spielplatz {'Am Anger' if n % 2 else 'Schulweg'} {n}" for n in numbers],
        "Fläche [m²]": [600.0 + 20 * n for n in numbers],
        "Altersgruppe": [("ab 3", "ab 6", "alle")[n % 3] for n in numbers],
        "Ansprechpartner": [f"Muster{n}, Erika" for n in numbers],
    }
    path = folder / "spielplaetze.gpkg"
    data = [np.array(values, dtype=object if isinstance(values[0], str) else float) for values in fields.values()]
    write(path, np.array(boxes, dtype=object), data, list(fields), driver="GPKG", geometry_type="Polygon", crs="EPSG:25832")
    return path


def write_banks(folder: Path, name: str = "wertstoffinseln.csv", *, faulty: bool = False) -> Path:
    """A table as Excel in German saves it: `;`, decimal commas, German days, ISO-8859-1, Windows line ends. `faulty`: two slips."""
    rows = ["STANDORT_NR;STRASSE;BEHÄLTER;VOLUMEN [m³];AUFGESTELLT;LEERUNG;RECHTSWERT;HOCHWERT"]
    for n in range(BANKS):
        place = f"{678_100 + 35 * n},50;{5_540_200 + n},25"
        rows.append(f"W{n + 1};Lange Straße {n + 1};{n + 2};{n + 1},5;{n + 10}.03.2019;{'wöchentlich' if n % 2 else 'täglich'};{place}")
    text = "\r\n".join([*rows, ""])
    if faulty:
        text = text.replace("12.03.2019", "31.02.2019").replace("Straße 4;5;", "Straße 4;fünf;")
    path = folder / name
    path.write_bytes(text.encode("iso-8859-1"))
    return path


def write_monuments(folder: Path) -> Path:
    """A GML 3.2 as a state's download service gives it."""
    members = [MEMBER.format(n=n, name=name, girth=300 + n, x=678_000.5 + 50 * n, y=5_540_400.25) for n, name in enumerate(NAMES, start=1)]
    path = folder / "naturdenkmale.gml"
    path.write_text(GML.format(members="".join(members)), encoding="utf-8")
    return path
