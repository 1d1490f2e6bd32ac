"""Functions by which the owner makes and ends logins of twins without holding CREATEROLE.

On a cluster that many towns share, CREATEROLE would let one town's owner take over another's roles. These functions run with the
administrator's rights and reach only roles named after this town and marked as its own. The town's name is the database's up to a `~`,
behind which stands that it is not the town's own yet.
"""

from sqlalchemy import text

from alembic import context, op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LOGINS = """
CREATE FUNCTION control.twin_login(suffix text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE town text := split_part(current_database(), '~', 1); login text := town || '_' || suffix; mark text;
BEGIN
  IF suffix !~ '^(citizen|council|administration)(_[a-z0-9_]+)?$' OR octet_length(login) > 63 THEN
    RAISE EXCEPTION 'not the name of a twin: %', suffix;
  END IF;
  SELECT shobj_description(oid, 'pg_authid') INTO mark FROM pg_roles WHERE rolname = login;
  IF FOUND AND mark IS DISTINCT FROM 'twin-api ' || town THEN
    RAISE EXCEPTION 'role % exists and is not of this database', login;
  END IF;
  RETURN login;
END $$;

CREATE FUNCTION control.ensure_login(suffix text, verifier text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE login text := control.twin_login(suffix);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('twin-api roles'));
  IF verifier !~ '^SCRAM-SHA-256\\$' THEN
    RAISE EXCEPTION 'a SCRAM verifier is wanted';
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
    EXECUTE format('CREATE ROLE %I LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT 100', login);
    EXECUTE format('COMMENT ON ROLE %I IS %L', login, 'twin-api ' || split_part(current_database(), '~', 1));
  END IF;
  EXECUTE format('ALTER ROLE %I PASSWORD %L', login, verifier);
  EXECUTE format('ALTER ROLE %I RESET ALL', login);
  EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
  EXECUTE format('ALTER ROLE %I SET statement_timeout = ''2s''', login);
  EXECUTE format('ALTER ROLE %I SET lock_timeout = ''2s''', login);
  EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = ''5s''', login);
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN  -- no other administrator may set it
    EXECUTE format('ALTER ROLE %I SET temp_file_limit = ''64MB''', login);
  END IF;
  EXECUTE format('ALTER ROLE %I SET work_mem = ''16MB''', login);
  EXECUTE format('ALTER ROLE %I SET jit = off', login);
  EXECUTE format('ALTER ROLE %I SET max_parallel_workers_per_gather = 0', login);
  EXECUTE format('ALTER ROLE %I SET search_path = %I, postgis', login, suffix);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), login);
  EXECUTE format('GRANT USAGE ON SCHEMA postgis TO %I', login);
  PERFORM control.grant_reading(login);
END $$;

CREATE FUNCTION control.drop_login(suffix text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE login text := control.twin_login(suffix);
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('twin-api roles'));
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = login) THEN
    EXECUTE format('ALTER ROLE %I NOLOGIN', login);
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = login;
    EXECUTE format('DROP OWNED BY %I', login);
    EXECUTE format('DROP ROLE %I', login);
  END IF;
END $$;

-- ends sessions of this database's twins that hold a lock on one of these relations for longer than `age`
CREATE FUNCTION control.end_readers(relations oid[], age interval) RETURNS bigint LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(a.pid))
  FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename
  WHERE a.datname = current_database()
    AND shobj_description(r.oid, 'pg_authid') = 'twin-api ' || split_part(current_database(), '~', 1)
    AND coalesce(a.xact_start, a.query_start) < clock_timestamp() - age
    AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.relation = ANY (relations))
$$;

-- EXECUTE on what a reader's statements call, and no other function of PostGIS
CREATE FUNCTION control.grant_reading(login text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
           WHERE p.pronamespace = 'postgis'::regnamespace AND p.proname = ANY (control.reading()) LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
  END LOOP;
END $$;

CREATE FUNCTION control.reading() RETURNS name[] LANGUAGE sql IMMUTABLE AS $$
  SELECT ARRAY['geometry_overlaps', 'geometry_within', 'st_intersects', 'st_makeenvelope']::name[]
$$;
"""

FUNCTIONS = (
    "twin_login(text)",
    "ensure_login(text,text)",
    "drop_login(text)",
    "end_readers(oid[],interval)",
    "grant_reading(text)",
    "reading()",
)


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    op.execute(LOGINS)
    for function in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION control.{function} FROM PUBLIC")
    for function in ("ensure_login(text,text)", "drop_login(text)", "end_readers(oid[],interval)"):
        op.execute(f'GRANT EXECUTE ON FUNCTION control.{function} TO "{town}_owner"')


def downgrade() -> None:
    connection = op.get_bind()
    query = "SELECT substr(rolname, length(:town) + 2) FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = 'twin-api ' || :town"
    roles = connection.execute(text(query), {"town": context.config.attributes["town"]})
    context.config.attributes["as_owner"]("DELETE FROM published.shown", "DELETE FROM published.role")
    for (suffix,) in roles.all():
        op.execute(f'DROP SCHEMA IF EXISTS "{suffix}" CASCADE')
        connection.execute(text("SELECT control.drop_login(:suffix)"), {"suffix": suffix})
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION control.{function}")
