"""The roles that every town has, named after the database, and the schemas `store` and `control`.

Downgrading keeps the schema `store` with all rows; it then belongs to the administrator.
"""

from sqlalchemy import text

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BASE_ROLES = ("owner", "writer", "audit", "control")


def upgrade() -> None:
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute("SELECT pg_advisory_xact_lock(hashtext('twin-api roles'))")
    for suffix in BASE_ROLES:
        op.execute(_create_role(database, f"{database}_{suffix}"))
        op.execute(f'GRANT CONNECT ON DATABASE "{database}" TO "{database}_{suffix}"')
    owner = f'"{database}_owner"'
    op.execute(f'GRANT CREATE, TEMPORARY ON DATABASE "{database}" TO {owner}')
    # an administrator who is no superuser must be a member to give objects away
    op.execute(
        "DO $$ BEGIN IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) "
        f"THEN GRANT {owner} TO CURRENT_USER; END IF; END $$"
    )
    op.execute(f"CREATE SCHEMA IF NOT EXISTS store AUTHORIZATION {owner}")
    op.execute(f"ALTER SCHEMA store OWNER TO {owner}")
    op.execute(f"ALTER SCHEMA control OWNER TO {owner}")
    _give_tables("store", owner)
    op.execute(f'GRANT USAGE ON SCHEMA store TO "{database}_writer"')
    op.execute(f'GRANT USAGE ON SCHEMA control TO "{database}_control", "{database}_audit"')
    op.execute(f'ALTER ROLE {owner} IN DATABASE "{database}" SET search_path = postgis')
    writer = f'"{database}_writer" IN DATABASE "{database}"'
    op.execute(f"ALTER ROLE {writer} SET search_path = postgis")
    # a writer that rests within a transaction holds off every policy change
    op.execute(f"ALTER ROLE {writer} SET idle_in_transaction_session_timeout = '60s'")


def downgrade() -> None:
    database = op.get_bind().scalar(text("SELECT current_database()"))
    _give_tables("store", "CURRENT_USER")
    op.execute("ALTER SCHEMA store OWNER TO CURRENT_USER")
    op.execute("ALTER SCHEMA control OWNER TO CURRENT_USER")
    for suffix in BASE_ROLES:
        op.execute(f'DROP OWNED BY "{database}_{suffix}"')
        op.execute(f'DROP ROLE "{database}_{suffix}"')


def _create_role(database: str, role: str) -> str:
    """One role, marked as this database's own. A role of that name with another mark is another town's: nothing is done."""
    mark = f"twin-api base {database}"
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
        f'CREATE ROLE "{role}" LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION; '
        f"COMMENT ON ROLE \"{role}\" IS '{mark}'; "
        f"ELSIF shobj_description(to_regrole('\"{role}\"'), 'pg_authid') IS DISTINCT FROM '{mark}' THEN "
        f"RAISE EXCEPTION 'role {role} exists and is not of this database'; END IF; END $$"
    )


def _give_tables(schema: str, owner: str) -> None:
    rows = op.get_bind().execute(
        text("SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(:s) AND relkind = 'r'"), {"s": schema}
    )
    for (table,) in rows.all():
        op.execute(f'ALTER TABLE {schema}."{table}" OWNER TO {owner}')
