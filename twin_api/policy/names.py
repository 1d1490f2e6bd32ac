"""Which names a policy may give: short, plain, and none that means something else in an address.

Must never let two things share a name where a request or a file could take one for the other.
"""

from __future__ import annotations

import re
from typing import Final

from twin_api.policy.documents import Place
from twin_api.policy.finding import Findings, quoted
from twin_api.texts import Text

NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_SPELLED_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "-": "_", " ": "_"})

# parameters of requests, members of an answer, and words of the policy language itself (`existence`, `inside`)
RESERVED_ATTRIBUTES: Final = frozenset({
    "id", "geometry", "bbox", "datetime", "limit", "offset", "filter", "filter_lang", "filter_crs", "crs", "bbox_crs", "sortby",
    "properties", "f", "q", "profile", "cursor", "lang", "type", "links", "existence", "inside",
    "import_id", "xmin", "xmax", "cmin", "cmax", "ctid", "tableoid", "oid",  # columns that every table of PostgreSQL has already
})  # fmt: skip
# tables and types of PostGIS; a table is a type too
RESERVED_LAYERS: Final = frozenset({
    "geometry", "geography", "box2d", "box3d", "raster", "topology", "spatial_ref_sys", "geometry_columns", "geography_columns",
})  # fmt: skip
RESERVED_COLLECTIONS: Final = RESERVED_LAYERS | {"collection", "about"}
RESERVED_ENDINGS: Final = ("_pkey", "_key")  # of indexes, which share their names with tables
PREVIEW_ENDING: Final = "_preview"  # of the schemas of previews
RESERVED_PARTS: Final = frozenset({
    "collections", "conformance", "api", "functions", "items", "queryables", "schema", "search", "styles", "tiles", "map", "jobs",
    "processes", "sensorthings", "oparl", "open311", "stac", "login", "logout", "static", "admin", "docs", "openapi", "healthz", "readyz",
    "preview",  # what `twin policy preview` calls its own schemas
    "owner", "writer", "audit", "control", "superuser", "pepper", "reader",  # logins of the database, files of secrets
})  # fmt: skip


def check_name(name: str, place: Place, findings: Findings, reserved: frozenset[str] = frozenset(), longest: int = 40) -> None:
    if not NAME.fullmatch(name):
        what = Text(f"{quoted(name)} ist als Name nicht möglich", f"{quoted(name)} cannot be a name")
        findings.add(place, what, _spelling(name))
    elif len(name) > longest:
        what = Text(f"{quoted(name)} ist länger als {longest} Zeichen", f"{quoted(name)} is longer than {longest} characters")
        findings.add(place, what, Text("kürzer fassen", "make it shorter"))
    elif name in reserved:
        what = Text(
            f"{quoted(name)} ist vergeben (Wort der Schnittstelle oder der Datenbank)",
            f"{quoted(name)} is taken (a word of the interface or the database)",
        )
        findings.add(place, what, Text(f"anders nennen, etwa `{name}_1`", f"name it differently, such as `{name}_1`"))


def check_table_name(name: str, place: Place, findings: Findings, reserved: frozenset[str]) -> None:
    """The name of a layer or a collection, which names a relation of the database."""
    check_name(name, place, findings, reserved)
    ending = next((ending for ending in RESERVED_ENDINGS if name.endswith(ending)), None)
    if ending is not None:
        what = Text(f"{quoted(name)} endet auf `{ending}` wie ein Index der Datenbank", f"{quoted(name)} ends in `{ending}` like an index")
        findings.add(place, what, Text("anders enden lassen", "let it end differently"))


def check_part_name(name: str, place: Place, findings: Findings, longest: int) -> None:
    """The name of a part, which names a schema: none that a preview of another part would take for its own, and remove."""
    check_name(name, place, findings, RESERVED_PARTS, longest)
    if name.endswith(PREVIEW_ENDING):
        what = Text(
            f"{quoted(name)} endet auf `{PREVIEW_ENDING}` wie eine Vorschau", f"{quoted(name)} ends in `{PREVIEW_ENDING}` like a preview"
        )
        findings.add(place, what, Text("anders enden lassen", "let it end differently"))


def _spelling(name: str) -> Text:
    form = name[:60].lower().translate(_SPELLED_OUT)
    if NAME.fullmatch(form):
        return Text(f"{quoted(form)} schreiben", f"write {quoted(form)}")
    return Text("erlaubt sind a-z, 0-9 und `_`, am Anfang ein Buchstabe", "allowed are a-z, 0-9 and `_`, beginning with a letter")
