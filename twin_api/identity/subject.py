"""Who asks: a subject and the roles it may see as. Pure: no database, no clock of its own.

Must never decide what a role sees.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

CITIZEN: Final = "citizen"
FAMILIES: Final = ("citizen", "council", "administration")
WITH_PARTS: Final = ("council", "administration")
_ROLE: Final = re.compile(rf"{'|'.join(FAMILIES)}|({'|'.join(WITH_PARTS)})/[a-z][a-z0-9_]{{0,39}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody with a valid token. No role implies another: `administration` does not open `administration/bauhof`."""

    token: str  # its public part
    roles: tuple[str, ...]

    def holds(self, role: str) -> bool:
        return role in self.roles


def is_role(name: str) -> bool:
    """Whether a role could have this name; not whether there is one."""
    return _ROLE.fullmatch(name) is not None


def schema_of(role: str) -> str:
    """`administration/bauhof` -> `administration_bauhof`: the role's schema, login and secret."""
    return role.replace("/", "_")
