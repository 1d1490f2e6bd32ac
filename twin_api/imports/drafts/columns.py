"""One column looked through from the first value to the last: which forms its texts have, and how often.

Must never keep a value of a column whose values may not be written down: `listing` says whether it may.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from twin_api.imports.arrow import Values
from twin_api.imports.drafts.forms import BOOLEANS, forms_of, is_null_word, means_unknown
from twin_api.imports.drafts.suspects import likeness_of, patterns_in
from twin_api.imports.format import Kind

LISTED: Final = 12
LONGEST_LISTED: Final = 40
OFFSET: Final = re.compile(r":\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}(?::?\d{2})?)$")
MIDNIGHT: Final = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$")
MEMORY: Final = 20_000  # texts whose forms are remembered; a column repeats itself


class Column:
    """Counts over all rows seen, in memory that does not grow with the file.

    It keeps words that mean nothing, and a dozen values where they may be listed.
    """

    def __init__(self, header: str, kind: Kind, *, listing: bool = False, moments_in_utc: bool = False) -> None:
        self.header, self.kind, self._in_utc = header, kind, moments_in_utc
        self.rows = self.missing = 0
        self.null_words: Counter[str] = Counter()  # `-`, `k.A.`: as they are spelt
        self.unknown_words: Counter[str] = Counter()
        self.forms: Counter[str] = Counter()
        self.strangers = 0  # texts without any form
        self.likenesses: Counter[str] = Counter()
        self.patterns: set[str] = set()
        self.spellings: set[str] = set()  # of yes and no
        self.integral = True
        self.local = self.timed = 0  # moments without an offset; moments that are no midnight
        self.longest = self.letters = self.words = self.lost_letters = self.multiline = 0
        self.values: Counter[str] | None = Counter() if listing else None
        self._known: dict[str, frozenset[str]] = {}

    @property
    def texts(self) -> int:
        """Values that say something."""
        return self.rows - self.missing - self.null_words.total()

    def look(self, values: Values) -> None:
        self.rows += len(values)
        for value, count in Counter(values).items():
            if value is None:
                self.missing += count
            elif isinstance(value, str) and self.kind == "datetime":
                self.local += count * (not self._in_utc and OFFSET.search(value) is None)
                self.timed += count * (MIDNIGHT.search(value) is None)
            elif isinstance(value, str):
                self._look_at(value, count)
            elif isinstance(value, float):
                self.integral &= value == int(value) if abs(value) < 2**53 else False

    def _look_at(self, value: str, count: int) -> None:
        self.lost_letters += count * (not value.isascii() and "\ufffd" in value)
        plain = value.strip()
        if is_null_word(plain):
            self.null_words[plain] += count
            return
        forms = self._forms(plain)
        self.forms.update(dict.fromkeys(forms, count))
        if not forms:
            self.strangers += count
            self.unknown_words.update({plain: count} if means_unknown(plain) else {})
            self._look_into(value, count)
        elif not forms.isdisjoint(BOOLEANS):
            self.spellings.add(plain)
        self._list(value, count)

    def _forms(self, value: str) -> frozenset[str]:
        known = self._known.get(value)
        if known is None:
            known = forms_of(value)
            if len(self._known) < MEMORY:
                self._known[value] = known
        return known

    def _look_into(self, value: str, count: int) -> None:
        self.longest, self.multiline = max(self.longest, len(value)), self.multiline + ("\n" in value)
        self.letters, self.words = self.letters + len(value) * count, self.words + (value.count(" ") + 1) * count
        self.patterns.update(patterns_in(value))
        likeness = likeness_of(value)
        if likeness is not None:
            self.likenesses[likeness] += count

    def _list(self, value: str, count: int) -> None:
        if self.values is None:
            return
        self.values[value] += count
        if len(self.values) > LISTED or len(value) > LONGEST_LISTED:
            self.values = None
