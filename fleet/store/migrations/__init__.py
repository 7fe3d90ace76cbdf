"""Alembic migrations, run by `fleet.store.migrate`."""
