"""Where rows come from: the journal of imports, and in every table of the store the import that last changed a row."""

from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

JOURNAL = """
CREATE TABLE control.import (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  who text NOT NULL DEFAULT session_user,
  layer text COLLATE "C" NOT NULL,
  source text COLLATE "C",  -- of a scheduled source
  files jsonb NOT NULL,     -- name, sha256 and octets of each
  holder text NOT NULL,
  licence text NOT NULL,
  counts jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ON control.import (layer, id);
"""
STORE = """DO $$ DECLARE t regclass; BEGIN
  FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'store'::regnamespace AND relkind = 'r' LOOP
    EXECUTE format('ALTER TABLE %s {} import_id {}', t);
  END LOOP;
END $$"""


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    op.execute(JOURNAL)
    op.execute(f'GRANT CREATE ON SCHEMA control TO "{town}_owner"')  # wanted for the next line, unless a superuser runs it
    op.execute(f'ALTER TABLE control.import OWNER TO "{town}_owner"')
    op.execute(f'REVOKE CREATE ON SCHEMA control FROM "{town}_owner"')
    context.config.attributes["as_owner"](STORE.format("ADD COLUMN IF NOT EXISTS", "bigint"))


def downgrade() -> None:
    context.config.attributes["as_owner"](STORE.format("DROP COLUMN IF EXISTS", ""))
    op.execute("DROP TABLE control.import")
