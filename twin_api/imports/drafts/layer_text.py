"""The draft of `layers/<name>.yaml` in words: a file that loads as it is, and says in comments what a person has to decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from twin_api.imports.drafts.attributes import DraftAttribute
from twin_api.imports.drafts.yaml_text import comment, scalar, table
from twin_api.policy.documents import GeometryType, Town
from twin_api.policy.town import UNREVIEWED

CHECK: Final = "# bitte prüfen"
RIGHTS: Final = "Rechteinhaber, Lizenz, Nutzung (own, open, internal-only)"
REVIEW_AFTER: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class DraftGeometry:
    type: GeometryType
    class_: str
    heights: str | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DraftLayer:
    """`class_` is that of the layer's existence. `remarks` in German, without values; `left_out` are columns with the reason."""

    name: str
    title: str
    owner: str
    day: date
    class_: str
    geometry: DraftGeometry | None
    attributes: Sequence[DraftAttribute]
    file: str
    remarks: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def has_key(self) -> bool:
        return any(attribute.key for attribute in self.attributes)


def layer_text(layer: DraftLayer, town: Town) -> str:
    return "\n".join([*_head(layer, town), *_geometry(layer, town), *_datetime(layer), "", *_attributes(layer), *_left_out(layer)]) + "\n"


def _head(layer: DraftLayer, town: Town) -> Iterator[str]:
    yield "# yaml-language-server: $schema=../.schema/layer.schema.json"
    yield comment(f"Entwurf aus {layer.file} (`twin layers infer`), von niemandem geprüft. A draft, reviewed by nobody.")
    yield "# Klasse `unreviewed`: niemand sieht es, bis jemand es einstuft. Danach: `twin policy check`."
    yield from (comment(remark) for remark in layer.remarks)
    yield ""
    yield f"layer: {scalar(layer.name)}"
    yield f"title: {table([('de', scalar(layer.title))])}"
    yield f"owner: {layer.owner}  {CHECK}"
    yield f"source: {{holder: {scalar(town.name)}, licence: keine, terms: internal-only}}  {CHECK}: {RIGHTS}"
    yield f"purpose: noch einzutragen  {CHECK}: Zweck und Rechtsgrundlage"
    yield f"classified: {{by: {layer.owner}, on: {layer.day}, review: {layer.day + REVIEW_AFTER}}}  {CHECK}"
    yield f"existence: {layer.class_}{_unless_open(layer.class_)}"


def _unless_open(class_: str) -> str:
    return f"  {CHECK}: wer darf wissen, dass es diesen Layer gibt?" if class_ == UNREVIEWED else ""


def _geometry(layer: DraftLayer, town: Town) -> Iterator[str]:
    if layer.geometry is None:
        return
    yield from (comment(remark) for remark in layer.geometry.remarks)
    entries = [("type", layer.geometry.type), ("epsg", str(town.epsg))]
    entries += [("heights", scalar(layer.geometry.heights))] if layer.geometry.heights else []
    asked = f"  {CHECK}: das Höhensystem" if layer.geometry.heights else ""
    yield f"geometry: {table([*entries, ('class', layer.geometry.class_)])}{asked}"


def _datetime(layer: DraftLayer) -> Iterator[str]:
    """The first day or moment that is not about a person."""
    moments = [each.name for each in layer.attributes if each.type in ("date", "datetime") and not each.suspect]
    yield from (f"datetime: {scalar(name)}  {CHECK}" for name in moments[:1])


def _attributes(layer: DraftLayer) -> Iterator[str]:
    yield "attributes:"
    for attribute in layer.attributes:
        yield from (f"  {comment(remark)}" for remark in attribute.remarks)
        yield f"  {scalar(attribute.name)}: {table(_entries(attribute))}"


def _entries(attribute: DraftAttribute) -> Iterator[tuple[str, str]]:
    yield "title", table([("de", scalar(attribute.title))])
    yield "type", attribute.type
    if attribute.unit is not None:
        yield "unit", scalar(attribute.unit)
    yield "class", attribute.class_
    yield from ((mark, "true") for mark in ("key", "locates", "free_text") if getattr(attribute, mark))
    if attribute.enum:
        yield "enum", table((value, scalar(value)) for value in attribute.enum)


def _left_out(layer: DraftLayer) -> Iterator[str]:
    if layer.left_out:
        yield "# Nicht als Attribut angelegt:"
        yield from (comment(f"  {header}: {reason}") for header, reason in layer.left_out)
