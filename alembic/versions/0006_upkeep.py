"""What published tables need besides writes: areas, days, figures at their time, withdrawals; and what an apply leaves behind."""

from sqlalchemy import text

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPKEEP = """
ALTER TABLE published.definition
  ADD COLUMN kind text NOT NULL DEFAULT 'items' CHECK (kind IN ('items', 'figures')),
  ADD COLUMN areas text[] NOT NULL DEFAULT '{}',  -- layers of areas that it depends on
  ADD COLUMN due text,                            -- the attribute from whose day or moment on a row is shown
  ADD COLUMN refresh text,                        -- how often figures are taken anew
  ADD COLUMN zone text NOT NULL DEFAULT 'UTC',    -- where days begin
  ADD COLUMN synced_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN was_empty boolean NOT NULL DEFAULT false;  -- the layer, when it was last looked at
-- what is kept out of every twin, whatever the policies say: a collection, or with `item` one item of a layer
CREATE TABLE published.withdrawn (
  collection text COLLATE "C" NOT NULL,
  layer text COLLATE "C",
  item uuid,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE NULLS NOT DISTINCT (collection, item)
);
CREATE INDEX ON published.withdrawn (item);
-- reasons: of every release; diff: what each role gained and lost; outcome: what was built, how long it took, how large it became
ALTER TABLE control.policy
  ADD COLUMN reasons jsonb NOT NULL DEFAULT '[]', ADD COLUMN diff jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN outcome jsonb NOT NULL DEFAULT '{}';
"""


def upgrade() -> None:
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute(UPKEEP)
    # who reads something of an audited class is noted by the process that knows who asks
    op.execute(f'GRANT INSERT (action, what) ON control.audit TO "{database}_control"')
    op.execute(f'ALTER TABLE published.withdrawn OWNER TO "{database}_owner"')


def downgrade() -> None:
    database = op.get_bind().scalar(text("SELECT current_database()"))
    op.execute(f'REVOKE INSERT (action, what) ON control.audit FROM "{database}_control"')
    op.execute("ALTER TABLE control.policy DROP COLUMN reasons, DROP COLUMN diff, DROP COLUMN outcome")
    op.execute("DROP TABLE published.withdrawn")
    op.execute(
        "ALTER TABLE published.definition DROP COLUMN kind, DROP COLUMN areas, DROP COLUMN due, DROP COLUMN refresh, DROP COLUMN zone, "
        "DROP COLUMN synced_at, DROP COLUMN was_empty"
    )
