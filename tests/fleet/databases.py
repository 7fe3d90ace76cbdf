"""Which database a test's fleet keeps its store in: a SQLite file, or the PostgreSQL that CARREL_TEST_DATABASE names.

On PostgreSQL each folder has a schema of its own, so that a fleet started again over the same folder finds its store.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.schema import CreateSchema, DropSchema

VARIABLE: Final = "CARREL_TEST_DATABASE"
_made: Final[set[str]] = set()


def url_for(folder: Path) -> str:
    """Where the fleet over `folder` keeps its store."""
    server = _server()
    if server is None:
        return f"sqlite:///{folder / 'fleet.sqlite'}"
    schema = f"t_{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"
    if schema not in _made:
        _do(server, CreateSchema(schema))
        _made.add(schema)
    here = server.update_query_dict({"options": f"-csearch_path={schema}"})
    return here.render_as_string(hide_password=False)


def drop_all() -> None:
    """Remove what `url_for` made on a server."""
    server = _server()
    while server is not None and _made:
        _do(server, DropSchema(_made.pop(), cascade=True))


def _server() -> URL | None:
    named = os.environ.get(VARIABLE)
    return make_url(named).set(drivername="postgresql+psycopg") if named else None


def _do(server: URL, change: CreateSchema | DropSchema) -> None:
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(change)
    engine.dispose()
