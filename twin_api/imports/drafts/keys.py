"""Which columns name each feature once and for all: looked for with eight bytes per feature and candidate, whatever the values are."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from twin_api.imports.arrow import Values
from twin_api.imports.naming import attribute_name

Columns = tuple[str, ...]
NAMED: Final = re.compile(
    r"(?:.*_)?(?:id|id_1|fid|gid|uid|uuid|guid|nr|nummer|no|kennung|kennz|kennzeichen|schluessel|kennziffer|ags|ars|oid|key|code)"
    r"|[a-z]+(?:nr|nummer|kennung|schluessel)|objectid|objektid|gml_id|objid|inspireid|globalid"
)
TECHNICAL: Final = frozenset({"objectid", "fid", "gid", "ogc_fid", "oid_1", "rowid", "objectid_1"})  # numbered anew by many programs
CANDIDATES: Final = 4
PAIRED: Final = 8
CHECK_AT: Final = 50_000  # values after which a candidate is looked at before the end


def sounds_like_key(header: str) -> bool:
    return NAMED.fullmatch(attribute_name(header)) is not None


def is_technical(header: str) -> bool:
    return attribute_name(header) in TECHNICAL


def singles(headers: Iterable[str]) -> list[Columns]:
    """Columns whose name says so first, the running numbers of a program after them."""
    return [(header,) for header in sorted(headers, key=lambda header: (not sounds_like_key(header), is_technical(header)))]


def pairs(headers: Iterable[str]) -> list[Columns]:
    """Two columns together; those that sound like keys first, and no endless list."""
    first = [header for (header,) in singles(headers)][:PAIRED]
    return list(combinations(first, 2))


class Uniqueness:
    """Which of the candidates are unique and never empty.

    In a pair that sounds like a key either part may be empty: OpenStreetMap numbers ways and areas apart.
    """

    def __init__(self, candidates: Sequence[Columns], is_null: Callable[[Any], bool]) -> None:
        self._digests: dict[Columns, array[int]] = {candidate: array("q") for candidate in candidates}
        self._is_null = is_null
        self._checked: dict[Columns, int] = {}

    def look(self, columns: Mapping[str, Values]) -> None:
        for candidate in list(self._digests):
            digests = self._of(candidate, columns)
            if digests is None or len(set(digests)) < len(digests):
                del self._digests[candidate]
                continue
            self._digests[candidate].extend(digests)
            self._check_early(candidate)
        for candidate in list(self._digests)[CANDIDATES:]:
            del self._digests[candidate]

    def found(self) -> list[Columns]:
        return [candidate for candidate in self._digests if len(self._digests[candidate]) > 1 and self._is_unique(candidate)]

    def _of(self, candidate: Columns, columns: Mapping[str, Values]) -> list[int] | None:
        known = [[None if self._is_null(value) else value for value in columns[name]] for name in candidate]
        if len(candidate) == 1:
            return None if None in known[0] else [hash(str(value)) for value in known[0]]
        rows = list(zip(*known, strict=True))
        optional = all(sounds_like_key(name) for name in candidate)
        if any((not any(part is not None for part in row)) if optional else None in row for row in rows):
            return None
        return [hash(repr(row)) for row in rows]

    def _check_early(self, candidate: Columns) -> None:
        """After every doubling, so that all checks together cost as much as two."""
        seen = len(self._digests[candidate])
        if seen >= CHECK_AT and seen >= 2 * self._checked.get(candidate, 0):
            self._checked[candidate] = seen
            if not self._is_unique(candidate):
                del self._digests[candidate]

    def _is_unique(self, candidate: Columns) -> bool:
        digests = np.frombuffer(self._digests[candidate], dtype=np.int64)
        return len(np.unique(digests)) == len(digests)
