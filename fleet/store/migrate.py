"""Brings a database to the tables of this version."""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config

from fleet.store.engine import Database

SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(database: Database) -> None:
    """Run what is missing, in one transaction; a database that is up to date is left as it is.

    Raises:
        StoreDown: the database cannot be written.
    """
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
