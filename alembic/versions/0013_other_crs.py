"""Readers may transform a shown geometry into other coordinate reference systems, and write it down there."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# ST_Transform by number only: in its other forms a caller writes the transformation himself, and PROJ opens the files that it names.
# It looks a number up in spatial_ref_sys with the caller's own rights; nothing of a town stands there.
READING = """
CREATE OR REPLACE FUNCTION control.reading() RETURNS name[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY['geometry_overlaps', 'geometry_within', 'st_intersects', 'st_makeenvelope',
    'st_transform', 'st_asgeojson', 'st_forcepolygonccw', 'st_forcepolygoncw', 'st_reverse', 'st_force2d', 'st_flipcoordinates',
    'st_segmentize', 'st_expand', 'st_zmin', 'st_zmax', 'box3d']::name[]
$$;

CREATE OR REPLACE FUNCTION control.grant_reading(login text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
           WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (control.reading())
           AND NOT (p.proname = 'st_transform' AND 'text'::regtype = ANY (p.proargtypes)) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
  END LOOP;
  IF NOT has_table_privilege(login, 'postgis.spatial_ref_sys', 'SELECT') THEN
    EXECUTE format('GRANT SELECT ON postgis.spatial_ref_sys TO %I', login);
  END IF;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION control.reading() RETURNS name[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY['geometry_overlaps', 'geometry_within', 'st_intersects', 'st_makeenvelope']::name[]
$$;

CREATE OR REPLACE FUNCTION control.grant_reading(login text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
           WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (control.reading()) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
  END LOOP;
END $$;
"""
MARK = "'twin-api ' || split_part(current_database(), '~', 1)"
LOGINS = f"SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = {MARK}"
GRANT = f"SELECT control.grant_reading(rolname) FROM ({LOGINS}) AS logins"
REVOKE = f"""
DO $$
DECLARE f regprocedure; login name;
BEGIN
  FOR login IN {LOGINS} LOOP
    FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
             WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (control.reading()) LOOP
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM %I', f, login);
    END LOOP;
    EXECUTE format('REVOKE SELECT ON postgis.spatial_ref_sys FROM %I', login);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    op.execute(READING)
    op.execute(GRANT)


def downgrade() -> None:
    op.execute(REVOKE)
    op.execute(BEFORE)
    op.execute(GRANT)
