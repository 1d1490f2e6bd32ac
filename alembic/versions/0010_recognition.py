"""Withdrawn items are known again when their rows are deleted and delivered anew."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE published.withdrawn ADD COLUMN mark text COLLATE "C"')  # digest of the item's key, or of all it holds


def downgrade() -> None:
    op.execute("ALTER TABLE published.withdrawn DROP COLUMN mark")
