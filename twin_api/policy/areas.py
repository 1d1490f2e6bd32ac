"""Layers of areas, as `inside`, `area` and `group_by` name them.

Must never let a role's rows or places be told apart by areas that the role itself may not see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin_api.policy.documents import Layer, Place, Town
from twin_api.policy.finding import Findings, listed, quoted
from twin_api.texts import Text

SURFACES: Final = ("Polygon", "MultiPolygon")
LAYER: Final = Text("einen Layer", "layer")


def area_layer(name: str, place: Place, layer: Layer, layers: Mapping[str, Layer | None], findings: Findings) -> Layer | None:
    """The layer of areas called `name`, fit to sort the items of `layer`; None after a finding, or where its own file holds one."""
    if name not in layers:
        findings.unknown(place, LAYER, name, [known for known, other in layers.items() if other is not None and _has_areas(other)])
        return None
    areas = layers[name]
    if areas is None:
        return None
    wrong = _unfit(areas, layer)
    if wrong is not None:
        findings.add(place, *wrong)
        return None
    return areas


def _has_areas(layer: Layer) -> bool:
    return layer.geometry is not None and layer.geometry.type in SURFACES


def _unfit(areas: Layer, layer: Layer) -> tuple[Text, Text] | None:
    if not _has_areas(areas) or areas.geometry is None:
        what = Text(f"{quoted(areas.name)} hat keine Flächen", f"{quoted(areas.name)} has no areas")
        return what, Text("einen Layer der Art `Polygon` oder `MultiPolygon` nennen", "name a layer of type `Polygon` or `MultiPolygon`")
    if layer.geometry is None:
        what = Text(f"der Layer {quoted(layer.name)} hat keine Geometrie", f"the layer {quoted(layer.name)} has no geometry")
        return what, Text("ohne Flächen schreiben", "write it without areas")
    if areas.name == layer.name:
        what = Text(f"{quoted(areas.name)} kann nicht sich selbst einteilen", f"{quoted(areas.name)} cannot sort itself")
        return what, Text("einen anderen Layer mit Flächen nennen", "name another layer of areas")
    if areas.geometry.epsg != layer.geometry.epsg:
        numbers = f"{areas.geometry.epsg} / {layer.geometry.epsg}"
        what = Text(f"{quoted(areas.name)} und {quoted(layer.name)} liegen in verschiedenen Koordinatensystemen ({numbers})",
                    f"{quoted(areas.name)} and {quoted(layer.name)} lie in different coordinate systems ({numbers})")  # fmt: skip
        return what, Text("beide im selben führen", "keep both in the same one")
    if not areas.key:
        what = Text(f"{quoted(areas.name)} hat keinen Schlüssel", f"{quoted(areas.name)} has no key")
        return what, Text("dort ein Attribut mit `key: true` versehen", "give one of its attributes `key: true`")
    return None


def check_areas_seen(areas: Layer, attributes: tuple[str, ...], role: str, town: Town, place: Place, findings: Findings) -> None:
    """Areas and the names by which they are told apart must be of classes that the role may see; no release lifts that."""
    used = {"existence": areas.existence, "geometry": areas.geometry.class_ if areas.geometry else ""}
    used |= {name: areas.attributes[name].class_ for name in attributes}
    hidden = [name for name, class_ in used.items() if not town.classes[class_].is_seen_by(role)]
    if hidden:
        what = Text(f"`{role}` darf die Flächen von {quoted(areas.name)} nicht sehen: {listed(hidden)}",
                    f"`{role}` may not see the areas of {quoted(areas.name)}: {listed(hidden)}")  # fmt: skip
        findings.add(
            place, what, Text("Flächen nehmen, die alle sehen dürfen, etwa Ortsteile", "take areas everybody may see, such as districts")
        )
