"""Which file it was, exactly: name, checksum and size, and whether it has changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twin_api.imports.finding import refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def parts_of(path: Path) -> list[Path]:
    """The file, and what belongs to it: the attributes of a Shapefile stand in a file of their own."""
    if path.suffix.lower() != ".shp":
        return [path]
    return sorted(part for part in path.parent.iterdir() if part.stem == path.stem and part.suffix.lower() in PARTS)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file as it was before its first byte was read: what is written from then on is a change."""

    path: Path
    octets: int
    changed_ns: int

    @staticmethod
    def of_all(files: Iterable[Path]) -> list[Fingerprint]:
        """Of every file that is read, those beside a Shapefile as well. Raises `FileRefused` where one cannot be seen."""
        return [Fingerprint.of(part) for path in files for part in parts_of(path)]

    @staticmethod
    def of(path: Path) -> Fingerprint:
        with _refusing(path):
            told = path.stat()
        return Fingerprint(path, told.st_size, told.st_mtime_ns)

    def sha256(self) -> str:
        """Reads the whole file. Raises `FileRefused` where it cannot be read."""
        with _refusing(self.path), self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def check(self) -> None:
        """Refuse a file that was written to while it was read."""
        told = self.path.stat() if self.path.exists() else None
        if told is None or (told.st_size, told.st_mtime_ns) != (self.octets, self.changed_ns):
            name = quoted(self.path.name)
            raise refuse(
                Text(f"{name} wurde während des Einlesens verändert", f"{name} changed while it was read"),
                Text("warten, bis die Datei fertig ist, und neu beginnen", "wait until the file is complete, and begin again"),
            )

    def as_data(self, sha256: str) -> dict[str, Any]:
        return {"name": self.path.name.encode(errors="replace").decode(), "sha256": sha256, "octets": self.octets}


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        said = error.strerror
        raise refuse(
            Text(f"{quoted(path.name)} lässt sich nicht lesen: {said}", f"{quoted(path.name)} cannot be read: {said}"),
            Text("Name, Ordner und Rechte prüfen", "check name, folder and rights"),
        ) from None
