"""Requests to kiosks."""

import asyncio
import json
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from fleet import commands
from fleet.access.roles import Role
from fleet.api.deps import Commander, Fleet, Reader, known
from fleet.api.problems import answers
from fleet.clock import moment, moment_or_none
from fleet.commands import LONGEST_S, Progress
from fleet.errors import NotAllowed, NotFound
from fleet.store import commands as store
from fleet.store import stills as stills_store
from fleet.views import still_address
from wire import stills
from wire.calls import HELP_ANSWERED, HelpAnswered
from wire.codec import validate

router: Final = APIRouter(prefix="/kiosks/{kiosk}/commands", tags=["commands"])


class Name(StrEnum):
    """What a kiosk can be asked for."""

    IDENTIFY = "identify"
    """Show its name on its screen for a moment."""
    NETCHECK = "netcheck"
    """Look what the network does between the kiosk and this fleet."""
    PREFLIGHT = "preflight"
    """Look at everything now and say how it is."""
    STILL = "still"
    """Make a worksheet still, in a session and with consent only."""
    TONE = "tone"
    """Play the probe tone, outside sessions; campus IT only, who knows whom it would startle."""
    HELP_ANSWERED = HELP_ANSWERED
    """Tell the room that somebody answers its call for an adult."""


class Ask(BaseModel):
    """A request to one kiosk."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    args: Annotated[
        dict[str, Any],
        Field(description='`still` takes `{"role": "overhead", "view": "worksheet"}`, which is also its default'),
    ] = {}
    expires_in_s: Annotated[int, Field(ge=1, le=LONGEST_S, description="It is never run later than this")] = 30

    @field_validator("args")
    @classmethod
    def _args_fit(cls, args: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        name = info.data.get("name")
        if name is Name.STILL and (words := stills.unfit(args)) is not None:
            raise ValueError(words)
        if name is Name.HELP_ANSWERED:
            return validate(HelpAnswered, args).model_dump(mode="json")
        if name is not Name.STILL and args:
            raise ValueError("This request takes none.")
        return args

    @property
    def whole_args(self) -> dict[str, Any]:
        """What the kiosk is sent."""
        return stills.whole(self.args) if self.name is Name.STILL else self.args


class Answer(BaseModel):
    """What a kiosk replied."""

    ok: bool
    result: dict[str, Any] | None = None
    error: str | None = None
    detail: str | None = None


class Request(BaseModel):
    """A request and how far it came."""

    id: str
    kiosk: str
    name: str
    args: dict[str, Any]
    created_by: str
    created_at: datetime
    expires_at: datetime
    state: Progress
    replied_at: datetime | None
    reply: Answer | None
    still: str | None = Field(None, description="Where the worksheet still is that came with the reply")


@router.post(
    "",
    operation_id="sendCommand",
    summary="Ask a kiosk for something",
    status_code=HTTPStatus.ACCEPTED,
    responses=answers(403, 404, 409, 422, 503),
)
async def send_command(kiosk: str, ask: Ask, response: Response, fleet: Fleet, commander: Commander) -> Request:
    """The request is kept and sent; its reply comes later, at the address in `Location`."""
    if ask.name is Name.TONE and commander.role not in {Role.IT, Role.SERVICE}:
        raise NotAllowed(f"The role {commander.role.value!r} may not have a tone played in a classroom; campus IT may.")
    entry = known(fleet, commander, kiosk)
    args = ask.whole_args
    id_ = await asyncio.to_thread(commands.send, fleet, commander, entry, ask.name.value, args, ask.expires_in_s)
    response.headers["Location"] = f"/api/v1/kiosks/{kiosk}/commands/{id_}"
    return await asyncio.to_thread(_read, fleet, kiosk, id_)


@router.get("/{command}", operation_id="getCommand", summary="How far a request came", responses=answers(404))
async def get_command(kiosk: str, command: str, fleet: Fleet, reader: Reader) -> Request:
    """`waiting`, `answered` with the kiosk's reply, or `expired`."""
    known(fleet, reader, kiosk)
    return await asyncio.to_thread(_read, fleet, kiosk, command)


def _read(fleet: Fleet, kiosk: str, command: str) -> Request:
    with fleet.database.read() as connection:
        row = store.one(connection, kiosk, command)
        has_still = stills_store.one(connection, command) is not None
    if row is None:
        raise NotFound("There is no such request to this kiosk.")
    return Request(
        id=row.id,
        kiosk=row.kiosk,
        name=row.name,
        args=json.loads(row.args),
        created_by=row.created_by,
        created_at=moment(row.created_us),
        expires_at=moment(row.expires_us),
        state=commands.progress(row, fleet.clock.now()),
        replied_at=moment_or_none(row.replied_us),
        reply=Answer.model_validate_json(row.reply) if row.reply else None,
        still=still_address(row.id) if has_still else None,
    )
