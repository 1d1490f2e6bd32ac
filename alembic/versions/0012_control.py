"""The schema `control` is the administrator's: what he calls and reads there, the owner can no longer put another thing in place of.

The step itself is taken before any revision runs (`publish/ground.py`), because nothing that stands there could be trusted until then.
This revision says that it was taken, and so that a town of before has it before it.
"""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is left to do."""


def downgrade() -> None:
    """Earlier versions of the program work with it as it is."""
