"""Alembic's entry: it works on the connection that `fleet.store.migrate` hands over."""

from alembic import context

from fleet.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
