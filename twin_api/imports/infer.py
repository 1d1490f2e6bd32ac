"""A file becomes the draft of a layer: what it holds, as far as it can be told from headers and values.

Must never write down a value of a column that not everybody may see, nor put anything into a class that nobody asked for.
"""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from twin_api.imports.description import ColumnRule, Description, Place, Reading
from twin_api.imports.draft_job import Draft, DraftJob
from twin_api.imports.drafts.attributes import DraftAttribute, draft_attributes
from twin_api.imports.drafts.geometries import Geometries
from twin_api.imports.drafts.headings import visible
from twin_api.imports.drafts.layer_text import DraftGeometry, DraftLayer, layer_text
from twin_api.imports.drafts.looking import Seen, look_through
from twin_api.imports.drafts.opening import Opened, open_for_draft
from twin_api.imports.drafts.places import Whereabouts, whereabouts
from twin_api.imports.drafts.readings import with_differences
from twin_api.imports.drafts.source_text import source_text
from twin_api.imports.drafts.suspects import is_critical
from twin_api.imports.drafts.yaml_text import can_be_written
from twin_api.imports.finding import refuse
from twin_api.imports.job import tell
from twin_api.imports.naming import SUFFIXES, attribute_name, layer_name
from twin_api.imports.places.crs_names import find_named
from twin_api.policy.documents import Town
from twin_api.policy.finding import quoted
from twin_api.policy.town import UNREVIEWED
from twin_api.texts import Text

HEIGHTS: Final = "DHHN2016"
PLACE_COLUMN: Final = "hält den Ort, der als Geometrie gespeichert wird"
NO_VALUES: Final = "hält Listen, Uhrzeiten oder Binärdaten, die kein Attribut fasst"
WRONG_KIND: Final = "sind nicht von der Art, die die Datei für die Spalte nennt; so wird sie nicht übernommen."
NO_KEY: Final = "Kein Schlüssel: keine Spalte und kein Paar ist eindeutig und immer gefüllt. Jede Lieferung ersetzt den Bestand."


def infer(job: DraftJob, on_batch: Callable[[], None] = lambda: None) -> Draft:
    """Look through the whole file, once or twice. Memory grows by a few bytes per feature. Raises `FileRefused`.

    `on_batch` is called again and again meanwhile.
    """
    path, wish, town = job.files[0], job.wish, job.town
    opened = open_for_draft(path, wish.source_layer, town.epsg, job.folder)
    seen = look_through(opened, listing=wish.listing, on_batch=on_batch)
    where = _whereabouts(opened, seen.geometries, town)
    sign = opened.description.reading.decimal if opened.description.place.x else None
    attributes, reading = draft_attributes(seen.columns, seen.keys, wish.class_, town.time_zone, sign)
    if not attributes:
        what = Text(f"{quoted(path.name)} hat keine Spalte für ein Attribut", f"{quoted(path.name)} has no column for an attribute")
        raise refuse(what, Text("die Datei mit mindestens einer Spalte ausgeben lassen", "export the file with at least one column"))
    layer = _layer(job, opened, seen, attributes)
    described = _described(opened, where, attributes, reading)
    source = None
    if described != Description(source_layer=wish.source_layer) or not layer.has_key:
        source = source_text(layer, _file(path, job.home), described, (*opened.remarks, *where.remarks))
    return Draft(layer.name, layer_text(layer, town), source)


def tell_draft(job: DraftJob, out: BinaryIO) -> None:
    """The draft as the last message, a sign of life with every batch before it."""
    draft = infer(job, lambda: tell(out, {"kind": "looking"}))
    tell(out, {"kind": "end", "layer": draft.layer, "text": draft.text, "source": draft.source})


def _whereabouts(opened: Opened, geometries: Geometries, town: Town) -> Whereabouts:
    """For a file with geometries of its own; columns of coordinates have been placed already."""
    if not geometries.known or opened.description.place != Place():
        return Whereabouts()
    return whereabouts(geometries.bounds.tolist(), opened.source.crs, town.epsg)


def _described(opened: Opened, where: Whereabouts, attributes: Sequence[DraftAttribute], reading: Reading) -> Description:
    """With a rule only for columns that an import would not match by itself, or would read in another way."""
    description = opened.description
    names = Counter(attribute_name(column) for column in opened.source.columns if column not in description.place.columns)
    columns = {
        each.column: ColumnRule(each.name, with_differences(reading, each.said))
        for each in attributes if can_be_written(each.column) and (each.said or names[each.name] != 1)
    }  # fmt: skip
    crs, prefix = where.crs or description.crs, where.zone_prefix or description.zone_prefix
    return replace(description, columns=columns, reading=reading, crs=crs, axes=where.axes, zone_prefix=prefix)


def _layer(job: DraftJob, opened: Opened, seen: Seen, attributes: Sequence[DraftAttribute]) -> DraftLayer:
    path, wish = job.files[0], job.wish
    name = wish.layer or layer_name(path, wish.source_layer)
    title = visible(wish.source_layer or SUFFIXES.sub("", path.name).replace("_", " ")) or name
    word = is_critical([name, title])
    class_ = UNREVIEWED if word else wish.class_
    remarks = [f"Verdacht: kritische Infrastruktur (der Name sagt `{word}`); Bestand und Ort bleiben `unreviewed`."] if word else []
    remarks += [] if any(each.key for each in attributes) else [NO_KEY]
    remarks += [f"{seen.broken_rows} Zeilen der Datei sind keine; so wird sie nicht übernommen."] if seen.broken_rows else []
    remarks += [f"{visible(column)}: {count} Werte {WRONG_KIND}" for column, count in seen.wrong.items()]
    left_out = [(column, PLACE_COLUMN) for column in opened.description.place.columns]
    left_out += [(column, NO_VALUES) for column, kind in opened.source.columns.items() if kind == "other"]
    geometry = _geometry(opened.source.crs, seen.geometries, class_)
    owner = wish.owner or next(iter(job.town.departments))
    return DraftLayer(name, title, owner, job.day, class_, geometry, attributes, visible(path.name), tuple(remarks), tuple(left_out))


def _geometry(crs: str | None, geometries: Geometries, class_: str) -> DraftGeometry | None:
    if geometries.type is None:
        return None
    heights = _heights(crs) if geometries.type.endswith("Z") else None
    return DraftGeometry(geometries.type, class_, heights, tuple(geometries.remarks()))


def _heights(crs: str | None) -> str:
    """The height system that the file names, by the first word of its name; else the one in force in Germany."""
    found = find_named(crs) if crs else None
    return found.sub_crs_list[1].name.split()[0] if found is not None and found.is_compound else HEIGHTS


def _file(path: Path, home: Path | None) -> str:
    """As a source file names it: from the town's folder where it lies there."""
    whole, root = path.resolve(), home.resolve() if home is not None else None
    return glob.escape(str(whole.relative_to(root) if root is not None and whole.is_relative_to(root) else whole))
