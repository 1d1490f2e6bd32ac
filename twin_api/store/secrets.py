"""Secrets of database roles, one file of mode 0600 each. It must never print a secret, nor hand a process more than its roles' files."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

TWIN_ROLES = ("citizen", "council", "administration")
HANDED = ".handed"  # stands in every folder made by `hand` and says whether it follows new twin roles
FOLLOWERS = ".followers"  # folders that want each new twin role, one file per folder
EVERY, THESE = "every twin role\n", "these roles\n"


class SecretMissing(Exception):
    """No secret is kept for a role."""

    def __init__(self, role: str, folder: Path) -> None:
        super().__init__(f"no secret for `{role}` in `{folder}`")
        self.role = role


class SecretExposed(Exception):
    """A secret can be read by others than its owner, so it counts as lost."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(f"`{path}` has mode {mode:04o}; a secret must be a file of mode 0600: replace it, then `chmod 600`")
        self.path = path


class SecretsNotOurs(Exception):
    """A folder holds other things, or was handed over by somebody else; nothing in it is changed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"`{folder}` cannot be written as a folder of secrets; an empty or new one is needed")
        self.folder = folder


def is_twin_role(role: str) -> bool:
    return any(role == first or role.startswith(first + "_") for first in TWIN_ROLES)


class Secrets:
    """The secrets in one folder; nothing is read before it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(os.path.abspath(folder))

    def read(self, role: str) -> str:
        """The secret of a role. Raises SecretMissing, SecretExposed."""
        try:
            return _read_closed(self._path(role))
        except FileNotFoundError:
            raise SecretMissing(role, self.folder) from None

    def ensure(self, role: str) -> str:
        """The secret of a role, made at random if there is none; folders that follow all twin roles get it too."""
        try:
            return self.read(role)
        except SecretMissing:
            if (self.folder / HANDED).exists():
                raise  # whoever was handed this folder cannot make up a secret the database does not know
        with self._locked():
            if not self._path(role).exists():
                _write_closed(self._path(role), secrets.token_urlsafe(32))
            if is_twin_role(role):
                self._pass_on(role)
        return self.read(role)

    def keep(self, role: str, secret: str) -> None:
        """Put a secret that was made elsewhere in the place of the one that is there."""
        with self._locked():
            _write_closed(self._path(role), secret)

    def roles(self) -> tuple[str, ...]:
        """Names of all roles that have a secret, sorted."""
        if not self.folder.is_dir():
            return ()
        return tuple(sorted(entry.name for entry in self.folder.iterdir() if _is_role(entry.name)))

    def remove(self, role: str) -> None:
        """Forget a role's secret, here and in the folders that follow all twin roles."""
        with self._locked():
            for folder in (self.folder, *self._followers()):
                _path(folder, role).unlink(missing_ok=True)

    def has(self, role: str) -> bool:
        """Whether there is a secret for a role; cheap enough to ask on every request."""
        return os.path.isfile(_place(self.folder, role))

    def hand(self, roles: Iterable[str] | None, to: Path, also: Iterable[str] = ()) -> None:
        """Make `to` hold the files of exactly these roles, and of `also`; None means every twin role, those to come included."""
        to = Path(os.path.abspath(to))
        with self._locked():
            named = filter(is_twin_role, self.roles()) if roles is None else roles
            wanted = {role: self.read(role) for role in (*named, *also)}
            _prepare_handed(to, self.folder)
            _write_closed(to / HANDED, EVERY if roles is None else THESE)
            self._follow(to, follows=roles is None)
            for role in Secrets(to).roles():
                if role not in wanted:
                    _path(to, role).unlink()
            for role, secret in wanted.items():
                _write_closed(_path(to, role), secret)

    def _path(self, role: str) -> Path:
        return _path(self.folder, role)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        _make_closed(self.folder)
        lock = os.open(self.folder / ".lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _follow(self, to: Path, *, follows: bool) -> None:
        note = self.folder / FOLLOWERS / hashlib.sha256(os.fsencode(to)).hexdigest()[:24]
        if follows:
            _make_closed(note.parent)
            _write_closed(note, os.fsdecode(to))
        else:
            note.unlink(missing_ok=True)

    def _followers(self) -> Iterator[Path]:
        """Folders that follow all twin roles and that we may write; the note of one that is gone, or was made anew by hand, is dropped."""
        notes = self.folder / FOLLOWERS
        for note in sorted(notes.iterdir()) if notes.is_dir() else ():
            folder = Path(_read_closed(note))
            if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
                continue  # of another user: whoever handed it, as root, keeps it up to date
            if _reads(folder / HANDED) == EVERY.strip():
                yield folder
            else:
                note.unlink()

    def _pass_on(self, role: str) -> None:
        for folder in self._followers():
            _write_closed(_path(folder, role), self.read(role))


def _is_role(name: str) -> bool:
    return re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) is not None


def _path(folder: Path, role: str) -> Path:
    if not _is_role(role):
        raise ValueError(f"`{role}` is no role name: lower-case letters, digits and `_`, a letter first")
    return folder / role


@lru_cache(maxsize=512)
def _place(folder: Path, role: str) -> str:
    return os.fspath(_path(folder, role))


def _prepare_handed(folder: Path, source: Path) -> None:
    held = set(os.listdir(folder)) if folder.is_dir() else set()
    if folder.resolve() == source.resolve() or (held and HANDED not in held):
        raise SecretsNotOurs(folder)
    _make_closed(folder)


def _make_closed(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:  # what root makes in somebody's folder belongs to that somebody, as its files will
            owner = folder.parent.stat()
            os.chown(folder, owner.st_uid, owner.st_gid, follow_symlinks=False)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)


def _reads(path: Path) -> str | None:
    try:
        return _read_closed(path)
    except OSError:
        return None


def _read_closed(path: Path) -> str:
    """Text of a file only its owner can read; a link or anything else that is no file counts as exposed."""
    if not path.is_symlink() and not path.exists():
        raise FileNotFoundError(path)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o177:
        raise SecretExposed(path, stat.S_IMODE(found.st_mode))
    return path.read_text(encoding="utf-8").strip()


def _write_closed(path: Path, text: str) -> None:
    """Put text in a file of mode 0600 at once: readers see the old file or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        _give_to_owner_of(path.parent, descriptor)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    os.replace(draft, path)


def _give_to_owner_of(folder: Path, descriptor: int) -> None:
    """What root writes into somebody's folder belongs to that somebody, who could not read it otherwise."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
