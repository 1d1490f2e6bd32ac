"""The shelf of masks: one file per mask, one name per registry."""

from twin_api.policy.masks.grid import Grid
from twin_api.policy.masks.hide import Hide
from twin_api.policy.masks.keep import Keep, KeepGeometry
from twin_api.policy.masks.mask import GeometryMask, MaskRefused, ValueMask
from twin_api.policy.masks.round import Round
from twin_api.policy.masks.xy import Xy

GEOMETRY_MASKS: tuple[type[GeometryMask], ...] = (KeepGeometry, Xy, Grid, Hide)
VALUE_MASKS: tuple[type[ValueMask], ...] = (Keep, Round)

__all__ = [
    "GEOMETRY_MASKS",
    "VALUE_MASKS",
    "GeometryMask",
    "Grid",
    "Hide",
    "Keep",
    "KeepGeometry",
    "MaskRefused",
    "Round",
    "ValueMask",
    "Xy",
]
