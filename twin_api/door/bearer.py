"""Who asks, by the token in the request.

Must never let whoever sends tokens that are none keep those waiting, or out, who have one.
"""

from __future__ import annotations

from typing import Protocol

from twin_api.door.limits import Limits
from twin_api.identity.subject import Subject
from twin_api.identity.tokens import Token, TokenMalformed, read_token
from twin_api.problems import CredentialsInvalid


class Subjects(Protocol):
    def knows(self, token: Token) -> bool:
        """Whether the token was used before and valid then; asks nobody."""

    async def is_named(self, token: Token) -> bool:
        """Whether there is a valid token of this name, whatever its secret; many who ask at once cost little more than one."""

    async def subject(self, token: Token) -> Subject | None:
        """Whom a token stands for now."""

    async def note_read(self, subject: Subject, role: str, collection: str) -> None:
        """Note in the audit log who reads what; where that cannot be written, nothing is read."""


class Bearer:
    """Reads tokens and has them looked up. Without `subjects` their form alone is judged, and nobody is anybody."""

    def __init__(self, subjects: Subjects | None, limits: Limits) -> None:
        self._subjects = subjects
        self._limits = limits

    async def subject(self, credentials: str, client: str | None) -> Subject | None:
        """Whom the token in this header `Authorization` stands for; raises `CredentialsInvalid`, which counts for the client's address."""
        try:
            return await self._look_up(_read(credentials), client)
        except CredentialsInvalid:
            self._limits.note_failure(client)
            raise

    async def _look_up(self, token: Token, client: str | None) -> Subject | None:
        if self._subjects is None:
            return None
        if self._subjects.knows(token):
            subject = await self._subjects.subject(token)
        else:
            subject = await self._look_up_stranger(self._subjects, token, client)
        if subject is None:
            raise CredentialsInvalid()
        return subject

    async def _look_up_stranger(self, subjects: Subjects, token: Token, client: str | None) -> Subject | None:
        """A token that is valid counts by its own name, however many wrong ones came from its address.

        INVARIANT: beyond the bound, a wrong secret of a token that there is answers like the name of none, and the secrets that an address
        tries for one name have a bound of their own.
        """
        if not await subjects.is_named(token):
            self._limits.check_failures(client)
            return None
        self._limits.check_guesses(client, token.id)
        subject = await subjects.subject(token)
        if subject is None:
            self._limits.note_guess(client, token.id)
            self._limits.check_failures(client)
        return subject


def _read(credentials: str) -> Token:
    scheme, _, text = credentials.partition(" ")
    if scheme.lower() != "bearer":
        raise CredentialsInvalid()
    try:
        return read_token(text.strip())  # two headers make one text, which is no token
    except TokenMalformed:
        raise CredentialsInvalid() from None
