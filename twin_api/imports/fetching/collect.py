"""What lies at an address, gathered into a folder by a process of its own that knows of no database.

Must never hand that process anything of our environment, nor believe more of it than file names in its own folder.
"""

from __future__ import annotations

import ctypes
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from twin_api.imports.fetching.fetch import Fetcher
from twin_api.imports.fetching.pinned import AGAIN, MAX_BYTES, MAX_SECONDS, Budget
from twin_api.imports.fetching.reach import Reach, Url
from twin_api.imports.fetching.services import SERVICES
from twin_api.imports.fetching.services.asked import Asked, Gathered
from twin_api.imports.finding import FileRefused, from_data, refuse
from twin_api.imports.sources.whence import Service
from twin_api.texts import Text

ROOT: Final = Path(__file__).resolve().parents[3]
MEMORY: Final = 2 << 30
DIE_WITH_PARENT: Final = 1
LATE_S: Final = 30.0  # after its own time is over


@dataclass(frozen=True, slots=True)
class Errand:
    """All that the other process is told. `hosts`, `networks` and `authorities` as in the settings; `folder` is empty and private.

    `epsg` is asked for where the server has it. `suffixes` are those of files that can be read, `known` what `Gathered` said last time.
    """

    address: str
    service: Service
    folder: str
    hosts: str
    networks: str = ""
    authorities: str | None = None
    collection: str | None = None
    epsg: int | None = None
    suffixes: tuple[str, ...] = ()
    known: Mapping[str, str] = field(default_factory=dict)
    seconds: float = MAX_SECONDS
    size: int = MAX_BYTES


def collect(errand: Errand) -> Gathered:
    """Everything at the address, as files in the folder. Raises `FileRefused`."""
    try:
        done = subprocess.run(  # our own interpreter and module
            [sys.executable, "-P", "-s", "-m", "twin_api.imports.fetching.collect"], input=orjson.dumps(errand), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=errand.folder, env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=errand.seconds + LATE_S, check=False,
        )  # fmt: skip
        return _read(orjson.loads(done.stdout), Path(errand.folder))
    except (subprocess.TimeoutExpired, orjson.JSONDecodeError):
        raise refuse(Text("das Holen ist abgebrochen", "fetching broke off"), AGAIN) from None


def _read(said: dict[str, Any], folder: Path) -> Gathered:
    if "refused" in said:
        raise FileRefused(map(from_data, said["refused"]))
    return Gathered(tuple(folder / Path(name).name for name in said["files"]), said["digest"], said["known"], said["crs"])


def _work(errand: Errand) -> dict[str, Any]:
    try:
        reach = Reach.of(errand.hosts, errand.networks, Path(errand.authorities) if errand.authorities else None)
        asked = Asked(Url.of(errand.address), errand.collection, errand.epsg, tuple(errand.suffixes), errand.known)
        with Fetcher(reach, Path(errand.folder), Budget.of(errand.seconds, errand.size)) as fetcher:
            gathered = SERVICES[errand.service](asked, fetcher, Path(errand.folder))
    except FileRefused as refused:
        return {"refused": [finding.as_data() for finding in refused.findings]}
    return {"files": [path.name for path in gathered.files], "digest": gathered.digest, "known": gathered.known, "crs": gathered.crs}


def _confine(size: int) -> None:
    """No life after the parent's, no core, no file larger than allowed, and no more memory than a page needs."""
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, size + (1 << 20)), (resource.RLIMIT_AS, MEMORY)):
        resource.setrlimit(limit, (most, most))


def main() -> None:
    """Read the errand, do it, say what came of it."""
    errand = Errand(**orjson.loads(sys.stdin.buffer.read()))
    _confine(errand.size)
    sys.stdout.buffer.write(orjson.dumps(_work(errand)))


if __name__ == "__main__":
    main()
