"""What is withdrawn is closed in a table of its own in every role's schema, which no writer's trigger ever holds."""

from alembic import context

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

CLOSED = """
DO $$
DECLARE r published.role; town text := split_part(current_database(), '~', 1);
BEGIN
  FOR r IN SELECT * FROM published.role LOOP
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I._closed (collection text COLLATE "C" NOT NULL PRIMARY KEY)', r.schema);
    EXECUTE format('GRANT SELECT ON %I._closed TO %I', r.schema, town || '_' || r.schema);
    EXECUTE format('INSERT INTO %I._closed SELECT collection FROM published.shown JOIN published.withdrawn USING (collection) '
      'WHERE item IS NULL AND schema = $1 ON CONFLICT DO NOTHING', r.schema) USING r.schema;
  END LOOP;
END $$;
"""

OPEN = """
DO $$
DECLARE r published.role;
BEGIN
  FOR r IN SELECT * FROM published.role LOOP
    CONTINUE WHEN to_regclass(format('%I._closed', r.schema)) IS NULL;  -- done, by one who was killed then
    EXECUTE format('UPDATE %1$I.collection SET shown_until = ''-infinity'' WHERE name IN (SELECT collection FROM %1$I._closed)', r.schema);
    EXECUTE format('DROP TABLE %I._closed', r.schema);
  END LOOP;
END $$;
"""


def upgrade() -> None:
    context.config.attributes["as_owner"](CLOSED)


def downgrade() -> None:
    context.config.attributes["as_owner"](OPEN)
