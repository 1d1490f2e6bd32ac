"""The shelf of masks: one file per mask, one name per registry."""

from twin_api.policy.masks.area import Area
from twin_api.policy.masks.band import Band
from twin_api.policy.masks.grid import Grid
from twin_api.policy.masks.hide import Hide
from twin_api.policy.masks.keep import Keep, KeepGeometry
from twin_api.policy.masks.mask import GeometryMask, MaskRefused, ValueMask
from twin_api.policy.masks.reviewed import Reviewed
from twin_api.policy.masks.round import Round
from twin_api.policy.masks.truncate import Truncate
from twin_api.policy.masks.xy import Xy

GEOMETRY_MASKS: tuple[type[GeometryMask], ...] = (KeepGeometry, Xy, Grid, Area, Hide)
VALUE_MASKS: tuple[type[ValueMask], ...] = (Keep, Round, Band, Truncate, Reviewed)

__all__ = [
    "GEOMETRY_MASKS",
    "VALUE_MASKS",
    "Area",
    "Band",
    "GeometryMask",
    "Grid",
    "Hide",
    "Keep",
    "KeepGeometry",
    "MaskRefused",
    "Reviewed",
    "Round",
    "Truncate",
    "ValueMask",
    "Xy",
]
