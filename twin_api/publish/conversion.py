"""How the values of an attribute become values of another type: only where every one of them says the same afterwards.

INVARIANT: every `fits` is total, so that no stored value can make it fail; `value` is computed only where `fits` holds.
Texts are read in the forms that an import reads (`imports.values`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from twin_api.layers.table import MOMENTS


@dataclass(frozen=True, slots=True)
class Conversion:
    """SQL about one column: which values convert, and to what."""

    _fits: str
    _value: str

    def fits(self, column: str) -> str:
        return self._fits.replace("@", column)

    def value(self, column: str) -> str:
        return self._value.replace("@", column)


# no backslash in any of it: what one means is a setting of the session
_DAY: Final = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME: Final = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,6})?)?"
_OFFSET: Final = "(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)"
_NUMBER: Final = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
# counted from the first of its month, a day that the calendar does not know comes out as another one
_IS_DAY: Final = "to_char(make_date(left(@, 4)::int, substr(@, 6, 2)::int, 1) + (substr(@, 9, 2)::int - 1), 'YYYY-MM-DD') = left(@, 10)"
# the smallest and the largest double; below and above, reading fails
_DOUBLE: Final = "@::numeric = 0 OR abs(@::numeric) BETWEEN 5e-324 AND 1.7976931348623157e308"
_WHOLE: Final = 2**53  # up to here a double tells every whole number from the next
_UTC: Final = "timezone('UTC', @)"


def _if(condition: str, then: str) -> str:
    """`then` is looked at only where the condition holds."""
    return f"CASE WHEN {condition} THEN {then} ELSE false END"


CONVERSIONS: Final = {
    ("integer", "text"): Conversion("true", "@::text"),
    ("number", "text"): Conversion("true", "@::text"),
    ("boolean", "text"): Conversion("true", "@::text"),
    ("date", "text"): Conversion("true", "to_char(@, 'YYYY-MM-DD')"),
    ("datetime", "text"): Conversion("true", f"""trim(both '"' from to_json({_UTC})::text) || 'Z'"""),
    ("text", "integer"): Conversion(
        _if("@ ~ '^[+-]?[0-9]{1,19}$'", "abs(@::numeric) < 9223372036854775807"), "@::bigint"
    ),
    ("text", "number"): Conversion(_if(f"length(@) <= 400 AND @ ~ '^{_NUMBER}$'", _DOUBLE), "@::float8"),
    ("text", "boolean"): Conversion("@ IN ('true', 'false')", "@ = 'true'"),
    ("text", "date"): Conversion(
        _if(f"@ ~ '^{_DAY}$' AND left(@, 4) <> '0000'", _IS_DAY),
        "make_date(left(@, 4)::int, substr(@, 6, 2)::int, substr(@, 9, 2)::int)",
    ),
    ("text", "datetime"): Conversion(
        _if(
            f"@ ~ '^{_DAY}[T ]{_TIME}{_OFFSET}$' AND left(@, 4) <> '0000'",
            _if(_IS_DAY, f"@::timestamptz {MOMENTS}"),
        ),
        "@::timestamptz",
    ),
    ("integer", "number"): Conversion(f"@ BETWEEN -{_WHOLE} AND {_WHOLE}", "@::float8"),
    ("number", "integer"): Conversion(f"@ = trunc(@) AND abs(@) <= {_WHOLE}", "@::bigint"),
    ("date", "datetime"): Conversion("true", "timezone('UTC', @::timestamp)"),
    ("datetime", "date"): Conversion(f"date_trunc('day', {_UTC}) = {_UTC}", f"({_UTC})::date"),
}  # fmt: skip
# where nothing converts, an attribute without any value still can change its type
NO_CONVERSION: Final = Conversion("false", "NULL")
