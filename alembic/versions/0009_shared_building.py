"""What several published tables of a layer would compute alike is computed once when they are built together."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # a temporary table's name, the statement that makes it, the one that fills the published table from it; none: it is built alone
    op.execute("ALTER TABLE published.definition ADD COLUMN shared text[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE published.definition DROP COLUMN shared")
