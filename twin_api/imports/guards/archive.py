"""Archives opened without trust: what they say of themselves is compared with what they hold, while it is read.

Limits are those of a municipality's largest deliveries, not of what a machine could bear.
"""

from __future__ import annotations

import gzip
import io
import re
import stat
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final

from twin_api.imports.finding import FileRefused, refuse
from twin_api.policy.finding import quoted
from twin_api.texts import Text

MIB: Final = 1024 * 1024
UNPACKED_BYTES: Final = 2048 * MIB
RATIO: Final = 100
SMALL_BYTES: Final = 16 * MIB  # up to here any ratio does no harm: a table of equal rows packs well
ENTRIES: Final = 1_000
DIRECTORY_BYTES: Final = 2 * MIB  # of a thousand entries with long names; read at once, so bounded before
CHUNK: Final = MIB
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others decompress without bounds
ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
LOCAL_HEADER: Final = 30
ARCHIVES: Final = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd")
DRIVE: Final = re.compile(r"[A-Za-z]:")
BROKEN: Final = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError)
AGAIN: Final = Text("die Dateien mit einem üblichen Programm neu packen", "pack the files again with a common program")
PLAIN: Final = Text("die Datei ungepackt liefern", "deliver the file unpacked")


def unpack_gz(path: Path, folder: Path) -> Path:
    """The one file inside, in a new folder below `folder`, named like the archive without `.gz`."""
    target = Path(tempfile.mkdtemp(dir=folder)) / _name_inside(path)
    with _reading(path), gzip.open(path) as source:
        _copy(path, source, target, Budget(path))
    return target


def unpack_zip(path: Path, folder: Path) -> Path:
    """A new folder below `folder` with the members under the names they have in the archive, and nothing else."""
    home = Path(tempfile.mkdtemp(dir=folder))
    with _reading(path):
        for info, source, budget in _members(path):
            target = home / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(path, source, target, budget)
    return home


class Budget:
    """The bytes an archive may still yield, by its own size and by the limit for all."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = min(UNPACKED_BYTES, max(SMALL_BYTES, RATIO * path.stat().st_size))

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            what = Text(
                f"{quoted(self._path.name)} wird ausgepackt zu groß: mehr als das {RATIO}-Fache oder {UNPACKED_BYTES // MIB} MiB",
                f"{quoted(self._path.name)} gets too large unpacked: more than {RATIO} times its size or {UNPACKED_BYTES // MIB} MiB",
            )
            raise refuse(what, PLAIN)


class Sips(io.BufferedReader):
    """A file that is never read in gulps: a directory of which the archive says that it is huge is refused instead."""

    def read(self, size: int | None = -1) -> bytes:
        octets = super().read(DIRECTORY_BYTES + 1 if size is None or size < 0 else min(size, DIRECTORY_BYTES + 1))
        if len(octets) > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("directory too large")
        return octets


def _members(path: Path) -> Iterator[tuple[zipfile.ZipInfo, IO[bytes], Budget]]:
    """Every file of the archive, open for reading, once the archive as a whole has been looked through."""
    with path.open("rb", buffering=0) as raw, Sips(raw) as file, zipfile.ZipFile(file) as archive:
        infos = archive.infolist()
        _check_entries(path, infos)
        _check_places(path, infos, file, archive.start_dir)
        budget = Budget(path)
        for info in infos:
            if not info.is_dir():
                with archive.open(info) as member:
                    yield info, member, budget


def _copy(path: Path, source: IO[bytes] | gzip.GzipFile, target: Path, budget: Budget) -> None:
    first = True
    with target.open("xb") as file:
        while chunk := source.read(CHUNK):
            if first and chunk.startswith(ARCHIVES):
                raise refuse(Text(f"{quoted(path.name)} enthält ein weiteres Archiv", f"{quoted(path.name)} holds another archive"), PLAIN)
            budget.spend(len(chunk))
            file.write(chunk)
            first = False


def _name_inside(path: Path) -> str:
    return path.name[:-3] if path.name.lower().endswith(".gz") and len(path.name) > 3 else f"{path.name}.unpacked"


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Whatever the decompressor complains about is a refusal: half an archive, wrong checksums, an unknown version."""
    try:
        yield
    except FileRefused:
        raise
    except BROKEN:
        what = Text(f"das Archiv {quoted(path.name)} ist beschädigt", f"the archive {quoted(path.name)} is damaged")
        raise refuse(what, AGAIN) from None


