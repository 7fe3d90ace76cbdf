"""Requests to kiosks and their replies in the store."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from fleet.clock import micros
from fleet.store.tables import commands
from wire.messages import Command, Reply


def add(connection: Connection, command: Command, kiosk: str, by: str, at: datetime) -> None:
    """Keep a request before it is sent."""
    connection.execute(
        commands.insert().values(
            id=command.id,
            kiosk=kiosk,
            name=command.name,
            args=json.dumps(command.args),
            created_by=by,
            created_us=micros(at),
            expires_us=micros(command.expires_at),
        )
    )


def answer(connection: Connection, kiosk: str, reply: Reply, at: datetime) -> bool:
    """Keep the first reply of the kiosk that was asked, and say whether it was; any other changes nothing."""
    asked = (commands.c.id == reply.id) & (commands.c.kiosk == kiosk) & commands.c.replied_us.is_(None)
    text = reply.model_dump_json(exclude={"id"})
    answering = update(commands).where(asked)
    error = reply.error if not reply.ok else None
    return connection.execute(answering.values(replied_us=micros(at), reply=text, error=error)).rowcount > 0


def one(connection: Connection, kiosk: str, command: str) -> Row[Any] | None:
    """One request."""
    query = select(commands).where(commands.c.id == command, commands.c.kiosk == kiosk)
    return connection.execute(query).one_or_none()
