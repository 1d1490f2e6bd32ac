"""A layer file becomes the description of a typed table in the schema `store`: whole truth, no role's view of it."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import UUID

from twin_api.policy.documents import Attribute, Layer
from twin_api.policy.documents import Geometry as LayerGeometry
from twin_api.policy.masks.mask import STORE

__all__ = ["COLUMN_TYPES", "GEOMETRY", "ID", "IMPORT", "MOMENTS", "STORE", "describe", "geometry_type"]

ID: Final = "id"
GEOMETRY: Final = "geometry"
IMPORT: Final = "import_id"  # the import that last changed the row; never published

COLUMN_TYPES: Final[dict[str, sa.types.TypeEngine[Any]]] = {
    "text": sa.Text(collation="C"),
    "integer": sa.BigInteger(),
    "number": sa.Double(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "datetime": sa.DateTime(timezone=True),
}


MOMENTS: Final = "BETWEEN '0001-01-01T00:00:00+00'::timestamptz AND '9999-12-31T23:59:59.999999+00'::timestamptz"
# what JSON, RFC 3339 and every client can say; NaN is greater than any number in PostgreSQL
_CHECKS: Final = {
    "number": "abs({0}) < 'Infinity'::float8",
    "date": "{0} BETWEEN '0001-01-01'::date AND '9999-12-31'::date",
    "datetime": f"{{0}} {MOMENTS}",
}


def describe(layer: Layer, metadata: sa.MetaData | None = None) -> sa.Table:
    """The table of a layer: `id` (random UUID), one column per attribute, `geometry` in the layer's CRS, `import_id`.

    Texts compare by code point (collation `C`); numbers and times are finite. A layer's key is unique as a whole, NULLs counting as equal.
    """
    columns: list[sa.Column[Any]] = [sa.Column(ID, UUID(as_uuid=True), primary_key=True, server_default=sa.func.gen_random_uuid())]
    columns += [_column(attribute) for attribute in layer.attributes.values()]
    if layer.geometry is not None:
        columns.append(_geometry(layer.geometry))
    columns.append(sa.Column(IMPORT, sa.BigInteger()))
    constraints: list[sa.schema.SchemaItem] = []
    if layer.key:
        constraints.append(sa.UniqueConstraint(*layer.key, name=f"{layer.name}_key", postgresql_nulls_not_distinct=True))
    return sa.Table(layer.name, metadata if metadata is not None else sa.MetaData(), *columns, *constraints, schema=STORE)


def _column(attribute: Attribute) -> sa.Column[Any]:
    check = _CHECKS.get(attribute.type)
    checks = [sa.CheckConstraint(check.format(f'"{attribute.name}"'))] if check else []
    return sa.Column(attribute.name, COLUMN_TYPES[attribute.type], *checks)


def _geometry(geometry: LayerGeometry) -> sa.Column[Any]:
    """Heights are finite: PostGIS takes `NaN` for one, JSON has no word for it."""
    checks = [sa.CheckConstraint(f"postgis.ST_AsText({GEOMETRY}) !~* '(nan|inf)'")] if geometry.type.endswith("Z") else []
    return sa.Column(GEOMETRY, geometry_type(geometry.type, geometry.epsg), *checks)


def geometry_type(type_: str, epsg: int) -> Geometry:
    """The column type for an OGC geometry type name (`PointZ` …); indexes are made where they are wanted, not by the type."""
    return Geometry(type_.upper(), srid=epsg, dimension=3 if type_.endswith("Z") else 2, spatial_index=False)
