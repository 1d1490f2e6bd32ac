"""A bundle of files with a checksum for each, as one zip or a folder: written, read back, checked, compared.

The same content gives the same bytes but for the time in the manifest.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import orjson

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"  # the same sums for `sha256sum -c`; its own checksum is the manifest's `state`
FORM: Final = 1
LARGEST_BYTES: Final = 256 * 1024 * 1024  # of all that is read, unpacked: nothing in a bundle grows with a town's rows
_DAY_OF_ZIPS: Final = (1980, 1, 1, 0, 0, 0)

Files = Mapping[str, bytes]


class BundleUnreadable(Exception):
    """It is no bundle: nothing in it can be believed."""


class BundleInTheWay(Exception):
    """Something of that name is there already."""


def as_json(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS) + b"\n"


def with_manifest(files: Files, taken_at: datetime) -> dict[str, bytes]:
    """`state` is one checksum for all of them: equal states, equal evidence."""
    sums = {name: _sum(content) for name, content in files.items()}
    told = {"form": FORM, "taken_at": taken_at.astimezone(UTC).isoformat(timespec="seconds"), "state": _state(sums), "files": sums}
    return {**files, SUMS: _listed(sums), MANIFEST: as_json(told)}


def write_bundle(files: Files, target: Path) -> None:
    """A zip where the name ends so, else a folder; whole or not at all, closed to other users. Raises `BundleInTheWay`, `OSError`."""
    if target.exists():
        raise BundleInTheWay(target)
    if target.suffix != ".zip":
        _write_folder(files, target)
        return
    descriptor, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_zipped(files))
            file.flush()
            os.fsync(file.fileno())
        Path(beside).rename(target)
    finally:
        Path(beside).unlink(missing_ok=True)


def read_bundle(path: Path) -> dict[str, bytes]:
    """All files by name. Raises `BundleUnreadable`."""
    try:
        files = _unzipped(path) if path.is_file() else _folder(path)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise BundleUnreadable(path) from None
    if MANIFEST not in files:
        raise BundleUnreadable(path)
    return files


def manifest_of(files: Files) -> dict[str, Any]:
    """Raises `BundleUnreadable`."""
    try:
        told = orjson.loads(files[MANIFEST])
        if told["form"] != FORM or not all(isinstance(told[key], str) for key in ("taken_at", "state")):
            raise BundleUnreadable(MANIFEST)
        return {**told, "files": dict(told["files"])}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise BundleUnreadable(MANIFEST) from None


def find_damage(files: Files) -> list[tuple[str, str]]:
    """`changed`, `missing` or `surplus`, and the file; nothing if all is as it was written."""
    told = manifest_of(files)
    wanted = {**told["files"], **({SUMS: _sum(_listed(told["files"]))} if SUMS in files else {})}  # bundles of earlier versions have none
    found = {name: _sum(content) for name, content in files.items() if name != MANIFEST}
    damage = [(_fate(wanted.get(name), found.get(name)), name) for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    found.pop(SUMS, None)
    return damage if damage or told["state"] == _state(found) else [("changed", MANIFEST)]


def find_differences(one: Files, other: Files) -> list[str]:
    """A line for each fact that only one of them states, `-` for the first and `+` for the second; both must be undamaged."""
    before, after = set(_facts(one)), set(_facts(other))
    lines = [(fact, "-") for fact in before - after] + [(fact, "+") for fact in after - before]
    return [f"{sign} {fact}" for fact, sign in sorted(lines)]


def _fate(told: str | None, found: str | None) -> str:
    return "missing" if found is None else "surplus" if told is None else "changed"


def _facts(files: Files) -> Iterator[str]:
    """What is told for people says the same in other words and is left out."""
    for name, content in files.items():
        if name != MANIFEST and name.endswith(".json"):
            yield from (f"{name}: {fact}" for fact in _flat(orjson.loads(content), ""))


def _flat(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{place} › {key}" if place else str(key))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _flat(inner, place)
    else:
        yield f"{place} = {orjson.dumps(value).decode()}"


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _listed(sums: Mapping[str, str]) -> bytes:
    """A line for each file, as `sha256sum` writes and reads them."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())).encode()


def _state(sums: Mapping[str, str]) -> str:
    return _sum(_listed(sums))


def _zipped(files: Files) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _DAY_OF_ZIPS)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return packed.getvalue()


def _unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        if len(names) < len(entries) or sum(entry.file_size for entry in entries) > LARGEST_BYTES:
            raise BundleUnreadable(path)
        return {entry.filename: archive.read(entry) for entry in entries}


def _write_folder(files: Files, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
        whole = Path(beside) / "whole"
        whole.mkdir(mode=0o700)
        for name, content in sorted(files.items()):
            with os.fdopen(os.open(whole / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
        whole.rename(target)


def _folder(path: Path) -> dict[str, bytes]:
    if not (path / MANIFEST).is_file():
        raise BundleUnreadable(path)
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
