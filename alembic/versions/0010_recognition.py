"""Withdrawn items are known again when their rows are deleted and delivered anew."""

from alembic import context

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # digest of the item's key, or of all it holds
    context.config.attributes["as_owner"]('ALTER TABLE published.withdrawn ADD COLUMN IF NOT EXISTS mark text COLLATE "C"')


def downgrade() -> None:
    context.config.attributes["as_owner"]("ALTER TABLE published.withdrawn DROP COLUMN IF EXISTS mark")
