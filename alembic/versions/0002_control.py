"""Tokens, the audit log and the policies that were applied."""

from sqlalchemy import text

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE control.token (
  id text COLLATE "C" PRIMARY KEY,
  name text NOT NULL,
  secret bytea NOT NULL,
  roles text[] NOT NULL CHECK (cardinality(roles) > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  last_used_at timestamptz
);
CREATE TABLE control.audit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  who text NOT NULL DEFAULT session_user,
  action text NOT NULL,
  what jsonb NOT NULL
);
CREATE TABLE control.policy (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  who text NOT NULL DEFAULT session_user,
  version text NOT NULL,
  files jsonb NOT NULL,
  matrix jsonb NOT NULL
);
"""


def upgrade() -> None:
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute(TABLES)
    for table in ("token", "audit", "policy"):
        op.execute(f'ALTER TABLE control.{table} OWNER TO "{database}_owner"')
    op.execute(f'GRANT SELECT, UPDATE (last_used_at) ON control.token TO "{database}_control"')
    op.execute(f'GRANT INSERT (action, what) ON control.audit TO "{database}_audit"')


def downgrade() -> None:
    op.execute("DROP TABLE control.policy, control.audit, control.token")
