"""What lies at an address, gathered into a folder by a process of its own that knows of no database.

Must never hand that process anything of our environment, nor believe more of it than file names in its own folder.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from twin_api.imports.fetch import Fetcher
from twin_api.imports.finding import FileRefused, Finding, refuse
from twin_api.imports.pinned import AGAIN, MAX_BYTES, MAX_SECONDS, Budget
from twin_api.imports.reach import Reach, Url
from twin_api.imports.services import SERVICES
from twin_api.imports.services.asked import Asked, Gathered
from twin_api.imports.source_whence import Service
from twin_api.texts import Text

ROOT: Final = Path(__file__).resolve().parents[2]
MEMORY: Final = 2 << 30
LATE_S: Final = 30.0  # after its own time is over


@dataclass(frozen=True, slots=True)
class Job:
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


def collect(job: Job) -> Gathered:
    """Everything at the address, as files in the folder. Raises `FileRefused`."""
    try:
        done = subprocess.run(  # our own interpreter and module
            [sys.executable, "-P", "-s", "-m", "twin_api.imports.collect"], input=orjson.dumps(job), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, cwd=job.folder, env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=job.seconds + LATE_S, check=False,
        )  # fmt: skip
        return _read(orjson.loads(done.stdout), Path(job.folder))
    except (subprocess.TimeoutExpired, orjson.JSONDecodeError):
        raise refuse(Text("das Holen ist abgebrochen", "fetching broke off"), AGAIN) from None


def _read(said: dict[str, Any], folder: Path) -> Gathered:
    if "refused" in said:
        raise FileRefused(Finding(Text(*what), Text(*remedy)) for what, remedy in said["refused"])
    return Gathered(tuple(folder / Path(name).name for name in said["files"]), said["digest"], said["known"], said["crs"])


def _work(job: Job) -> dict[str, Any]:
    try:
        reach = Reach.of(job.hosts, job.networks, Path(job.authorities) if job.authorities else None)
        asked = Asked(Url.of(job.address), job.collection, job.epsg, tuple(job.suffixes), job.known)
        with Fetcher(reach, Path(job.folder), Budget.of(job.seconds, job.size)) as fetcher:
            gathered = SERVICES[job.service](asked, fetcher, Path(job.folder))
    except FileRefused as refused:
        return {"refused": [[_pair(finding.what), _pair(finding.remedy)] for finding in refused.findings]}
    return {"files": [path.name for path in gathered.files], "digest": gathered.digest, "known": gathered.known, "crs": gathered.crs}


def _pair(text: Text) -> list[str]:
    return [text.de, text.en]


def _confine(size: int) -> None:
    """No core, no file larger than allowed, and no more memory than a page needs."""
    for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, size + (1 << 20)), (resource.RLIMIT_AS, MEMORY)):
        resource.setrlimit(limit, (most, most))


def main() -> None:
    """Read a job, do it, say what came of it."""
    job = Job(**orjson.loads(sys.stdin.buffer.read()))
    _confine(job.size)
    sys.stdout.buffer.write(orjson.dumps(_work(job)))


if __name__ == "__main__":
    main()
