"""Alembic's doorway: runs on the administrator's connection that `twin migrate` opened, in one transaction per revision.

INVARIANT: a revision looks at no row of a table that the owner can change, and calls no function of the owner's: what is to be done there
it gives to `as_owner` of the attributes, as statements that may be repeated. The attribute `town` is what logins are named after.
"""

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
