"""The register: which campuses and kiosks there are. A SQLite file through sqlite-utils, with migrations."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator
from sqlite_utils import Database

from provisioning.errors import CampusRefused, RegisterUnusable
from provisioning.migrations import migrations
from wire.ids import Id


class Campus(BaseModel):
    """One school. Its time zone is the one of its bell schedule."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    time_zone: str

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no time zone; write it as in 'America/Chicago'") from error
        return name


def campus(id_: str, name: str, time_zone: str) -> Campus:
    """A valid campus; raises `CampusRefused` naming the field that is not."""
    try:
        return Campus(id=id_, name=name, time_zone=time_zone)
    except ValidationError as error:
        first_error = error.errors(include_url=False)[0]
        raise CampusRefused(f"{first_error['loc'][0]} {first_error['input']!r}: {first_error['msg']}") from error


class Register:
    """The open register."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def db(self) -> Database:
        """The database itself, for the parts of the register that stand in modules of their own."""
        return self._db

    @classmethod
    def open(cls, path: Path) -> Self:
        """The register at `path`, made if it is missing; raises `RegisterUnusable`."""
        with contextlib.ExitStack() as undo:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                connection = undo.enter_context(contextlib.closing(sqlite3.connect(path, isolation_level=None)))
                db = Database(connection)
                migrations.apply(db)
            except (sqlite3.DatabaseError, OSError) as error:
                raise RegisterUnusable(f"{path}: {error}; name another file with --register") from error
            undo.pop_all()
        return cls(db)

    def add(self, new: Campus) -> bool:
        """Register a campus; False when it already stands there just so. Raises `CampusRefused` when it differs."""
        held = self.find(new.id)
        if held == new:
            return False
        if held is not None:
            raise CampusRefused(
                f"{new.id} is already registered as {held.name!r} in {held.time_zone}; nothing was changed"
            )
        self._db.table("campuses").insert(new.model_dump())
        return True

    def find(self, id_: str) -> Campus | None:
        """The campus with this id."""
        return next((one for one in self.campuses() if one.id == id_), None)

    def campuses(self) -> list[Campus]:
        """All campuses by id."""
        return [Campus.model_validate(dict(row)) for row in self._db.table("campuses").rows_where(order_by="id")]

    def close(self) -> None:
        """Close the file."""
        self._db.close()