def _check_entries(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Everything the directory admits by itself."""
    if not any(not info.is_dir() for info in infos):
        raise refuse(Text(f"das Archiv {quoted(path.name)} ist leer", f"the archive {quoted(path.name)} is empty"), AGAIN)
    if len(infos) > ENTRIES:
        what = Text(
            f"das Archiv {quoted(path.name)} hat {len(infos)} Einträge", f"the archive {quoted(path.name)} has {len(infos)} entries"
        )
        raise refuse(what, Text(f"höchstens {ENTRIES}", f"at most {ENTRIES}"))
    for info in infos:
        problem = _problem(info)
        if problem:
            raise _bad_entry(path, info.orig_filename, problem)
    _check_names(path, infos)


def _problem(info: zipfile.ZipInfo) -> Text | None:
    """What is wrong with one entry, if anything is."""
    if info.flag_bits & ENCRYPTED:
        return Text("ist verschlüsselt", "is encrypted")
    if info.compress_type not in METHODS:
        return Text("ist auf unübliche Art gepackt", "is packed in an unusual way")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Text("ist ein Verweis und keine Datei", "is a link and no file")
    if not _is_plain(info.orig_filename):
        return Text("hat keinen gewöhnlichen Namen", "has no ordinary name")
    return None


def _is_plain(name: str) -> bool:
    """A relative path downwards, of names that mean the same everywhere."""
    parts = name.removesuffix("/").split("/")
    odd = "\\" in name or not name.isprintable() or DRIVE.match(name)
    return not odd and all(part not in ("", ".", "..") and len(part.encode(errors="replace")) <= 255 for part in parts) and len(name) < 1024


def _check_names(path: Path, infos: Iterable[zipfile.ZipInfo]) -> None:
    """One file per name, also where capitals or the way umlauts are written do not count; no file that is a folder, too."""
    files: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        name = unicodedata.normalize("NFC", info.filename.removesuffix("/")).casefold()
        folders |= {str(parent) for parent in PurePosixPath(name).parents} | ({name} if info.is_dir() else set())
        if not info.is_dir() and name in files:
            raise _bad_entry(path, info.orig_filename, Text("kommt zweimal vor", "is there twice"))
        files |= set() if info.is_dir() else {name}
    for name in files & folders:
        raise _bad_entry(path, name, Text("kommt zweimal vor", "is there twice"))


def _check_places(path: Path, infos: Iterable[zipfile.ZipInfo], file: IO[bytes], end: int) -> None:
    """No byte of the archive belongs to two entries: else a few kilobytes unpack to as much as one likes.

    The true length of an entry's header stands only there, so each is read.
    """
    free = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER)
        if info.header_offset < free or not header.startswith(b"PK\x03\x04") or len(header) < LOCAL_HEADER:
            raise _bad_entry(path, info.orig_filename, Text("überlappt einen anderen", "overlaps another one"))
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        free = info.header_offset + LOCAL_HEADER + lengths + info.compress_size
    if free > end:
        raise refuse(Text(f"das Archiv {quoted(path.name)} ist beschädigt", f"the archive {quoted(path.name)} is damaged"), AGAIN)


def _bad_entry(path: Path, name: str, problem: Text) -> FileRefused:
    return refuse(
        Text(
            f"Archiv {quoted(path.name)}: der Eintrag {quoted(name)} {problem.de}",
            f"archive {quoted(path.name)}: the entry {quoted(name)} {problem.en}",
        ),
        AGAIN,
    )
