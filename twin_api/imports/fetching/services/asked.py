"""What is asked of a server, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.reach import Url
from twin_api.imports.finding import FileRefused, refuse
from twin_api.policy.finding import listed, quoted, suggestion
from twin_api.texts import Text

PAGES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Asked:
    """`epsg` is the layer's CRS, to be asked for where the server offers it. `suffixes` are of the files that can be read.

    `known` are the headers by which the server said last time what state its file is in: `etag`, `last-modified`.
    """

    url: Url
    collection: str | None = None
    epsg: int | None = None
    suffixes: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """No `files` where nothing has changed. `digest` tells one content from another; `crs` is set where the files do not say it."""

    files: tuple[Path, ...]
    digest: str
    known: Mapping[str, str] = field(default_factory=dict)
    crs: str | None = None


Gather = Callable[[Asked, Fetcher, Path], Gathered]


def choose(names: list[str], wanted: str | None, host: str) -> str:
    """The collection or feature type that is meant; a prefix before `:` may be left out. Raises `FileRefused`."""
    if wanted in names:
        return str(wanted)
    bare = [name for name in names if wanted is not None and name.rpartition(":")[2] == wanted]
    if len(bare) == 1 or (wanted is None and len(names) == 1):
        return (bare or names)[0]
    if wanted is None or bare:
        raise refuse(
            Text(f"{quoted(host)} bietet mehrere Sammlungen", f"{quoted(host)} offers several collections"),
            Text(f"mit `collection` eine wählen: {listed(bare or names)}", f"choose one with `collection`: {listed(bare or names)}"),
        )
    what = Text(f"{quoted(host)} hat keine Sammlung {quoted(wanted)}", f"{quoted(host)} has no collection {quoted(wanted)}")
    raise refuse(what, suggestion(wanted, names))


def with_query(url: Url, query: Mapping[str, str]) -> Url:
    """The address with these parameters in place of its own of the same names; others, such as `map`, stay."""
    path, _, own = url.target.partition("?")
    ours = {name.lower() for name in query}
    kept = [(name, value) for name, value in parse_qsl(own, keep_blank_values=True) if name.lower() not in ours]
    return Url.of(str(Url(url.scheme, url.host, url.port, f"{path}?{urlencode([*kept, *query.items()])}")))


@dataclass(slots=True)
class Walk:
    """Counts what the pages of one answer hold, and notices where they cannot be one."""

    host: str
    seen: int = 0
    named: int = 0
    ids: set[int] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)
    matched: int | None = None

    def page(self, members: int, named: int, ids: set[int], matched: int | None, digest: str) -> None:
        """One page more. Raises `FileRefused` where an item comes twice, or their number changes on the way."""
        self.seen, self.named = self.seen + members, self.named + named
        self.ids |= ids
        if len(self.ids) != self.named or (members and digest in self.digests):
            raise self._unstable(Text("ein Objekt kommt zweimal", "an item comes twice"))
        if self.matched is not None and matched is not None and matched != self.matched:
            raise self._unstable(Text(f"erst {self.matched} Objekte, dann {matched}", f"first {self.matched} items, then {matched}"))
        self.matched = self.matched if matched is None else matched
        self.digests.add(digest)
        if len(self.digests) > PAGES:
            raise self._unstable(Text(f"mehr als {PAGES} Seiten", f"more than {PAGES} pages"))

    def finish(self) -> None:
        """Raises `FileRefused` unless all came that was announced, and something came at all."""
        if self.matched is not None and self.seen != self.matched:
            counted = Text(
                f"{self.matched} Objekte angekündigt, {self.seen} geliefert", f"{self.matched} items announced, {self.seen} delivered"
            )
            raise self._unstable(counted)
        if not self.seen:
            what = Text(f"{quoted(self.host)} liefert kein einziges Objekt", f"{quoted(self.host)} delivers not a single item")
            raise refuse(
                what,
                Text("die Adresse prüfen; leere Antworten werden nicht übernommen", "check the address; empty answers are not imported"),
            )

    def _unstable(self, what: Text) -> FileRefused:
        return refuse(
            Text(
                f"die Seiten von {quoted(self.host)} passen nicht zusammen: {what.de}",
                f"the pages of {quoted(self.host)} do not fit together: {what.en}",
            ),
            Text(
                "später noch einmal versuchen; bleibt es so, den Betreiber fragen", "try again later; if it stays so, ask whoever runs it"
            ),
        )
