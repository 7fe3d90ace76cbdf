"""Where kiosks send recordings: the tus 1.0 protocol with creation, checksum and termination.

Not for people: the token is a ticket's, for one segment. An offset that is told is durable. Written here, because no
server that we found makes pieces durable before it tells their offset, or knows the checksum extension (docs/adr/0017).
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from fleet.api.deps import Fleet
from fleet.api.problems import answers, problem
from fleet.errors import FleetError, Refused, SettingsUnusable
from fleet.segment_store import Busy, OtherOffset, StoreFails, StoreFull
from fleet.upload_tickets import Grant
from fleet.uploads import PATH
from wire.uploads import MOST_BYTES, MOST_CHUNK_BYTES, RECEIPT_HEADER, TUS_TYPE, TUS_VERSION, Receipt

_log = logging.getLogger(__name__)

IDLE_S: Final = 20.0
"""A body of which nothing comes for so long is given up, and with it the hold on its segment."""
BODY_WITHIN_S: Final = 120.0
CHECKSUM_MISMATCH: Final = 460
_CHECKSUMS: Final[dict[str, Callable[[bytes], Any]]] = {
    "sha256": hashlib.sha256,
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False),  # the one that tus asks every server to know
}
_MOST_DIGITS: Final = 18


class _Tus(FleetError):
    """A request that the protocol refuses; the message is for whoever wrote the client."""

    def __init__(self, status: int, title: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.title = status, title
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class _Route(APIRoute):
    """Every answer carries the protocol's version, errors too; every request has to."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]  # narrower than FastAPI's Coroutine
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                if request.method != "OPTIONS":
                    _same_version(request)
                response: Response = await handle(request)
            except _Tus as error:
                response = problem(request, error.status, str(error), title=error.title, headers=error.headers)
            except Refused as error:
                response = problem(request, error.status, str(error), title=error.title)
            except StoreFull as error:
                _log.warning("no room for recordings: %s", error)
                words = f"The fleet has no room for recordings: {error}. Keep it, and try again later."
                response = problem(request, 507, words, title="No room", headers={"Retry-After": "300"})
            except (StoreFails, SettingsUnusable) as error:
                _log.error("a recording cannot be taken: %s", error)  # expected when a disk fails
                response = problem(request, 503, "The fleet's disk or key refuses; its log says why.", title="Not now")
            response.headers["Tus-Resumable"] = TUS_VERSION
            return response

        return handler


router: Final = APIRouter(prefix="/uploads", tags=["uploads"], route_class=_Route)
assert PATH.endswith(router.prefix)


def _grant(request: Request, fleet: Fleet) -> Grant:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    told = text if scheme.lower() == "bearer" else ""  # no token is none of ours
    return fleet.uploads.grant(told, request.path_params.get("segment"), fleet.clock.now().at)


Granted = Annotated[Grant, Depends(_grant)]


@router.options("", include_in_schema=False, status_code=204)
@router.options("/{segment}", include_in_schema=False, status_code=204)
async def describe() -> Response:
    """Version, extensions and limits, as tus asks."""
    return _empty(
        204,
        Tus_Version=TUS_VERSION,
        Tus_Extension="creation,checksum,termination",
        Tus_Checksum_Algorithm=",".join(_CHECKSUMS),
        Tus_Max_Size=str(MOST_BYTES),
    )


@router.post(
    "",
    operation_id="createUpload",
    summary="Begin to send a segment (tus, creation)",
    status_code=201,
    responses=answers(404, 410, 503),
)
async def create(request: Request, fleet: Fleet, grant: Granted) -> Response:
    """`Upload-Length` has to be the ticket's; what was begun already stays as it is."""
    if _number(request, "Upload-Length") != grant.bytes:
        raise _Tus(400, "Another length", f"Upload-Length has to be the {grant.bytes} bytes of the ticket.")
    await asyncio.to_thread(fleet.uploads.create, fleet.database, grant)
    return _empty(201, Location=f"{fleet.settings.kiosk_url}{PATH}/{grant.segment}")


@router.head(
    "/{segment}",
    operation_id="headUpload",
    summary="Up to where a segment is here (tus)",
    responses=answers(403, 404, 410, 503),
)
async def head(segment: str, fleet: Fleet, grant: Granted) -> Response:  # noqa: ARG001  # the grant names it
    """`Upload-Offset` is durable; with `Carrel-Receipt` it is here whole."""
    offset, receipt = await asyncio.to_thread(fleet.uploads.held, fleet.database, grant)
    return _empty(200, receipt, Upload_Offset=str(offset), Upload_Length=str(grant.bytes), Cache_Control="no-store")


