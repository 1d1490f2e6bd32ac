"""What the statements of a filter call: the relations of geometries, their sizes, and the CRS of the published ones."""

from sqlalchemy import text

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BEFORE = ("geometry_overlaps", "geometry_within", "st_intersects", "st_makeenvelope")
# a cast to `geography` looks up the CRS of its geometry, as does a transformation
NEW = (
    "geography", "geometry", "st_area", "st_contains", "st_crosses", "st_distance", "st_equals", "st_force2d", "st_isvalid",
    "st_length", "st_overlaps", "st_snaptogrid", "st_touches", "st_transform", "st_within",
)  # fmt: skip


def _reading(names: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"CREATE OR REPLACE FUNCTION control.reading() RETURNS name[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY[{listed}]::name[] $$"


# the CRS of a geometry is looked up in PostGIS' own table, which says nothing of the town. ST_Transform by number only: in its other forms
# a caller writes the transformation himself, and PROJ opens the files that it names
GRANT = """
CREATE OR REPLACE FUNCTION control.grant_reading(login text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
           WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (control.reading())
           AND NOT (p.proname = 'st_transform' AND 'text'::regtype = ANY (p.proargtypes)) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
  END LOOP;
  EXECUTE format('GRANT SELECT ON postgis.spatial_ref_sys TO %I', login);
END $$;
"""
GRANT_BEFORE = GRANT.replace("  EXECUTE format('GRANT SELECT ON postgis.spatial_ref_sys TO %I', login);\n", "").replace(
    "\n           AND NOT (p.proname = 'st_transform' AND 'text'::regtype = ANY (p.proargtypes))", ""
)
FOR_ALL = """
DO $$
DECLARE r record; f regprocedure;
BEGIN
  FOR r IN SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = 'twin-api ' || current_database() LOOP
    {done}
  END LOOP;
END $$;
"""
TAKE = """
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
             WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (ARRAY[{names}]) LOOP
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %I', f, r.rolname);
    END LOOP;
    EXECUTE format('REVOKE SELECT ON postgis.spatial_ref_sys FROM %I', r.rolname);
"""


def upgrade() -> None:
    op.execute(_reading((*BEFORE, *NEW)))
    op.execute(GRANT)
    op.execute(text(FOR_ALL.format(done="PERFORM control.grant_reading(r.rolname);")))


def downgrade() -> None:
    op.execute(_reading(BEFORE))
    op.execute(GRANT_BEFORE)
    op.execute(text(FOR_ALL.format(done=TAKE.format(names=", ".join(f"'{name}'" for name in NEW)))))
