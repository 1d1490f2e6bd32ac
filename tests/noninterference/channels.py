"""The channels of the catalogue (numbered as there): how requests reach them, and those that are looked at elsewhere or are not there yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

BETWEEN: Final = 0  # no channel, but a way through all of them
FULL: Final = 4000  # pairs
LEAST: Final = 60  # times that each channel is reached in a full run of one role: about half of what is drawn of the rarest

REACHED: Final = {
    BETWEEN: "the same town asked again after hidden writes",
    1: "list of collections, landing page, conformance",
    2: "OpenAPI document",
    3: "counts of what matches",
    4: "extents in space and time",
    5: "ids and cursors",
    6: "order after rows moved about on disk",
    7: "ETag and 304",
    8: "hidden attribute as a filter",
    9: "values that cannot be read",
    10: "sorting by a hidden attribute",
    11: "boxes around true places",
    12: "distance from true places",
    13: "digits of coordinates",
    14: "the same request again",
    19: "answer kept for another role",
    23: "figures: small groups",
    24: "figures: differences",
    28: "links to follow",
    33: "texts of errors",
    34: "hidden, absent, forbidden",
    35: "time: statements whose buffers were counted",
    36: "caches: Vary, codings, validators",
    37: "other origins",
    38: "health, and others at work meanwhile",
    41: "exports: a page as CSV or GeoJSON sequence, a collection as GeoPackage",
    45: "what was visible once",
    46: "embargo, and time as a filter",
    47: "methods that write",
    48: "conditions that write",
    52: "pages for people",
}
ELSEWHERE: Final = {
    15: "policy lint (`locates`, groups)",
    25: "no minima or maxima; sums and means: tests/policy, tests/publish",
    39: "tests/leaks/process.py",
    40: "tests/leaks/grants.py",
    42: "backups: tests/faults",
    44: "tests/identity",
    50: "tests/leaks/reach.py",
    51: "tests/leaks/grants.py",
}
NOT_YET: Final = {
    16: "vector tiles",
    17: "vector tiles",
    18: "vector tiles",
    20: "signed addresses of tiles",
    21: "3D",
    22: "styles",
    26: "search",
    27: "completion and facets",
    29: "sensors",
    30: "sensors",
    31: "scenarios",
    32: "processes",
    43: "papers",
    49: "events",
}
assert REACHED.keys() | ELSEWHERE.keys() | NOT_YET.keys() == set(range(53))


def unreached(counts: Counter[int], pairs: int) -> list[int]:
    """Channels reached less often than a full run owes; a shorter one owes nothing."""
    return [channel for channel in REACHED if pairs >= FULL and counts[channel] < LEAST]


def table(counts: Counter[int]) -> Iterator[str]:
    for channel in range(53):
        if channel in REACHED:
            yield f"  {channel:>2}  {REACHED[channel]:<52} {counts[channel]:>7}"
        elif channel in ELSEWHERE:
            yield f"  {channel:>2}  elsewhere: {ELSEWHERE[channel]}"
        else:
            yield f"  {channel:>2}  not yet: {NOT_YET[channel]}"
