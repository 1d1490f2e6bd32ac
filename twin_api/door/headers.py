"""The headers that a family of roles puts on all its answers, built once: what browsers may do with them, and which pages may read them.

Must never let a page of another origin read a twin whose family does not say so.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from twin_api.encodings.html import STYLE
from twin_api.identity.subject import CITIZEN

Headers = tuple[tuple[bytes, bytes], ...]

METHODS: Final = "GET, HEAD, OPTIONS"
COUNCIL: Final = "council"
_DATA_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
# the one style sheet of our pages by its hash, and the empty icon; no script whatever
_STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
_PAGE_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_EXPOSED: Final = "Content-Crs, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
_ASKABLE: Final = "Accept, Accept-Crs, Accept-Language, If-None-Match"
_YEAR: Final = 365 * 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Manner:
    """What goes on data, on pages, and on the answer to a browser's question before its request (a CORS preflight).

    `shared` goes beside them where the asking page's origin is one of `origins`; without origins nothing depends on who asks.
    """

    data: Headers
    page: Headers
    preflight: Headers = ()
    origins: frozenset[str] = frozenset()
    shared: Headers = ()


@dataclass(frozen=True, slots=True)
class Manners:
    """By the first word of a path; `house` for what belongs to no family, and for every path of a preview."""

    families: Mapping[str, Manner]
    house: Manner


def manners(council_origins: frozenset[str], *, secure: bool) -> Manners:
    """`secure` where clients come by https: only then may they be told to do so for a year (RFC 6797, 7.2)."""
    return Manners({CITIZEN: _open(secure), COUNCIL: _shared(council_origins, secure)}, _manner(secure))


def preview_manners() -> Manners:
    """Citizens' paths too are closed to other origins: a preview shows what nobody has released yet."""
    return Manners({}, _manner(secure=False))


def _open(secure: bool) -> Manner:
    """For every page of the web, without credentials: `*` never lets a browser send any."""
    anybody = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": _EXPOSED,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return replace(_manner(secure, anybody), preflight=_preflight(_ASKABLE))


def _shared(origins: frozenset[str], secure: bool) -> Manner:
    if not origins:
        return _manner(secure)
    shared = _raw({"Access-Control-Expose-Headers": _EXPOSED})
    preflight = _preflight(f"{_ASKABLE}, Authorization")
    return replace(_manner(secure, {"Vary": "Origin"}), preflight=preflight, origins=origins, shared=shared)


def _manner(secure: bool, further: Mapping[str, str] = MappingProxyType({})) -> Manner:
    every = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Resource-Policy": "same-origin",
        **({"Strict-Transport-Security": f"max-age={_YEAR}"} if secure else {}),
        **further,
    }
    policy = "Content-Security-Policy"
    return Manner(_raw(every | {policy: _DATA_POLICY}), _raw(every | {policy: _PAGE_POLICY}))


def _preflight(askable: str) -> Headers:
    return _raw({"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": askable, "Access-Control-Max-Age": "3600"})


def _raw(headers: Mapping[str, str]) -> Headers:
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())
