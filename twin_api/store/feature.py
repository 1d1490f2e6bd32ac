"""The text of a feature (RFC 7946). Written when publishing, and anew where it is asked for in another way.

Must never be told anything but what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

Text = sa.ColumnElement[Any]

PROPERTIES: Final = ',"properties":{'  # between geometry and properties; nothing before it holds these words


def feature_of(head: Text, properties: Iterable[tuple[str, str, Text]]) -> Text:
    """`head` is the feature up to its properties; these follow in this order as name, type and value, absent values as null."""
    parts: list[Text] = [head]
    for number, (name, type_, value) in enumerate(properties):
        parts += [word(f'{"," if number else ""}"{name}":'), sa.func.coalesce(_json(type_, value), word("null"))]
    # concat takes at most 100 arguments
    chunks = [sa.func.concat(*parts[start : start + 90]) for start in range(0, len(parts), 90)]
    return sa.func.concat(*chunks, word("}}")) if len(chunks) > 1 else sa.func.concat(*parts, word("}}"))


def feature_head(id: Text, geometry: Text) -> Text:
    """The finished feature up to its properties; `geometry` is GeoJSON text or NULL."""
    return sa.func.concat(
        word('{"type":"Feature","id":"'), id, word('","geometry":'), sa.func.coalesce(geometry, word("null")), word(PROPERTIES)
    )


def word(text: str) -> Text:
    """A word of ours that belongs to the text of a statement, not to its parameters."""
    return sa.literal_column("'" + text.replace("'", "''") + "'", sa.Text())


def _json(type_: str, value: Text) -> Text:
    """One value as JSON text; NULL stays NULL."""
    match type_:
        case "integer" | "number" | "boolean":  # numbers are finite
            return sa.cast(value, sa.Text)
        case "datetime":
            naive = sa.cast(sa.func.to_json(sa.func.timezone(word("UTC"), value)), sa.Text)
            return sa.func.rtrim(naive, word('"')).op("||")(word('Z"'))
        case _:
            return sa.cast(sa.func.to_json(value), sa.Text)
