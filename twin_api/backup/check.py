"""Whether a backup is whole: everything in it is read and summed up, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from twin_api.backup.archive import Digest, Entry, unpack, whole
from twin_api.backup.manifest import ABOUT, DEFINITIONS, MANIFEST, PEPPER, About, Manifest, read_about, read_manifest
from twin_api.backup.sealed import Damaged, Identity, opening


def check_backup(path: Path, identities: Sequence[Identity], on_member: Callable[[str], None] = lambda name: None) -> Manifest:
    """The manifest, if all holds what it says. Raises `Damaged`, `WrongKey`, `FormUnknown`."""
    found: dict[str, Entry] = {}
    about: About | None = None
    told: Manifest | None = None
    with reading(path, identities) as members:
        for name, content in members:
            on_member(name)
            if name in found:
                raise Damaged()  # of two, whoever reads it later might take the other
            if name in (ABOUT, MANIFEST):
                read = whole(content)
                about = read_about(read) if name == ABOUT else about
                told = read_manifest(read) if name == MANIFEST else told
                content = iter([read])
            found[name] = _sum(content)
    if told is None or about != told.about or {n: e for n, e in found.items() if n != MANIFEST} != dict(told.entries):
        raise Damaged()
    if not {ABOUT, DEFINITIONS, PEPPER, *(table.member for table in told.tables)} <= found.keys():
        raise Damaged()
    return told


@contextmanager
def reading(path: Path, identities: Sequence[Identity]) -> Iterator[Iterator[tuple[str, Iterator[bytes]]]]:
    """Every member by name, with its content in pieces, in the order of packing."""
    with opening(path, identities) as source:
        yield unpack(source)


def _sum(content: Iterator[bytes]) -> Entry:
    digest = Digest()
    for piece in content:
        digest.take(piece)
    return digest.entry()
