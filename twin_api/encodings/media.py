"""Which form a client gets: the parameter `f` first, then `Accept` (RFC 9110, 12.5.1), then JSON; and in which language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from twin_api.problems import InvalidParameter, NotAcceptable
from twin_api.texts import LANGUAGES, Language, Text

_READ: Final = 2048  # characters of such a header
_VERSION: Final = ";version="
_KNOWN: Final = 512  # headers of which the answer is kept: most clients send the same few


@dataclass(frozen=True, slots=True)
class Media:
    """A media type and its word for the parameter `f`. `answers_to` are types in `Accept` that it satisfies."""

    word: str
    type: str
    answers_to: tuple[str, ...] = ()

    @property
    def bare_type(self) -> str:
        """Without parameters, as links name it; OpenAPI's version belongs to the name."""
        return self.type.removesuffix("; charset=utf-8")

    def suits(self, wanted: str) -> bool:
        """Whether it is of a type as in `Accept`, and of its version where both name one."""
        type_, _, version = wanted.partition(_VERSION)
        own, _, owned = self.type.partition(_VERSION)
        if version and owned and version != owned and not version.startswith(f"{owned}."):
            return False
        return type_ in (own.partition(";")[0], *self.answers_to, "*/*", own.partition("/")[0] + "/*")


JSON: Final = Media("json", "application/json")
GEOJSON: Final = Media("json", "application/geo+json", ("application/json", "application/vnd.geo+json"))
GEOJSON_SEQ: Final = Media("geojsonseq", "application/geo+json-seq")
CSV: Final = Media("csv", "text/csv; charset=utf-8")
GEOPACKAGE: Final = Media("gpkg", "application/geopackage+sqlite3")
SCHEMA: Final = Media("json", "application/schema+json", ("application/json",))
OPENAPI: Final = Media("json", "application/vnd.oai.openapi+json;version=3.0", ("application/json", "application/openapi+json"))
OPENAPI_31: Final = Media("json31", "application/vnd.oai.openapi+json;version=3.1", ("application/openapi+json",))
HTML: Final = Media("html", "text/html; charset=utf-8", ("application/xhtml+xml",))


def choose(offered: Sequence[Media], f: str | None, accept: str) -> Media:
    """One of `offered`; raises `InvalidParameter` for an unknown `f`, `NotAcceptable` where `Accept` leaves none."""
    if f is not None:
        for media in offered:
            if media.word == f:
                return media
        de, en = (f" {both} ".join(f"`{media.word}`" for media in offered) for both in ("oder", "or"))
        raise InvalidParameter("f", Text(f"`f` verlangt {de}", f"`f` wants {en}"))
    if not accept:
        return offered[0]
    best = _best(tuple(offered), accept[:_READ])
    if best is None:
        types = ", ".join(f"`{media.type}`" for media in offered)
        raise NotAcceptable(Text(f"angeboten werden {types}", f"offered are {types}"))
    return best


def choose_language(accepted: str, default: Language) -> Language:
    """The language of the house that the client wants most (RFC 9110, 12.5.4), else the town's own."""
    return _best_language(accepted[:_READ], default)


@lru_cache(maxsize=_KNOWN)
def _best(offered: tuple[Media, ...], accept: str) -> Media | None:
    weights = weights_of(accept)
    best = max(offered, key=lambda media: _weight(media, weights))
    return best if _weight(best, weights) > 0 else None


@lru_cache(maxsize=_KNOWN)
def _best_language(accepted: str, default: Language) -> Language:
    weights = [(word.partition("-")[0], weight) for word, weight in weights_of(accepted)]
    offered = {language: max((w for word, w in weights if word == language), default=0.0) for language in (default, *LANGUAGES)}
    best = max(offered, key=lambda language: offered[language])
    return best if offered[best] > 0 else default


def weights_of(accept: str) -> tuple[tuple[str, float], ...]:
    """The entries of a header such as `Accept`, of their parameters `version` alone, with their weights from 0 to 1; no number is 0."""
    return _weights(accept[:_READ])


@lru_cache(maxsize=_KNOWN)
def _weights(accept: str) -> tuple[tuple[str, float], ...]:
    weights = []
    for entry in accept.lower().split(","):
        type_, *params = (part.strip() for part in entry.split(";"))
        type_ += next((f";{p}" for p in params if f";{p}".startswith(_VERSION)), "")
        quality = next((p[2:] for p in params if p.startswith("q=")), "1")
        try:
            weights.append((type_, min(1.0, max(0.0, float(quality)))))
        except ValueError:
            weights.append((type_, 0.0))
    return tuple(weights)


def _weight(media: Media, weights: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific entry that the media type suits."""
    suited = [(type_.count("*"), -weight) for type_, weight in weights if media.suits(type_)]
    return -min(suited)[1] if suited else 0.0
