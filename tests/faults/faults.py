"""What can become of a PostgreSQL: each makes it so, and leaves it to be started again."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from twin_api.store.embedded import Cluster

Fault = Callable[[Cluster, random.Random], None]
FROZEN_S: Final = 1.0


def postmaster(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def backends(cluster: Cluster) -> list[int]:
    """The processes of the server that serve somebody, or write; not the postmaster."""
    return sorted(pid for pid in cluster._postmaster.processes() if pid != postmaster(cluster))


def kill_postmaster(cluster: Cluster, draw: random.Random) -> None:
    os.kill(postmaster(cluster), signal.SIGKILL)


def kill_one_backend(cluster: Cluster, draw: random.Random) -> None:
    """After which PostgreSQL ends all others and replays its log."""
    with suppress(ProcessLookupError):
        os.kill(draw.choice(backends(cluster)), signal.SIGKILL)


def stop_fast(cluster: Cluster, draw: random.Random) -> None:
    cluster.stop()


def stop_at_once(cluster: Cluster, draw: random.Random) -> None:
    os.kill(postmaster(cluster), signal.SIGQUIT)


def freeze(cluster: Cluster, draw: random.Random) -> None:
    frozen = cluster._postmaster.processes()
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    time.sleep(FROZEN_S)
    for pid in frozen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


FAULTS: Final[tuple[Fault, ...]] = (kill_postmaster, kill_one_backend, stop_fast, stop_at_once, freeze)
