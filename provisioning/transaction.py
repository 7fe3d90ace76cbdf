"""One transaction of the register's file, which has one writer at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from provisioning.errors import RegisterUnusable


@contextmanager
def writing(db: Database) -> Iterator[None]:
    """All of what is done within, or nothing: what is read in it is still so when it is written.

    Raises:
        RegisterUnusable: somebody else holds the file, or its disk refuses.
    """
    connection = db.conn
    try:
        connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            connection.rollback()
            raise
        connection.execute("commit")
    except sqlite3.OperationalError as error:
        if connection.in_transaction:
            connection.rollback()
        raise RegisterUnusable(f"the register cannot be written: {error}; nothing was changed") from error
