"""The roles that every town has, named after it, and the schemas `store` and `control`, of which the second is the administrator's.

Downgrading keeps the schema `store` with all rows; it then belongs to the administrator.
"""

from sqlalchemy import text

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BASE_ROLES = ("owner", "writer", "audit", "control")


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute("SELECT pg_advisory_xact_lock(hashtext('twin-api roles'))")
    for suffix in BASE_ROLES:
        op.execute(_create_role(town, f"{town}_{suffix}"))
        op.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{town}_{suffix}"')
    owner = f'"{town}_owner"'
    op.execute(f'GRANT CREATE, TEMPORARY ON DATABASE "{database}" TO {owner}')
    op.execute(f'GRANT USAGE ON SCHEMA postgis TO {owner}, "{town}_writer"')
    # an administrator who is no superuser must be a member to give objects away
    op.execute(
        "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) "
        f"THEN GRANT {owner} TO CURRENT_USER; END IF; END $$"
    )
    op.execute(f"CREATE SCHEMA IF NOT EXISTS store AUTHORIZATION {owner}")
    op.execute(f"ALTER SCHEMA store OWNER TO {owner}")
    _give_tables("store", owner)
    op.execute(f'GRANT USAGE ON SCHEMA store TO "{town}_writer"')
    op.execute(f'GRANT USAGE ON SCHEMA control TO {owner}, "{town}_control", "{town}_audit"')
    op.execute(f'ALTER ROLE {owner} IN DATABASE "{database}" SET search_path = postgis')
    writer = f'"{town}_writer" IN DATABASE "{database}"'
    op.execute(f"ALTER ROLE {writer} SET search_path = postgis")
    # a writer that rests within a transaction holds off every policy change
    op.execute(f"ALTER ROLE {writer} SET idle_in_transaction_session_timeout = '60s'")


def downgrade() -> None:
    town: str = context.config.attributes["town"]
    _give_tables("store", "CURRENT_USER")
    op.execute("ALTER SCHEMA store OWNER TO CURRENT_USER")
    for suffix in BASE_ROLES:
        op.execute(f'DROP OWNED BY "{town}_{suffix}"')
        op.execute(f'DROP ROLE "{town}_{suffix}"')


def _create_role(town: str, role: str) -> str:
    """One role, marked as this town's own. A role of that name with another mark is another town's: nothing is done."""
    mark = f"twin-api base {town}"
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
        f'CREATE ROLE "{role}" LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION; '
        f"COMMENT ON ROLE \"{role}\" IS '{mark}'; "
        f"ELSIF shobj_description(to_regrole('\"{role}\"'), 'pg_authid') IS DISTINCT FROM '{mark}' THEN "
        f"RAISE EXCEPTION 'role {role} exists and is not of this database'; END IF; END $$"
    )


def _give_tables(schema: str, owner: str) -> None:
    op.execute(
        "DO $$ DECLARE t regclass; BEGIN "  # which quotes a table's name: that is the owner's word
        f"FOR t IN SELECT oid FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' LOOP "
        f"EXECUTE format('ALTER TABLE %s OWNER TO {owner}', t); END LOOP; END $$"
    )
