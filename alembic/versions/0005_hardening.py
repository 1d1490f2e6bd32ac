"""What PostgreSQL and PostGIS hand to PUBLIC is taken back; roles then hold what they were granted by name.

`control.harden()` can be run again at any time, and must be after every `ALTER EXTENSION postgis UPDATE`: new functions are PUBLIC.
"""

from sqlalchemy import text

from alembic import context, op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# of pg_catalog: large objects, locks and waits anybody could take, XML dumps of whole tables, sizes and activity of hidden tables
CATALOGUE = (
    "^(lo_.*|loread|lowrite|pg_advisory_.*|pg_try_advisory_.*|pg_sleep.*|pg_notify|(query|table|cursor|schema|database)_to_xml.*"
    "|pg_(relation|total_relation|table|indexes|database|tablespace)_size|pg_stat_get_.*|pg_stat_.*|pg_relation_filepath"
    "|pg_relation_filenode|pg_filenode_relation|pg_lock_status|pg_blocking_pids|pg_safe_snapshot_blocking_pids|txid_.*|pg_export_snapshot"
    "|pg_get_replication_slots|pg_get_publication_tables|pg_prepared_xact|currtid2|pg_event_trigger_.*|pg_import_system_collations"
    "|pg_logical_emit_message|binary_upgrade_.*|set_config|pg_settings_get_flags|pg_column_size|pg_get_triggerdef|pg_get_functiondef"
    "|pg_current_logfile|pg_size_.*"
    # the clock of everybody's writes, hidden ones too, under its newer names
    "|pg_current_(snapshot|xact_id.*|wal_.*)|pg_snapshot_x.*|pg_visible_in_snapshot|pg_xact_.*|pg_last_(committed|xact|wal)_.*|pg_control_.*"
    "|pg_get_multixact_members|pg_walfile_.*|pg_notification_queue_usage|pg_tablespace_databases)$"
)
# how many transactions there have been since: the clock of everybody's writes
CLOCKS = "'age(xid)'::regprocedure, 'mxid_age(xid)'::regprocedure"

HARDEN = f"""
-- what PUBLIC held before, so that a downgrade gives back that and no more
CREATE TABLE control.was_public (function text COLLATE "C" PRIMARY KEY);

CREATE FUNCTION control.harden() RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure; database text := current_database(); town text := split_part(database, '~', 1); login text;
BEGIN
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', database);
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
  REVOKE ALL ON SCHEMA postgis FROM PUBLIC;
  REVOKE USAGE ON LANGUAGE plpgsql, sql FROM PUBLIC;
  REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA postgis FROM PUBLIC;
  REVOKE SELECT ON ALL TABLES IN SCHEMA postgis FROM PUBLIC;
  -- only what PUBLIC holds: an administrator who is no superuser gets a warning for these, and an error for others
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p
           WHERE p.pronamespace = 'pg_catalog'::regnamespace AND (p.proname ~ '{CATALOGUE}' OR p.oid IN ({CLOCKS})) AND p.prokind = 'f'
             AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')) LOOP
    INSERT INTO control.was_public VALUES (f::text) ON CONFLICT DO NOTHING;
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
  -- the source of the triggers holds row rules: everybody may know functions, nobody their text
  REVOKE SELECT ON pg_proc FROM PUBLIC;
  EXECUTE (SELECT format('GRANT SELECT (%s) ON pg_proc TO PUBLIC', string_agg(quote_ident(attname), ', ' ORDER BY attnum))
           FROM pg_attribute WHERE attrelid = 'pg_proc'::regclass AND attnum > 0 AND attname NOT IN ('prosrc', 'prosqlbody'));
  EXECUTE format('GRANT SELECT ON pg_proc TO %I', town || '_owner');
  EXECUTE format('GRANT USAGE ON LANGUAGE plpgsql, sql TO %I', town || '_owner');
  EXECUTE format('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA postgis TO %I', town || '_owner');
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA postgis TO %I', town || '_owner');
  EXECUTE format('GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint), pg_advisory_unlock(bigint), pg_advisory_xact_lock(bigint), '
    'pg_try_advisory_lock(bigint), pg_try_advisory_xact_lock(bigint), set_config(text,text,bool), pg_total_relation_size(regclass), '
    'pg_get_triggerdef(oid), pg_get_functiondef(oid) TO %I', town || '_owner');
  PERFORM control.grant_writing(town || '_writer');
  FOR login IN SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = 'twin-api ' || town LOOP
    PERFORM control.grant_reading(login);
  END LOOP;
END $$;

-- what checks and casts of a stored geometry call when a row is written
CREATE FUNCTION control.grant_writing(login text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'postgis'::regnamespace
           AND p.proname IN ('geometry', 'st_geomfromwkb', 'st_geomfromewkb', 'st_setsrid', 'st_makepoint', 'st_point', 'st_astext') LOOP
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', f, login);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    op.execute(HARDEN)
    for function in ("harden()", "grant_writing(text)"):
        op.execute(f"REVOKE ALL ON FUNCTION control.{function} FROM PUBLIC")
    op.execute("SELECT control.harden()")
    for schema in ("store", "published", "control"):
        op.execute(f'ALTER DEFAULT PRIVILEGES FOR ROLE "{town}_owner" IN SCHEMA {schema} REVOKE ALL ON TABLES FROM PUBLIC')
    op.execute(f'ALTER DEFAULT PRIVILEGES FOR ROLE "{town}_owner" REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC')


def downgrade() -> None:
    town: str = context.config.attributes["town"]
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute(f'ALTER DEFAULT PRIVILEGES FOR ROLE "{town}_owner" GRANT EXECUTE ON FUNCTIONS TO PUBLIC')
    op.execute("GRANT EXECUTE ON ALL ROUTINES IN SCHEMA postgis TO PUBLIC")
    op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA postgis TO PUBLIC")
    op.execute("GRANT USAGE ON SCHEMA postgis, public TO PUBLIC")
    op.execute("GRANT USAGE ON LANGUAGE plpgsql, sql TO PUBLIC")
    op.execute(f'GRANT CONNECT, TEMPORARY ON DATABASE "{database}" TO PUBLIC')
    op.execute(
        "DO $$ DECLARE f text; BEGIN FOR f IN SELECT function FROM control.was_public LOOP "
        "EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', f); END LOOP; END $$"
    )
    op.execute(f'REVOKE SELECT ON pg_proc FROM "{town}_owner"')
    op.execute("GRANT SELECT ON pg_proc TO PUBLIC")
    op.execute("DROP TABLE control.was_public")
    op.execute("DROP FUNCTION control.harden(), control.grant_writing(text)")
