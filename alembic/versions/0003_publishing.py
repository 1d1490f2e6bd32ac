"""What the publisher stands on: the register of published tables and the figures that triggers keep true."""

from alembic import context, op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

REGISTER = (
    # every published table with the SQL that builds it
    """CREATE TABLE IF NOT EXISTS published.definition (
  relation text COLLATE "C" PRIMARY KEY,
  layer text NOT NULL,
  datetime text,
  has_geometry boolean NOT NULL,
  statements text[] NOT NULL,
  count bigint NOT NULL DEFAULT 0,
  reach postgis.box2d
)""",
    # every role's schema
    'CREATE TABLE IF NOT EXISTS published.role (schema text COLLATE "C" PRIMARY KEY, name text NOT NULL UNIQUE)',
    # which role shows which published table under which name
    """CREATE TABLE IF NOT EXISTS published.shown (
  schema text COLLATE "C" REFERENCES published.role,
  collection text COLLATE "C",
  relation text COLLATE "C" NOT NULL REFERENCES published.definition,
  PRIMARY KEY (schema, collection)
)""",
    "CREATE INDEX IF NOT EXISTS shown_relation_idx ON published.shown (relation)",
)

FUNCTIONS = (
    # west, south, east, north in degrees, rounded outwards to seven digits; NULL for no box
    """CREATE OR REPLACE FUNCTION published.crs84(reach postgis.box2d) RETURNS float8[] LANGUAGE sql STABLE
SET search_path = pg_catalog, postgis, pg_temp AS $$
  SELECT CASE WHEN reach IS NOT NULL THEN ARRAY[
    floor(ST_X(low) * 1e7) / 1e7, floor(ST_Y(low) * 1e7) / 1e7, ceil(ST_X(high) * 1e7) / 1e7, ceil(ST_Y(high) * 1e7) / 1e7] END
  FROM (SELECT ST_Transform(ST_SetSRID(ST_MakePoint(ST_XMin(reach), ST_YMin(reach)), 3857), 4326) AS low,
               ST_Transform(ST_SetSRID(ST_MakePoint(ST_XMax(reach), ST_YMax(reach)), 3857), 4326) AS high) AS corners
$$""",
    # count and reach of a published table, taken anew from its rows
    """CREATE OR REPLACE FUNCTION published.measure(told text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, postgis, pg_temp AS $$
DECLARE d published.definition;
BEGIN
  SELECT * INTO STRICT d FROM published.definition WHERE relation = told FOR UPDATE;
  EXECUTE format('SELECT count(*), %s FROM published.%I', CASE WHEN d.has_geometry THEN 'ST_Extent(_mercator)' ELSE 'NULL::box2d' END, told)
  INTO d.count, d.reach;
  UPDATE published.definition SET count = d.count, reach = d.reach WHERE relation = told;
END $$""",
    # the figures of a published table, told to every role that shows it
    """CREATE OR REPLACE FUNCTION published.spread(told text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, postgis, pg_temp SET "TimeZone" = 'UTC' AS $$
DECLARE d published.definition; s published.shown; starts timestamptz; ends timestamptz;
BEGIN
  SELECT * INTO STRICT d FROM published.definition WHERE relation = told;
  IF d.datetime IS NOT NULL THEN
    EXECUTE format('SELECT min(%1$I), max(%1$I) FROM published.%2$I', d.datetime, told) INTO starts, ends;
  END IF;
  FOR s IN SELECT * FROM published.shown WHERE relation = told ORDER BY schema, collection LOOP
    EXECUTE format('UPDATE %I.collection SET count = $1, bbox = $2, starts = $3, ends = $4 WHERE name = $5 '
      'AND (count, bbox, starts, ends) IS DISTINCT FROM ($1, $2, $3, $4)', s.schema)
    USING d.count, published.crs84(d.reach), starts, ends, s.collection;
  END LOOP;
END $$""",
    # called by triggers after a change that shows: what was gained, the box of what came, the box of what went.
    # The reach shrinks only where something that went had touched its edge, and is then taken anew.
    """CREATE OR REPLACE FUNCTION published.tell(told text, gained bigint, added postgis.box2d, removed postgis.box2d) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, postgis, pg_temp AS $$
DECLARE d published.definition;
BEGIN
  SELECT * INTO STRICT d FROM published.definition WHERE relation = told FOR UPDATE;
  IF removed IS NOT NULL AND (ST_XMin(removed) <= ST_XMin(d.reach) OR ST_YMin(removed) <= ST_YMin(d.reach)
      OR ST_XMax(removed) >= ST_XMax(d.reach) OR ST_YMax(removed) >= ST_YMax(d.reach)) THEN
    PERFORM published.measure(told);
  ELSE
    UPDATE published.definition SET count = count + gained,
      reach = (SELECT ST_Extent(b::geometry) FROM unnest(ARRAY[reach, added]) AS b) WHERE relation = told;
  END IF;
  PERFORM published.spread(told);
END $$""",
    """CREATE OR REPLACE FUNCTION published.refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'TRUNCATE would bypass publishing: use DELETE';
END $$""",
)
NAMES = (
    "crs84(postgis.box2d)",
    "measure(text)",
    "spread(text)",
    "tell(text,bigint,postgis.box2d,postgis.box2d)",
    "refuse_truncate()",
)


def upgrade() -> None:
    closed = (f"REVOKE ALL ON FUNCTION published.{name} FROM PUBLIC" for name in NAMES)
    context.config.attributes["as_owner"]("CREATE SCHEMA IF NOT EXISTS published", *REGISTER, *FUNCTIONS, *closed)


def downgrade() -> None:
    op.execute("DROP SCHEMA published CASCADE")
