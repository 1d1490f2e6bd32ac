"""Alembic's doorway: runs on the administrator's connection that `twin migrate` opened, in one transaction per revision."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table="alembic_version",
    version_table_schema="control",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
