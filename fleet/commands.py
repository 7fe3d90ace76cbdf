"""Requests to kiosks: kept, then sent, with an expiry; the reply comes back through the ingest."""

import json
import uuid
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row

from fleet.access.roles import Principal
from fleet.clock import Instant, micros
from fleet.errors import Conflict, LinkDown, Unavailable
from fleet.parts import FleetParts
from fleet.roll import Entry
from fleet.store import audit, commands
from wire.codec import encode
from wire.messages import Command
from wire.topics import Channel, Topic

LONGEST_S: Final = 300


class Progress(StrEnum):
    """How far a request came."""

    WAITING = "waiting"
    ANSWERED = "answered"
    EXPIRED = "expired"
    """Too old to be run, and no reply came."""


def send(fleet: FleetParts, principal: Principal, entry: Entry, name: str, args: dict[str, Any], lives_s: int) -> str:
    """Ask a kiosk for something; returns the request's id.

    Raises:
        Conflict: the kiosk has not said which ledger it writes, so it could not tell an old request from a new one.
        Unavailable: no broker is connected; nothing was sent and nothing will be.
    """
    if entry.epoch is None:
        raise Conflict("The kiosk has not said yet which ledger it writes. Try again when it was heard.")
    now = fleet.clock.now()
    command = Command(
        id=str(uuid.uuid4()),
        name=name,
        args=args,
        expires_at=now.at + timedelta(seconds=lives_s),
        epoch=entry.epoch,
    )
    if fleet.broker is None or not fleet.broker.connected:
        raise Unavailable("No broker is connected; nothing was sent.")
    with fleet.database.write() as connection:
        commands.add(connection, command, entry.id, principal.name, now.at)
        detail = json.dumps({"id": command.id})
        audit.note(connection, now.at, principal.name, f"command.{name}", entry.id, detail, campus=entry.campus)
    try:
        fleet.broker.publish(str(Topic(entry.campus, entry.id, Channel.COMMAND)), encode(command), qos=1)
    except LinkDown as error:
        raise Unavailable("The broker was lost in this moment; nothing was sent.") from error
    return command.id


def progress(row: Row[Any], now: Instant) -> Progress:
    """How far a kept request came."""
    if row.replied_us is not None:
        return Progress.ANSWERED
    return Progress.EXPIRED if micros(now.at) >= row.expires_us else Progress.WAITING
