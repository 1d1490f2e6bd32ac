"""What became of each source that the worker asks by the clock: when it was tried, when it was last good, and what was wrong."""

from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SOURCE = """
CREATE TABLE control.source (
  name text COLLATE "C" PRIMARY KEY,
  since timestamptz NOT NULL,
  tried_at timestamptz,
  tried text,                               -- digest of what the source file and its layer said at the last try
  failures integer NOT NULL DEFAULT 0,      -- tries since it was last good, the one under way among them
  outcome text CHECK (outcome IN ('running', 'imported', 'unchanged', 'refused', 'failed')),
  reasons jsonb NOT NULL DEFAULT '[]',      -- of a refusal, in the languages of the house
  good_at timestamptz,
  content text,                             -- of the last good state: digest of the data,
  said text,                                -- of what the files said then,
  known jsonb NOT NULL DEFAULT '{}'         -- and what the server called it
)
"""


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    op.execute(SOURCE)
    op.execute(f'GRANT CREATE ON SCHEMA control TO "{town}_owner"')  # wanted for the next line, unless a superuser runs it
    op.execute(f'ALTER TABLE control.source OWNER TO "{town}_owner"')
    op.execute(f'REVOKE CREATE ON SCHEMA control FROM "{town}_owner"')


def downgrade() -> None:
    op.execute("DROP TABLE control.source")