@router.patch(
    "/{segment}",
    operation_id="patchUpload",
    summary="Send the next piece of a segment (tus)",
    status_code=204,
    responses=answers(403, 404, 409, 410, 422, 503),
)
async def patch(segment: str, request: Request, fleet: Fleet, grant: Granted) -> Response:  # noqa: ARG001  # as above
    """At most 1 MiB; durable with its new offset, or not there at all. The last one is answered with the receipt."""
    if request.headers.get("content-type") != TUS_TYPE:
        raise _Tus(415, "Another content type", f"Content-Type has to be {TUS_TYPE}.")
    offset, wanted = _number(request, "Upload-Offset"), _checksum(request)
    held, receipt = await asyncio.to_thread(fleet.uploads.held, fleet.database, grant)
    if offset != held:
        raise _other_offset(held)
    if receipt is None:
        announced = request.headers.get("content-length")
        room = grant.bytes - offset
        if announced is not None and _number(request, "Content-Length") > room:
            raise _too_long(room)
        data, is_whole = await _body(request, room)
        if wanted is not None:
            kind, digest = wanted
            if not is_whole or not hmac.compare_digest(_CHECKSUMS[kind](data).digest(), digest):
                raise _Tus(CHECKSUM_MISMATCH, "Checksum mismatch", "The piece is not what its checksum says.")
        if data:  # an empty piece completes what was whole already when this service died
            offset = await asyncio.to_thread(_append, fleet, grant, offset, data)
        if offset == grant.bytes:
            receipt = await asyncio.to_thread(fleet.uploads.complete, fleet.database, grant, fleet.clock.now().at)
    return _empty(204, receipt, Upload_Offset=str(offset))


@router.delete(
    "/{segment}",
    operation_id="endUpload",
    summary="Let go an unfinished upload (tus, termination)",
    status_code=204,
    responses=answers(403, 404, 410, 503),
)
async def end(segment: str, fleet: Fleet, grant: Granted) -> Response:  # noqa: ARG001  # as above
    """What is here whole stays: the kiosk may have trusted its receipt."""
    await asyncio.to_thread(fleet.uploads.terminate, fleet.database, grant)
    return _empty(204)


def _append(fleet: Fleet, grant: Grant, offset: int, data: bytes) -> int:
    try:
        return fleet.uploads.segments.append(grant.segment, offset, data)
    except OtherOffset as error:
        raise _other_offset(error.offset) from error
    except Busy as error:
        words = "Another connection sends this segment just now. Try again in a moment."
        raise _Tus(423, "Locked", words, Retry_After="5") from error


async def _body(request: Request, room: int) -> tuple[bytes, bool]:
    """What came of the body, at most `room` bytes, and whether that is all of it."""
    data = bytearray()
    most = min(room, MOST_CHUNK_BYTES)
    stream = request.stream()
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            while True:
                async with asyncio.timeout(IDLE_S):
                    piece = await anext(stream, b"")
                if not piece:
                    return bytes(data), True
                data += piece
                if len(data) > most:
                    raise _too_long(room)
    except (ClientDisconnect, TimeoutError):
        return bytes(data), False  # what came may be kept: tus asks for that, and the client asks for the offset


def _too_long(room: int) -> _Tus:
    words = f"There is room for {room} bytes of this segment, and for {MOST_CHUNK_BYTES} in one piece."
    return _Tus(413, "Too long", words)


def _other_offset(held: int) -> _Tus:
    return _Tus(409, "Another offset", f"This upload stands at byte {held}.", Upload_Offset=str(held))


def _same_version(request: Request) -> None:
    if request.headers.get("tus-resumable") != TUS_VERSION:
        raise _Tus(412, "Another version", f"Send Tus-Resumable: {TUS_VERSION}.", Tus_Version=TUS_VERSION)


def _number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise _Tus(400, "A header is missing or no number", f"{name} has to be a number of bytes.")
    return int(text)


def _checksum(request: Request) -> tuple[str, bytes] | None:
    told = request.headers.get("upload-checksum")
    if told is None:
        return None
    kind, _, digest = told.partition(" ")
    words = f"Upload-Checksum has to be one of {', '.join(_CHECKSUMS)}, a space, and the digest in base64."
    unknown = _Tus(HTTPStatus.BAD_REQUEST, "A checksum that nobody knows", words)
    if kind not in _CHECKSUMS:
        raise unknown
    try:
        return kind, base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unknown from error


def _empty(status: int, receipt: Receipt | None = None, **headers: str) -> Response:
    response = Response(status_code=status)
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = value
    if receipt is not None:
        response.headers[RECEIPT_HEADER] = base64.b64encode(receipt.model_dump_json().encode()).decode()
    return response
