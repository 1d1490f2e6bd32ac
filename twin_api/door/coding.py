"""Content codings: which one a client gets (RFC 9110, 12.5.3), and the packing itself.

Must never pack on the event loop what would hold up others.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import zstandard

from twin_api.encodings.answer import Answer
from twin_api.encodings.media import weights_of
from twin_api.problems import NotAcceptable
from twin_api.texts import Text

WORTH_IT: Final = 1024  # bytes; below, the answer fits into one packet either way
ASIDE: Final = 64 * 1024  # bytes that take gzip half a millisecond; more is packed in a thread
_TEXT: Final = ("text/", "application/json", "application/geo+json", "application/vnd.oai.openapi+json", "image/svg+xml")
_TEXT_ENDS: Final = ("+json", "+xml", "/xml")
_LONGEST: Final = 256  # characters of a header that is remembered; no client of this world sends more


@dataclass(frozen=True, slots=True)
class Coding:
    name: str
    pack: Callable[[bytes], bytes]


# Level 1 of both, for pages of GeoJSON. gzip: 7-11 ms/MiB to 28 % of the size (level 6: 21-28 ms/MiB to 24 %);
# zstd: 2-3.5 ms/MiB to 23 % (level 6: 11-19 ms/MiB to 23 %).
ZSTD: Final = Coding("zstd", lambda body: zstandard.ZstdCompressor(level=1).compress(body))
GZIP: Final = Coding("gzip", lambda body: gzip.compress(body, 1, mtime=0))


@dataclass(frozen=True, slots=True)
class Wish:
    """The coding that a client wants most, if any, and whether it takes the plain bytes."""

    coding: Coding | None
    plain: bool


NO_WISH: Final = Wish(None, plain=True)
_OFFERED: Final = Text("Angeboten: die Kodierungen `zstd`, `gzip` und `identity`.", "Offered: the codings `zstd`, `gzip` and `identity`.")


def choose_coding(accept_encoding: str | None, answer: Answer) -> Coding | None:
    """The coding for this answer, None for plain bytes; raises `NotAcceptable` where the client takes neither."""
    wish = NO_WISH if accept_encoding is None or len(accept_encoding) > _LONGEST else _wish(accept_encoding)
    if wish.plain and (wish.coding is None or len(answer.body) < WORTH_IT or not _is_text(answer.media_type)):
        return None
    if wish.coding is None:
        raise NotAcceptable(_OFFERED)
    return wish.coding


async def packed(coding: Coding, body: bytes) -> bytes:
    """The body in this coding; a large one is packed beside the event loop."""
    return coding.pack(body) if len(body) < ASIDE else await asyncio.to_thread(coding.pack, body)


@lru_cache(maxsize=256)
def _wish(accept_encoding: str) -> Wish:
    """`zstd` is sent to who names it only: many that say `*` cannot read it. Equal weights: zstd, then gzip, then plain."""
    weights = dict(weights_of(accept_encoding))
    others = weights.get("*")
    gzip_weight = weights.get("gzip", weights.get("x-gzip", others or 0.0))
    coding, weight = max((ZSTD, weights.get("zstd", 0.0)), (GZIP, gzip_weight), key=lambda offered: offered[1])
    plain = weights.get("identity", 0.0 if others == 0 else None)
    preferred = weight > 0 and (plain is None or weight >= plain)
    return Wish(coding if preferred else None, plain=plain is None or plain > 0)


@lru_cache(maxsize=256)
def _is_text(media_type: str) -> bool:
    bare = media_type.partition(";")[0]
    return bare.startswith(_TEXT) or bare.endswith(_TEXT_ENDS)
