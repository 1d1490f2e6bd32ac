"""What the statements of a filter call: the relations of geometries, and their sizes."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BEFORE = (
    "geometry_overlaps", "geometry_within", "st_intersects", "st_makeenvelope", "st_transform", "st_asgeojson", "st_forcepolygonccw",
    "st_forcepolygoncw", "st_reverse", "st_force2d", "st_flipcoordinates", "st_segmentize", "st_expand", "st_zmin", "st_zmax", "box3d",
)  # fmt: skip
NEW = (
    "geography", "geometry", "st_area", "st_contains", "st_crosses", "st_distance", "st_equals", "st_isvalid", "st_length", "st_overlaps",
    "st_snaptogrid", "st_touches", "st_within",
)  # fmt: skip
MARK = "'twin-api ' || split_part(current_database(), '~', 1)"
LOGINS = f"SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = {MARK}"
GRANT = f"SELECT control.grant_reading(rolname) FROM ({LOGINS}) AS logins"
REVOKE = f"""
DO $$
DECLARE f regprocedure; login name;
BEGIN
  FOR login IN {LOGINS} LOOP
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
             WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (ARRAY[{", ".join(f"'{name}'" for name in NEW)}]) LOOP
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %I', f, login);
    END LOOP;
  END LOOP;
END $$;
"""


def _reading(names: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{name}'" for name in names)
    return f"CREATE OR REPLACE FUNCTION control.reading() RETURNS name[] LANGUAGE sql IMMUTABLE AS $$ SELECT ARRAY[{listed}]::name[] $$"


def upgrade() -> None:
    op.execute(_reading((*BEFORE, *NEW)))
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute(_reading(BEFORE))
