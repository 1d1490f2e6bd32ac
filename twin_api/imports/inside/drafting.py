"""The draft of a layer, made where files are opened: in a process of its own."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from twin_api.imports.draft_job import Draft, DraftJob, Wish
from twin_api.imports.workshop import workshop
from twin_api.policy.documents import Town


def draft_layer(path: Path, wish: Wish, town: Town, day: date, home: Path | None = None) -> Draft:
    """Raises `FileRefused` for a file that cannot be read, or not in reasonable time and memory."""
    whole_home = home.absolute() if home is not None else None
    with workshop(DraftJob([path.absolute()], wish, town, day, whole_home, Path())) as messages:
        told = next(message.told for message in messages if message.told["kind"] == "end")
    return Draft(told["layer"], told["text"], told["source"])
