"""A whole column read at once where nothing in it is wrong; what is wrong is found value by value."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twin_api.imports.values.plain import INT64_MAX, NO_TEXT, Unfit, read_integer, read_number, read_text
from twin_api.imports.values.readers import Read

NOTHING: Final = type(None)


def read_at_once(read: Read, values: Sequence[Any]) -> list[Any] | None:
    """What `read` makes of each value, `None` of `None`; nothing if it might refuse one, or would take as long value by value."""
    if read in _SOUND:
        return list(values) if _SOUND[read](values) else None
    distinct = set(values)
    if 2 * len(distinct) > len(values) or not set(map(type, distinct)) <= {str, NOTHING}:  # `1`, `1.0` and `True` are one key
        return None
    try:
        known = {value: None if value is None else read(value) for value in distinct}
    except Unfit:
        return None
    return [known[value] for value in values]


def _all_sound(values: Sequence[str | None]) -> bool:
    return NO_TEXT.search("".join(filter(None, values))) is None


def _all_fit(values: Sequence[int | None]) -> bool:
    known = [value for value in values if value is not None]
    return not known or (set(map(type, known)) == {int} and min(known) > -INT64_MAX and max(known) < INT64_MAX)


def _all_finite(values: Sequence[float | None]) -> bool:
    """A sum is finite only if all its terms are."""
    known = [value for value in values if value is not None]
    return set(map(type, known)) <= {float} and math.isfinite(sum(known))


_SOUND: Final[Mapping[Read, Callable[[Sequence[Any]], bool]]] = {read_text: _all_sound, read_integer: _all_fit, read_number: _all_finite}
