"""The process in which foreign files are opened: without network, secrets or database, with a bound on its memory.

`python -m twin_api.imports.inside.workbench FD MEMORY PARENT`: a pickled `Job` comes by standard input, messages go out by that descriptor.
Must never import what knows a credential.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import resource
import sys
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from twin_api.imports.draft_job import DraftJob
    from twin_api.imports.job import Job

EXHAUSTED: Final = ("MemoryError", "GEOSException")
NEWUSER, NEWNET, DIE_WITH_PARENT = 0x10000000, 0x40000000, 1


def confine(memory: int, parent: int) -> None:
    """No more memory than so many octets, no core dumps, no network where the kernel lets us, and no life after the parent's."""
    libc = ctypes.CDLL(None)
    libc.prctl(DIE_WITH_PARENT, 9)
    if os.getppid() != parent:  # it died before we could say so
        raise SystemExit(1)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    bound = memory if most == resource.RLIM_INFINITY else min(memory, most)  # somebody may have set a lower one already
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    if libc.unshare(NEWNET):
        libc.unshare(NEWUSER | NEWNET)


def main() -> None:
    confine(int(sys.argv[2]), int(sys.argv[3]))
    import_module("twin_api.imports.inside.reading")  # what nearly every job needs; the parent may still be thinking about this one
    job: Job | DraftJob = pickle.load(sys.stdin.buffer)  # noqa: S301 - the parent's own
    with os.fdopen(int(sys.argv[1]), "wb") as out:
        _work(job, out)


def _work(job: Job | DraftJob, out: BinaryIO) -> None:
    from twin_api.imports.finding import FileRefused
    from twin_api.imports.job import tell

    try:
        _do(job, out)
    except FileRefused as refused:
        groups = [[attribute, [remedy.de, remedy.en], count] for (attribute, remedy), count in refused.groups.items()]
        findings = [finding.as_data() for finding in refused.findings]
        tell(out, {"kind": "refused", "findings": findings, "total": refused.total, "groups": groups})
    except Exception as error:
        name = type(error).__name__  # its text may hold a value
        tell(out, {"kind": "memory"} if name in EXHAUSTED else {"kind": "failed", "error": name})


def _do(job: Job | DraftJob, out: BinaryIO) -> None:
    from twin_api.imports.draft_job import DraftJob
    from twin_api.imports.infer import tell_draft
    from twin_api.imports.inside.quoting import quote
    from twin_api.imports.inside.reading import read

    if isinstance(job, DraftJob):
        tell_draft(job, out)
    elif job.quote is not None:
        quote(job, out)
    else:
        read(job, out)


if __name__ == "__main__":
    main()
