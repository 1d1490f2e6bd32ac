"""`sources/<name>.yaml`: where data come from, into which layer, how they are read, and how often."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from twin_api.imports.description import Description, Reading
from twin_api.imports.description import Place as PlaceColumns
from twin_api.imports.sources.place import AXES, HEADERS, ZONES, crs_of, encoding_of, place_of, separator_of, whole_within
from twin_api.imports.sources.reading import FILE_WIDE, read_columns, read_reading
from twin_api.imports.sources.rhythm import RHYTHM, Rhythm, read_rhythm
from twin_api.imports.sources.whence import WHENCE, Whence, read_whence
from twin_api.policy.documents import Layer, Place, Policies
from twin_api.policy.fields import Fields, flag_of, one_of, text_of
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.names import check_name
from twin_api.policy.yaml_file import MAX_BYTES, Node, read
from twin_api.texts import Text

SHELF: Final = "sources"
REQUIRED: Final = ("layer",)
DESCRIPTION: Final = ("from", "where", "crs", "axes", "zone_prefix", "place", "encoding", "separator", "header", *FILE_WIDE, "columns")
OPTIONAL: Final = (*WHENCE, *DESCRIPTION, "replace", "may_shrink", *RHYTHM, "holder", "licence")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One source. Without a rhythm it only describes what a person imports; `holder` and `licence` are the layer's unless said.

    `digest` tells one text of the file from another.
    """

    name: str
    layer: str
    whence: Whence
    description: Description
    replace: bool
    rhythm: Rhythm | None
    holder: str | None
    licence: str | None
    place: Place
    digest: str
    may_shrink: bool = False


def read_sources(folder: Path, policies: Policies) -> tuple[dict[str, SourceFile], Findings]:
    """The sources of the folder that hold no mistake, by name, and the mistakes of the others. No folder, no sources."""
    findings = Findings()
    sources: dict[str, SourceFile] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix == ".yaml" and not path.name.startswith("."):
            source = read_source(path, policies, findings)
            sources |= {source.name: source} if source is not None else {}
        elif path.suffix.lower() in (".yaml", ".yml"):
            what = Text("die Endung muss `.yaml` sein", "the ending must be `.yaml`")
            findings.add(Place(_shown(path), 1), what, Text("die Datei umbenennen", "rename the file"))
    return sources, findings


def read_source(path: Path, policies: Policies, findings: Findings) -> SourceFile | None:
    """The source of one file; None after a finding."""
    before, file = len(findings), _shown(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError:
        what = Text("die Datei ist nicht lesbar", "the file cannot be read")
        findings.add(Place(file, 1), what, Text("eine gewöhnliche, lesbare Datei hinlegen", "put an ordinary, readable file there"))
        return None
    node = read(data, file, findings)
    if node is None and len(findings) == before:
        findings.add(
            Place(file, 1), Text("die Datei ist leer", "the file is empty"), Text("ausfüllen oder löschen", "fill it or delete it")
        )
    source = None if node is None else _source(node, path.stem, hashlib.sha256(data).hexdigest(), policies, findings)
    return source if len(findings) == before else None


def _shown(path: Path) -> str:
    return f"{SHELF}/" + "".join(letter if letter.isprintable() else "?" for letter in path.name)


def _source(node: Node, name: str, digest: str, policies: Policies, findings: Findings) -> SourceFile:
    fields = Fields(node, findings, REQUIRED, OPTIONAL)
    check_name(name, fields.place, findings)
    layer_name = fields.get("layer", one_of(policies.layers, Text("einen Layer", "layer")), "")
    layer = policies.layers.get(layer_name)
    source = SourceFile(
        name, layer_name, read_whence(fields, needed="every" in fields), _description(fields, layer),
        fields.get("replace", flag_of, False), read_rhythm(fields), fields.get("holder", text_of, None),
        fields.get("licence", text_of, None), fields.place, digest,
        fields.get("may_shrink", flag_of, False),
    )  # fmt: skip
    if layer is not None:
        _check_layer(source, layer, fields)
    return source


def _description(fields: Fields, layer: Layer | None) -> Description:
    reading, empty = read_reading(fields, Reading()), Description()
    axes = fields.get("axes", one_of(AXES, Text("eine Achsenfolge", "order of axes")), str(empty.axes))
    return Description(
        columns=fields.get("columns", lambda n, f: read_columns(n, layer, reading, f), empty.columns),
        reading=reading,
        source_layer=fields.get("from", text_of, None),
        where=fields.get("where", text_of, None),
        crs=fields.get("crs", crs_of, None),
        axes=cast("Literal['as-declared', 'swapped']", axes),
        zone_prefix=fields.get("zone_prefix", whole_within(ZONES), None),
        place=fields.get("place", place_of, PlaceColumns()),
        encoding=fields.get("encoding", encoding_of, None),
        separator=fields.get("separator", separator_of, None),
        header=fields.get("header", whole_within(HEADERS), empty.header),
    )


def _check_layer(source: SourceFile, layer: Layer, fields: Fields) -> None:
    """What does not go together with the layer, and would be refused at every import."""
    if not layer.key and not source.replace:
        what = Text(f"der Layer {quoted(layer.name)} hat keinen Schlüssel, seine Zeilen lassen sich nicht wiedererkennen",
                    f"the layer {quoted(layer.name)} has no key, its rows cannot be recognised")  # fmt: skip
        fields.findings.add(fields.at("layer"), what, Text("`replace: true` ergänzen", "add `replace: true`"))
    for key in ("place", "crs", "axes", "zone_prefix"):
        if key in fields and layer.geometry is None:
            what = Text(f"der Layer {quoted(layer.name)} hat keine Geometrie", f"the layer {quoted(layer.name)} has no geometry")
            fields.findings.add(fields.at(key), what, Text(f"`{key}` löschen", f"delete `{key}`"))
