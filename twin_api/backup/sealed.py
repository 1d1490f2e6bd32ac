"""Files sealed in the age format (age-encryption.org/v1): anybody with the public key can write one, the identity alone can read it.

Must never put a byte of what is inside on a disk in clear.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import pyrage
from pyrage.x25519 import Identity, Recipient

__all__ = [
    "Damaged",
    "Identity",
    "KeyUnfit",
    "Recipient",
    "WrongKey",
    "make_identity",
    "opening",
    "read_identities",
    "read_recipients",
    "sealing",
]

MAGIC: Final = b"age-encryption.org/v1\n"
_SECRET: Final = "AGE-SECRET-KEY-"  # noqa: S105 - the beginning of each, as the format has it


class KeyUnfit(Exception):
    """A public key or a file with an identity is none; the text says which."""


class WrongKey(Exception):
    """The file was sealed for other keys than these."""


class Damaged(Exception):
    """The file is cut off, has been changed, or never was a backup."""


def make_identity() -> tuple[str, str]:
    """A new identity as the text of its file, and the public key for it."""
    identity = Identity.generate()
    public = str(identity.to_public())
    return f"# Twin API backup\n# public key: {public}\n{identity}\n", public


def read_identities(path: Path) -> list[Identity]:
    """The identities of a file as `age-keygen` and `twin backup key` write it. Raises `KeyUnfit`."""
    try:
        words = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip().startswith(_SECRET)]
        identities = [Identity.from_str(word) for word in words]
    except (OSError, ValueError, pyrage.IdentityError):
        raise KeyUnfit(str(path)) from None
    if not identities:
        raise KeyUnfit(str(path))
    return identities


def read_recipients(keys: Sequence[str]) -> list[Recipient]:
    """Public keys `age1…`. Raises `KeyUnfit`."""
    recipients = []
    for key in keys:
        try:
            recipients.append(Recipient.from_str(key))
        except pyrage.RecipientError:
            raise KeyUnfit(key) from None
    return recipients


@contextmanager
def sealing(target: IO[bytes], recipients: Sequence[Recipient]) -> Iterator[IO[bytes]]:
    """What is written here arrives sealed in `target`. Left by an exception, what stands in `target` is worth nothing."""
    read_end, write_end = os.pipe()
    with _beside(lambda: _seal(read_end, target, recipients)) as failed:
        try:
            with os.fdopen(write_end, "wb") as sink:
                yield sink
        except BrokenPipeError:
            if not failed:
                raise
    if failed:
        raise failed[0]


@contextmanager
def opening(path: Path, identities: Sequence[Identity]) -> Iterator[IO[bytes]]:
    """What is inside the file, to be read to its end: only then is it known to be whole. Raises `WrongKey`, `Damaged`."""
    read_end, write_end = os.pipe()
    problem: Exception | None = None
    with _beside(lambda: _open(path, write_end, identities)) as failed, os.fdopen(read_end, "rb") as source:
        try:
            yield source
            while source.read(1 << 20):
                pass
        except Exception as error:  # perhaps only because the stream ended early, whose reason is known when the thread has ended
            problem = error
    if failed and not isinstance(failed[0], BrokenPipeError):
        raise _read_as(failed[0]) from None
    if problem is not None:
        raise problem


def _seal(read_end: int, target: IO[bytes], recipients: Sequence[Recipient]) -> None:
    with os.fdopen(read_end, "rb", buffering=0) as source:
        pyrage.encrypt_io(source, target, list(recipients))


def _open(path: Path, write_end: int, identities: Sequence[Identity]) -> None:
    with os.fdopen(write_end, "wb", buffering=0) as sink, path.open("rb") as file:
        pyrage.decrypt_io(file, sink, list(identities))


def _read_as(error: Exception) -> Exception:
    if isinstance(error, pyrage.DecryptError) and "No matching keys" in str(error):
        return WrongKey()
    return error if isinstance(error, FileNotFoundError | PermissionError) else Damaged()


@contextmanager
def _beside(run: Callable[[], None]) -> Iterator[list[Exception]]:
    """Run it in a thread; yields a list that holds why it failed once the block, and the thread with it, has ended."""
    failed: list[Exception] = []

    def attempt() -> None:
        try:
            run()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    try:
        yield failed
    finally:
        with suppress(KeyboardInterrupt):
            thread.join()
