"""What published tables need besides writes: areas, days, figures at their time, withdrawals; and what an apply leaves behind."""

from alembic import context

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UPKEEP = (
    """ALTER TABLE published.definition
  ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'items' CHECK (kind IN ('items', 'figures')),
  ADD COLUMN IF NOT EXISTS areas text[] NOT NULL DEFAULT '{}',  -- layers of areas that it depends on
  ADD COLUMN IF NOT EXISTS due text,                            -- the attribute from whose day or moment on a row is shown
  ADD COLUMN IF NOT EXISTS refresh text,                        -- how often figures are taken anew
  ADD COLUMN IF NOT EXISTS zone text NOT NULL DEFAULT 'UTC',    -- where days begin
  ADD COLUMN IF NOT EXISTS synced_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN IF NOT EXISTS was_empty boolean NOT NULL DEFAULT false  -- the layer, when it was last looked at
""",
    # what is kept out of every twin, whatever the policies say: a collection, or with `item` one item of a layer
    """CREATE TABLE IF NOT EXISTS published.withdrawn (
  collection text COLLATE "C" NOT NULL,
  layer text COLLATE "C",
  item uuid,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE NULLS NOT DISTINCT (collection, item)
)""",
    "CREATE INDEX IF NOT EXISTS withdrawn_item_idx ON published.withdrawn (item)",
    # reasons: of every release; diff: what each role gained and lost; outcome: what was built, how long it took, how large it became
    """ALTER TABLE control.policy
  ADD COLUMN IF NOT EXISTS reasons jsonb NOT NULL DEFAULT '[]', ADD COLUMN IF NOT EXISTS diff jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN IF NOT EXISTS outcome jsonb NOT NULL DEFAULT '{}'""",
)


def upgrade() -> None:
    town: str = context.config.attributes["town"]
    # who reads something of an audited class is noted by the process that knows who asks
    noting = f'GRANT INSERT (action, what) ON control.audit TO "{town}_control"'
    context.config.attributes["as_owner"](*UPKEEP, noting)


def downgrade() -> None:
    town: str = context.config.attributes["town"]
    context.config.attributes["as_owner"](
        f'REVOKE INSERT (action, what) ON control.audit FROM "{town}_control"',
        "ALTER TABLE control.policy DROP COLUMN IF EXISTS reasons, DROP COLUMN IF EXISTS diff, DROP COLUMN IF EXISTS outcome",
        "DROP TABLE IF EXISTS published.withdrawn",
        "ALTER TABLE published.definition DROP COLUMN IF EXISTS kind, DROP COLUMN IF EXISTS areas, DROP COLUMN IF EXISTS due, "
        "DROP COLUMN IF EXISTS refresh, DROP COLUMN IF EXISTS zone, DROP COLUMN IF EXISTS synced_at, DROP COLUMN IF EXISTS was_empty",
    )
