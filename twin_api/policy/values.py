"""Values in row rules: what stands in a policy becomes a value of the attribute's type.

Must never convert what a person could have meant differently: `12` is no text, `3.5` no whole number, a bare date no moment.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from math import isfinite
from typing import Final

from twin_api.policy.documents import Attribute, Place
from twin_api.policy.fields import parse_date
from twin_api.policy.finding import Findings, quoted
from twin_api.policy.rule import Value
from twin_api.policy.yaml_file import Node, Plain, Scalar, as_written, check_visible
from twin_api.texts import Text

BIGINT: Final = 2**63
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_EXAMPLES: Final[dict[str, Text]] = {
    "text": Text("Text schreiben", "write text"),
    "integer": Text("eine ganze Zahl ohne Anführungszeichen schreiben", "write a whole number without quotes"),
    "number": Text("eine Zahl mit Punkt schreiben, etwa `12.5`", "write a number with a point, such as `12.5`"),
    "boolean": Text("`true` oder `false` schreiben", "write `true` or `false`"),
    "date": Text("als `JJJJ-MM-TT` schreiben, etwa `2026-11-20`", "write `YYYY-MM-DD`, such as `2026-11-20`"),
    "datetime": Text(
        "mit Zeitzone schreiben, in den Jahren 1 bis 9999 (UTC), etwa `2026-11-20T08:30:00+01:00`",
        "write it with its offset, within the years 1 to 9999 (UTC), such as `2026-11-20T08:30:00+01:00`",
    ),
}


def read_value(node: Node, attribute: Attribute, findings: Findings) -> Value | None:
    """The value for comparing with the attribute; None after a finding."""
    if isinstance(node, Scalar):
        return convert(node.value, attribute, node.place, findings)
    what = Text("hier wird ein einzelner Wert erwartet", "a single value is expected here")
    findings.add(node.place, what, _EXAMPLES[attribute.type])
    return None


def convert(plain: Plain | date | datetime, attribute: Attribute, place: Place, findings: Findings) -> Value | None:
    value = _typed(plain, attribute.type)
    if isinstance(value, str) and not check_visible(value, place, findings):
        return None
    if value is None:
        shown, kind = quoted(plain) if plain is not None else "…", attribute.type
        what = Text(f"{shown} passt nicht zu `{attribute.name}` ({kind})", f"{shown} does not fit `{attribute.name}` ({kind})")
        is_unquoted = kind == "text" and isinstance(plain, int | float)
        findings.add(place, what, _in_quotes(plain) if is_unquoted and not isinstance(plain, date) else _EXAMPLES[kind])
    elif attribute.enum is not None and value not in attribute.enum:
        findings.unknown(
            place, Text(f"einen Wert von `{attribute.name}` namens", f"value of `{attribute.name}`"), str(value), attribute.enum
        )
        return None
    return value


def _in_quotes(plain: Plain | date) -> Text:
    form = as_written(plain) if not isinstance(plain, date) else ""
    return Text(f"in Anführungszeichen setzen: {form}", f"put it in quotes: {form}")


def _typed(plain: Plain | date | datetime, type_: str) -> Value | None:
    if type_ == "text":
        return plain if isinstance(plain, str) else None
    if type_ == "boolean":
        return plain if isinstance(plain, bool) else None
    if type_ == "date":
        return plain if type(plain) is date else parse_date(plain) if isinstance(plain, str) else None
    if type_ == "datetime":
        return plain if isinstance(plain, datetime) else parse_moment(plain) if isinstance(plain, str) else None
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        return None
    return _integer(plain) if type_ == "integer" else _number(plain)


def _integer(plain: float) -> int | None:
    return plain if isinstance(plain, int) and -BIGINT <= plain < BIGINT else None


def _number(plain: float) -> float | None:
    """A finite double that is exactly the number written; a whole number too long for that is none."""
    try:
        return float(plain) if isfinite(plain) and float(plain) == plain else None
    except OverflowError:
        return None


def parse_moment(text: str) -> datetime | None:
    """RFC 3339 with an offset, in UTC, so that equal moments are equal values."""
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
