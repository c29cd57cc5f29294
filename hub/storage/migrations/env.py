"""What Alembic runs: the connection and its transaction are given by `migrate`."""

from alembic import context

from hub.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
