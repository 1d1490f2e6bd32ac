"""Where the private cluster of a home lies: in the home, or for root outside of one that the system user cannot reach.

INVARIANT: a place outside and its home name each other, so that a moved home finds its data and a copied one takes nobody else's.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from twin_api.store.machine import is_reachable, system_user

OUTSIDE = Path("/var/lib/twin-api")  # for root, where the system user cannot reach the home
NOTE = "cluster.place"  # in a home whose place is outside


def place_of(home: Path) -> Path:
    """The folder that holds everything of the home's cluster; it outlives a move of the home."""
    noted, inside = noted_place(home), home / "cluster"
    if noted is not None:
        return noted
    if inside.exists() or os.geteuid() != 0 or is_reachable(home, system_user()):
        return inside
    outside = OUTSIDE / f"{home.name}-{digest(home)}"
    return outside.with_name(f"{outside.name}-new") if _is_held(outside, by_other_than=home) else outside


def noted_place(home: Path) -> Path | None:
    """The place outside that this home has noted; a note copied along with another home counts for nothing."""
    noted = text_of(home / NOTE).strip()
    if not noted or _is_held(Path(noted), by_other_than=home):
        return None
    return Path(noted)


def is_settled(home: Path) -> bool:
    """True unless a place outside and this home have yet to name each other."""
    place = place_of(home)
    return place.parent != OUTSIDE or (noted_place(home) == place and text_of(place / "home").strip() == str(home))


def name_each_other(home: Path, place: Path) -> None:
    place.mkdir(mode=0o755, parents=True, exist_ok=True)
    write(place / "home", f"{home}\n")
    write(home / NOTE, f"{place}\n")


def set_aside(place: Path) -> None:
    """Its home was deleted, and its password with it."""
    if place.exists():
        place.rename(place.with_name(f"{place.name}.without-home-{time.time_ns()}"))


def digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def text_of(path: Path) -> str:
    """Nothing where there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Whole or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
    os.replace(draft, path)


def _is_held(place: Path, by_other_than: Path) -> bool:
    """True if the place names another home, and that home still names the place."""
    holder = text_of(place / "home").strip()
    return holder not in ("", str(by_other_than)) and text_of(Path(holder) / NOTE).strip() == str(place)
