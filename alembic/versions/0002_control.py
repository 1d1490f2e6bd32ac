"""Tokens, the audit log and the policies that were applied."""

from alembic import context, op

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
    town: str = context.config.attributes["town"]
    op.execute(TABLES)
    op.execute(f'GRANT CREATE ON SCHEMA control TO "{town}_owner"')  # wanted for the next lines, unless a superuser runs them
    for table in ("token", "audit", "policy"):
        op.execute(f'ALTER TABLE control.{table} OWNER TO "{town}_owner"')
    op.execute(f'REVOKE CREATE ON SCHEMA control FROM "{town}_owner"')
    op.execute(f'GRANT SELECT, UPDATE (last_used_at) ON control.token TO "{town}_control"')
    op.execute(f'GRANT INSERT (action, what) ON control.audit TO "{town}_audit"')


def downgrade() -> None:
    op.execute("DROP TABLE control.policy, control.audit, control.token")
