"""Who asks: a subject and the roles it may see as. Pure: no database, no clock of its own.

Must never decide what a role sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CITIZEN: Final = "citizen"
FAMILIES: Final = ("citizen", "council", "administration")
WITH_PARTS: Final = ("council", "administration")


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody with a valid token. No role implies another: `administration` does not open `administration/bauhof`."""

    token: str  # its public part
    roles: tuple[str, ...]

    def holds(self, role: str) -> bool:
        return role in self.roles


def schema_of(role: str) -> str:
    """`administration/bauhof` -> `administration_bauhof`: the role's schema, login and secret."""
    return role.replace("/", "_")
