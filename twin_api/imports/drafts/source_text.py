"""The draft of `sources/<name>.yaml` in words: what the file does not say itself, for `twin import` and the worker to read it by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from twin_api.imports.description import Description, Place
from twin_api.imports.drafts.attributes import DraftAttribute
from twin_api.imports.drafts.layer_text import DraftLayer
from twin_api.imports.drafts.yaml_text import comment, items, scalar, table

EXPLAINED: Final = {
    "crs": "Koordinatensystem der Datei", "axes": "Hochwert (oder Breite) steht vor Rechtswert (oder Länge)",
    "zone_prefix": "Ziffern der Zone vor dem Rechtswert", "encoding": "Zeichensatz der Datei", "separator": "Trennzeichen der Spalten",
    "header": "Zeile mit den Überschriften", "decimal": "Dezimalzeichen der Datei", "dates": "Form von Tagen und Zeitpunkten",
    "nulls": "diese Wörter heißen: nicht bekannt", "from": "Layer in der Datei",
}  # fmt: skip
UNSEEN: Final = "unsichtbare Zeichen im Namen der Spalte: in der Datei umbenennen"


def source_text(layer: DraftLayer, files: str, description: Description, remarks: Iterable[str]) -> str:
    """`files` is their pattern. With `replace: true` where no key would recognise a row."""
    lines = [comment(f"Entwurf (`twin layers infer`): wie {layer.file} gelesen wird. Bitte prüfen. How it is read; please check.")]
    lines += [comment(remark) for remark in remarks]
    lines += ["", f"layer: {scalar(layer.name)}", f"files: {scalar(files)}"]
    lines += _members(description)
    if not layer.has_key:
        lines.append("replace: true  # ohne Schlüssel wird der Bestand jedes Mal ersetzt")
    return "\n".join([*lines, *_columns(layer.attributes, description)]) + "\n"


def _members(description: Description) -> Iterator[str]:
    empty, reading = Description(), description.reading
    said: list[tuple[str, Any]] = [("from", description.source_layer), ("crs", description.crs)]
    said += [("axes", description.axes if description.axes != empty.axes else None), ("zone_prefix", description.zone_prefix)]
    said += [("place", _place(description.place)), ("encoding", description.encoding), ("separator", description.separator)]
    said += [("header", description.header if description.header != empty.header else None)]
    said += [("decimal", reading.decimal if reading.decimal != empty.reading.decimal else None), ("dates", reading.dates)]
    said += [("nulls", sorted(reading.nulls) or None)]
    for key, value in said:
        if value is not None:
            why = f"  # {EXPLAINED[key]}" if key in EXPLAINED else ""
            yield f"{key}: {_written(key, value)}{why}"


def _place(place: Place) -> str | None:
    named = [(axis, scalar(column)) for axis, column in (("x", place.x), ("y", place.y), ("z", place.z), ("wkt", place.wkt)) if column]
    return table(named) if named else None


def _written(key: str, value: Any) -> str:
    if value == "\t":
        return "tab"
    if isinstance(value, (list, frozenset)):
        return items(sorted(value))
    if isinstance(value, dict):
        return table((word, f'"{meant}"') for word, meant in value.items())
    return value if key == "place" else scalar(str(value)) if isinstance(value, str) else str(value)


def _columns(attributes: Sequence[DraftAttribute], description: Description) -> Iterator[str]:
    """Columns that are read in their own way, or that an import would not match with their attribute."""
    ruled = [attribute for attribute in attributes if attribute.column in description.columns]
    unseen = [attribute for attribute in attributes if attribute.said and attribute not in ruled]
    if ruled or unseen:
        yield "columns:" + ("" if ruled else " {}") + "  # Spalte der Datei: Attribut des Layers"
    yield from (f"  {_column(attribute)}" for attribute in ruled)
    yield from (f"  {comment(f'{_column(attribute)} ({UNSEEN})')}" for attribute in unseen)


def _column(attribute: DraftAttribute) -> str:
    said = [("to", scalar(attribute.name)), *((key, _written(key, value)) for key, value in attribute.said.items())]
    return f"{scalar(attribute.column)}: {table(said) if attribute.said else scalar(attribute.name)}"
