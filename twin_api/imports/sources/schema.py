"""Source files as JSON Schema 2020-12, for editors that complete what is typed.

Must never be stricter than the reader, which alone decides.
"""

from __future__ import annotations

from typing import Any, Final, get_args

from twin_api.imports.sources.file import OPTIONAL, REQUIRED
from twin_api.imports.sources.place import AXES, PLACE
from twin_api.imports.sources.reading import OF_A_COLUMN
from twin_api.imports.sources.rhythm import Every
from twin_api.imports.sources.whence import Service
from twin_api.imports.values.units import KNOWN
from twin_api.policy.documents import Policies
from twin_api.policy.schema import DIALECT
from twin_api.policy.schema_grant import Names, closed, list_of, named

Schema = dict[str, Any]
TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer", "minimum": 1}
FLAG: Final[Schema] = {"type": "boolean"}
READING: Final[dict[str, Schema]] = {
    "decimal": {"enum": [".", ","]}, "thousands": TEXT, "dates": {"type": "string", "examples": ["DD.MM.YYYY"]},
    "zone": {"type": "string", "examples": ["Europe/Berlin"]}, "nulls": list_of(TEXT, unique=False),
}  # fmt: skip


def source_schema(policies: Policies | None) -> Schema:
    """With policies, the town's layers and attributes are completed; without, any well-formed name will do."""
    names = Names.of(policies)
    attributes = sorted({attribute for known in (names.attributes or {}).values() for attribute in known})
    makers = READING | {
        "layer": named(names.layers),
        "service": {"enum": list(get_args(Service))},
        "crs": {"type": "string", "examples": ["EPSG:25832"]},
        "axes": {"enum": list(AXES)},
        "zone_prefix": WHOLE,
        "header": WHOLE,
        "place": closed("source.place", dict.fromkeys(PLACE, TEXT), (), PLACE),
        "columns": {"type": "object", "additionalProperties": {"anyOf": [named(attributes), _column(attributes)]}},
        "replace": FLAG,
        "may_shrink": FLAG,
        "every": {"enum": list(get_args(Every))},
        "at": {"type": "string", "examples": ["02:30"]},
        "stale_after": {"type": "string", "examples": ["3 days"]},
    }
    title = "Eine Quelle: woher Daten kommen und wie sie zu lesen sind / A source: where data come from and how they are read"
    known = {key: makers.get(key, TEXT) for key in (*REQUIRED, *OPTIONAL)}
    return {"$schema": DIALECT, "title": title, **closed("source", known, REQUIRED, OPTIONAL)}


def _column(attributes: list[str]) -> Schema:
    scalar = {"type": ["string", "number", "boolean"]}
    values = {"type": "object", "additionalProperties": scalar}
    makers = READING | {"to": named(attributes), "values": values, "unit": {"type": "string", "examples": list(KNOWN)}}
    return closed("source.column", makers, (), OF_A_COLUMN)
