"""API tokens: `dtw_<8 characters that name it>_<43 random characters>_<checksum>`. The store keeps a keyed hash, never the token.

Must never log or print a token, save the one time it is made.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "dtw"  # what secret scanners look for
_FORM: Final = re.compile(rf"({PREFIX}_([a-z0-9]{{8}})_([A-Za-z0-9]{{43}}))_([0-9a-f]{{8}})", re.ASCII)
_LETTERS: Final = string.ascii_letters + string.digits


class TokenMalformed(ValueError):
    """Not a token of ours: wrong form or wrong checksum."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token in clear. `id` may be shown and logged, `secret` must not; it has 256 bits, so a fast keyed hash keeps it."""

    id: str
    secret: str

    def text(self) -> str:
        body = f"{PREFIX}_{self.id}_{self.secret}"
        return f"{body}_{_checksum(body)}"

    def __repr__(self) -> str:
        return f"Token({self.id!r})"

    def hash(self, pepper: str) -> bytes:
        return hmac.digest(pepper.encode(), self.secret.encode(), hashlib.sha256)


def make_token() -> Token:
    return Token(_random(8).lower(), _random(43))


def read_token(text: str) -> Token:
    """The parts of a token's text; raises `TokenMalformed`. The checksum spares the store a look-up for typing errors."""
    match = _FORM.fullmatch(text)
    if match is None or _checksum(match[1]) != match[4]:
        raise TokenMalformed
    return Token(match[2], match[3])


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
