"""What several published tables of a layer would compute alike is computed once when they are built together."""

from alembic import context

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a temporary table's name, the statement that makes it, the one that fills the published table from it; none: it is built alone
    context.config.attributes["as_owner"]("ALTER TABLE published.definition ADD COLUMN IF NOT EXISTS shared text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    context.config.attributes["as_owner"]("ALTER TABLE published.definition DROP COLUMN IF EXISTS shared")
