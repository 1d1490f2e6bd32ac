"""What one process tells the other about an import: the job on the way in, messages on the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from twin_api.imports.description import Description
from twin_api.policy.documents import Extent, Layer

HEAD: Final = 5  # octets: kind, and length in four
TOLD, ROWS = b"t", b"r"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use: so long for a step, such as the check of a batch, and so many octets of address space."""

    step_s: float = 60.0
    memory: int = 4 << 30


USUAL: Final = Limits()


@dataclass(frozen=True, slots=True)
class Job:
    """Read these files as `description` says, and check them against `layer`. All paths are absolute.

    `extent` is where the town lies, if it says so; `grids` a folder of grids for transformations besides PROJ's own.

    `sorting`: rows that are right go on although others are not. `unreadable` are features that must not be looked at, `slowly` a range
    of features to be checked one at a time. `quote`: hand out these features as they stand in the files, and check nothing.
    """

    files: Sequence[Path]
    description: Description
    layer: Layer
    folder: Path
    extent: Extent | None = None
    grids: Path | None = None
    sorting: bool = False
    unreadable: frozenset[int] = frozenset()
    slowly: frozenset[int] = frozenset()
    quote: frozenset[int] | None = None


def tell(out: BinaryIO, message: Mapping[str, Any], rows: bytes = b"") -> None:
    """Send a message, and rows with it."""
    octets = orjson.dumps(message)
    out.write(TOLD + len(octets).to_bytes(4, "big") + octets)
    if rows:
        out.write(ROWS + len(rows).to_bytes(4, "big"))
        out.write(rows)
    out.flush()
