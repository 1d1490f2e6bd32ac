"""What is withdrawn is closed in a table of its own in every role's schema, which no writer's trigger ever holds."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CLOSED = """
DO $$
DECLARE r published.role; owner text := current_database() || '_owner';
BEGIN
  FOR r IN SELECT * FROM published.role LOOP
    EXECUTE format('CREATE TABLE %I._closed (collection text COLLATE "C" NOT NULL PRIMARY KEY)', r.schema);
    EXECUTE format('ALTER TABLE %I._closed OWNER TO %I', r.schema, owner);
    EXECUTE format('GRANT SELECT ON %I._closed TO %I', r.schema, current_database() || '_' || r.schema);
    EXECUTE format('INSERT INTO %I._closed SELECT collection FROM published.shown JOIN published.withdrawn USING (collection) '
      'WHERE item IS NULL AND schema = $1', r.schema) USING r.schema;
  END LOOP;
END $$;
"""

OPEN = """
DO $$
DECLARE r published.role;
BEGIN
  FOR r IN SELECT * FROM published.role LOOP
    EXECUTE format('UPDATE %1$I.collection SET shown_until = ''-infinity'' WHERE name IN (SELECT collection FROM %1$I._closed)', r.schema);
    EXECUTE format('DROP TABLE %I._closed', r.schema);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    op.execute(CLOSED)


def downgrade() -> None:
    op.execute(OPEN)
