"""What is to be fetched for a layer, as an errand for the process that does it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyproj import CRS

from twin_api.imports.description import Description
from twin_api.imports.fetching.collect import Errand
from twin_api.imports.formats import FORMATS
from twin_api.imports.sources.whence import Whence
from twin_api.policy.documents import Layer
from twin_api.settings import Settings


def errand_for(
    whence: Whence, layer: Layer, description: Description, settings: Settings, folder: Path, known: Mapping[str, str]
) -> Errand:  # fmt: skip
    """For an address; `folder` is empty and private, `known` what the last run said."""
    assert whence.address is not None  # noqa: S101 - the caller has looked
    authorities = str(settings.source_ca.resolve()) if settings.source_ca else None
    suffixes = tuple(suffix for format_ in FORMATS for suffix in format_.suffixes)
    return Errand(
        whence.address, whence.service, str(folder), settings.source_hosts, settings.source_networks, authorities, whence.collection,
        _epsg(layer, description), suffixes, known,
    )  # fmt: skip


def _epsg(layer: Layer, description: Description) -> int | None:
    """The layer's own CRS, where nothing was said of the source's and x comes first in it: JSON knows no other order."""
    geometry = layer.geometry
    if geometry is None or description.crs is not None or description.zone_prefix is not None or description.axes != "as-declared":
        return None
    return geometry.epsg if CRS.from_epsg(geometry.epsg).axis_info[0].direction == "east" else None
