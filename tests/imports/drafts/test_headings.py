"""Headers taken apart into title and unit."""

from __future__ import annotations

import pytest

from twin_api.imports.drafts.headings import read_heading

HEADERS = {
    "Höhe [m]": ("Höhe", "m"),
    "Höhe (m)": ("Höhe", "m"),
    "Höhe in m": ("Höhe", "m"),
    "Höhe in Metern über Grund": ("Höhe in Metern über Grund", None),
    "Stammumfang [cm]": ("Stammumfang", "cm"),
    "Fläche [m²]": ("Fläche", "m²"),
    "Fläche (qm)": ("Fläche", "m²"),
    "Fläche [m2]": ("Fläche", "m²"),
    "Fläche [ha]": ("Fläche", "ha"),
    "Anteil [%]": ("Anteil", "%"),
    "Temperatur (°C)": ("Temperatur", "°C"),
    "Leistung [kW]": ("Leistung", "kW"),
    "Leistung [kWp]": ("Leistung", "kWp"),
    "Abfluss (l/s)": ("Abfluss", "l/s"),
    "Durchfluss [m³/h]": ("Durchfluss", "m³/h"),
    "Durchfluss [m3/h]": ("Durchfluss", "m³/h"),
    "Kosten in €": ("Kosten", "€"),
    "Kosten [EUR]": ("Kosten", "€"),
    "Neigung [Grad]": ("Neigung", "°"),
    "Name (alt)": ("Name (alt)", None),
    "Stand (2020)": ("Stand (2020)", None),
    "Ort in Bayern": ("Ort in Bayern", None),
    "[m]": ("[m]", None),
    "Temperatur in ºc": ("Temperatur", "°C"),
    "stammumfangCM": ("stammumfangCM", "cm"),
    "hoeheM": ("hoeheM", "m"),
    "anzahlM": ("anzahlM", None),
    "BAUM": ("BAUM", None),
    "hoehe_m": ("hoehe_m", "m"),
    "anzahl_m": ("anzahl_m", None),
    "shape_area_m2": ("shape_area_m2", "m²"),
    "  Art\n der  Nutzung ": ("Art der Nutzung", None),
    "Art\u200b\u202e": ("Art", None),
    "": ("Spalte", None),
}


@pytest.mark.parametrize(("header", "expected"), HEADERS.items())
def test_a_header_is_a_title_and_a_unit(header: str, expected: tuple[str, str | None]) -> None:
    heading = read_heading(header)
    assert (heading.title, heading.unit) == expected
