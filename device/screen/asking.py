"""What the page may ask for, and how a request's body is read: bounded in size and time, unknown keys refused."""

import asyncio
from http import HTTPStatus
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from device.screen.guard import MAX_BODY_BYTES
from wire.codec import read
from wire.errors import BadPayload

_BODY_WITHIN_S: Final = 5.0


class ButtonAsked(BaseModel):
    """A tap or a held tap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gesture: Literal["press", "hold"]


class ActionAsked(BaseModel):
    """An action; `value` is minutes to extend by, a student's reference, a reason or a language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal[
        "extend", "absent", "reason", "help", "not-this-student", "language", "still-here", "help-over", "skip-reason"
    ]
    value: StrictInt | StrictStr | None = Field(default=None, union_mode="left_to_right")

    @property
    def text(self) -> str:
        """The value as text; empty when there is none."""
        return "" if self.value is None else str(self.value)


Asked = TypeVar("Asked", bound=BaseModel)


async def asked(model: type[Asked], request: Request) -> Asked:
    """The request's body as a `model`.

    Raises:
        HTTPException: 408 too slow, 413 too long, 422 not such an object; with words.
    """
    try:
        return read(model, await _body(request))
    except BadPayload as error:
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error


async def _body(request: Request) -> bytes:
    found = bytearray()
    try:
        async with asyncio.timeout(_BODY_WITHIN_S):
            async for chunk in request.stream():
                found += chunk
                if len(found) > MAX_BODY_BYTES:
                    raise HTTPException(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request may hold {MAX_BODY_BYTES} bytes."
                    )
    except TimeoutError as error:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time.") from error
    except ClientDisconnect as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The request was broken off.") from error
    return bytes(found)
