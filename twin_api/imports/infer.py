"""A file becomes the draft of a layer: what it holds, as far as it can be told from headers and values.

Must never write down a value of a column that not everybody may see, nor put anything into a class that nobody asked for.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from pyproj import CRS
from pyproj.exceptions import ProjError

from twin_api.imports.description import ColumnRule, Description, Place, Reading
from twin_api.imports.drafts.attributes import DraftAttribute, draft_attributes
from twin_api.imports.drafts.geometries import Geometries
from twin_api.imports.drafts.headings import visible
from twin_api.imports.drafts.layer_text import DraftGeometry, DraftLayer, layer_text
from twin_api.imports.drafts.looking import look_through
from twin_api.imports.drafts.opening import Opened, open_for_draft
from twin_api.imports.drafts.places import Whereabouts, whereabouts
from twin_api.imports.drafts.readings import with_differences
from twin_api.imports.drafts.source_text import source_text
from twin_api.imports.drafts.suspects import is_critical
from twin_api.imports.drafts.yaml_text import can_be_written
from twin_api.imports.finding import refuse
from twin_api.imports.naming import SUFFIXES, attribute_name, layer_name
from twin_api.policy.documents import Town
from twin_api.policy.finding import quoted
from twin_api.policy.town import UNREVIEWED
from twin_api.texts import Text

HEIGHTS: Final = "DHHN2016"
PLACE_COLUMN: Final = "hält den Ort, der als Geometrie gespeichert wird"
NO_VALUES: Final = "hält Listen, Uhrzeiten oder Binärdaten, die kein Attribut fasst"
NO_KEY: Final = "Kein Schlüssel: keine Spalte und kein Paar ist eindeutig und immer gefüllt. Jede Lieferung ersetzt den Bestand."


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person says who asks for a draft. `listing`: everybody may see this class, so a few values may be written down."""

    layer: str | None = None
    source_layer: str | None = None
    class_: str = UNREVIEWED
    owner: str | None = None
    listing: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """`source` is the text of a source file, where the data need one; `description` is what that says."""

    layer: str
    text: str
    source: str | None
    description: Description
    has_key: bool


def infer(path: Path, wish: Wish, town: Town, day: date, folder: Path, home: Path | None = None) -> Draft:
    """Look through the whole file, once or twice. Memory grows by a few bytes per feature. Raises `FileRefused` for what cannot be read.

    `folder` is for what has to be unpacked; `home` is the folder from which source files name their data.
    """
    opened = open_for_draft(path, wish.source_layer, town.epsg, folder)
    seen = look_through(opened, listing=wish.listing)
    where = _whereabouts(opened, seen.geometries, town)
    comma = opened.description.reading.decimal == ","
    attributes, reading = draft_attributes(seen.columns, seen.keys, wish.class_, place_with_comma=comma)
    if not attributes:
        what = Text(f"{quoted(path.name)} hat keine Spalte für ein Attribut", f"{quoted(path.name)} has no column for an attribute")
        raise refuse(what, Text("die Datei mit mindestens einer Spalte ausgeben lassen", "export the file with at least one column"))
    layer = _layer(path, wish, town, day, opened, seen.geometries, attributes)
    described = _described(opened.description, where, attributes, reading)
    remarks = (*opened.remarks, *where.remarks)
    source = source_text(layer, _file(path, home), described, remarks) if _says_more(described, attributes) else None
    return Draft(layer.name, layer_text(layer, town), source, described, any(each.key for each in attributes))


def _whereabouts(opened: Opened, geometries: Geometries, town: Town) -> Whereabouts:
    """For a file with geometries of its own; columns of coordinates have been placed already."""
    if not geometries.known or opened.description.place != Place():
        return Whereabouts()
    return whereabouts(geometries.bounds.tolist(), opened.source.crs, town.epsg)


def _described(description: Description, where: Whereabouts, attributes: Sequence[DraftAttribute], reading: Reading) -> Description:
    columns = {
        each.column: ColumnRule(each.name, with_differences(reading, each.said))
        for each in attributes if (each.said or each.column != each.name) and can_be_written(each.column)
    }  # fmt: skip
    crs, prefix = where.crs or description.crs, where.zone_prefix or description.zone_prefix
    return replace(description, columns=columns, reading=reading, crs=crs, axes=where.axes, zone_prefix=prefix)


def _says_more(described: Description, attributes: Sequence[DraftAttribute]) -> bool:
    """More than that headers are called like their attributes, which an import sees for itself; or that rows cannot be told apart."""
    renamed = any(each.name != attribute_name(each.column) or each.said for each in attributes)
    plain = Description(described.columns, source_layer=described.source_layer)
    return renamed or described != plain or not any(each.key for each in attributes)


def _layer(
    path: Path, wish: Wish, town: Town, day: date, opened: Opened, geometries: Geometries, attributes: Sequence[DraftAttribute]
) -> DraftLayer:  # fmt: skip
    name = wish.layer or layer_name(path, wish.source_layer)
    title = visible(wish.source_layer or SUFFIXES.sub("", path.name).replace("_", " ")) or name
    word = is_critical([name, title])
    class_ = UNREVIEWED if word else wish.class_
    remarks = [f"Verdacht: kritische Infrastruktur (der Name sagt `{word}`); Bestand und Ort bleiben `unreviewed`."] if word else []
    remarks += [] if any(each.key for each in attributes) else [NO_KEY]
    left_out = [(column, PLACE_COLUMN) for column in opened.description.place.columns]
    left_out += [(column, NO_VALUES) for column, kind in opened.source.columns.items() if kind == "other"]
    geometry = _geometry(opened.source.crs, geometries, class_)
    owner = wish.owner or next(iter(town.departments))
    return DraftLayer(name, title, owner, day, class_, geometry, attributes, visible(path.name), tuple(remarks), tuple(left_out))


def _geometry(crs: str | None, geometries: Geometries, class_: str) -> DraftGeometry | None:
    if geometries.type is None:
        return None
    heights = _heights(crs) if geometries.type.endswith("Z") else None
    return DraftGeometry(geometries.type, class_, heights, tuple(geometries.remarks()))


def _heights(crs: str | None) -> str:
    """The height system that the file names, by the first word of its name; else the one in force in Germany."""
    try:
        found = CRS.from_user_input(crs) if crs else None
    except ProjError:
        found = None
    return found.sub_crs_list[1].name.split()[0] if found is not None and found.is_compound else HEIGHTS


def _file(path: Path, home: Path | None) -> str:
    """As a source file names it: from the town's folder where it lies there."""
    whole, root = path.resolve(), home.resolve() if home is not None else None
    return glob.escape(str(whole.relative_to(root) if root is not None and whole.is_relative_to(root) else whole))
