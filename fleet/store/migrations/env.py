"""Alembic's entry: it works on the connection that `fleet.store.migrate` hands over."""

from alembic import context

from fleet.store import incident_tables

context.configure(connection=context.config.attributes["connection"], target_metadata=incident_tables.metadata)
context.run_migrations()
