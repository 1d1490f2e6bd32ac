"""The kinds of addresses that data come from, one file each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from twin_api.imports.fetching.services import oapif, plain_file, wfs
from twin_api.imports.fetching.services.asked import Gather
from twin_api.imports.sources.whence import Service

SERVICES: Final[Mapping[Service, Gather]] = {"file": plain_file.gather, "wfs": wfs.gather, "oapif": oapif.gather}
