"""Worksheet stills: figures for those who read ledgers, pictures for the few who need them, each view written down."""

import asyncio
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from fleet.api.deps import Fleet, LedgerReader, StillViewer
from fleet.api.problems import answers
from fleet.errors import NotFound
from fleet.views import StillView

router: Final = APIRouter(prefix="/stills", tags=["stills"])


@router.get("/{still}", operation_id="getStill", summary="A worksheet still's figures", responses=answers(403, 404))
async def get_still(still: str, fleet: Fleet, reader: LedgerReader) -> StillView:
    """Its scale, size, hash and fate; `image` is where the picture is."""
    found = await fleet.still(reader, still)
    if found is None:
        raise NotFound("There is no such still here.")
    return found


@router.get(
    "/{still}/image.jpg",
    operation_id="getStillImage",
    summary="A worksheet still's picture",
    response_class=Response,
    responses={
        200: {
            "content": {"image/jpeg": {}},
            "description": "The picture",
            "headers": {
                "X-Pixels-Per-Millimetre": {
                    "description": "Its scale; missing where nothing in the picture tells it",
                    "schema": {"type": "number"},
                }
            },
        },
        **answers(403, 404, 409, 410, 503),
    },
)
async def get_still_image(still: str, fleet: Fleet, viewer: StillViewer) -> Response:
    """Opened in memory, kept by no cache; without its row in the audit it is not shown."""
    row, jpeg = await asyncio.to_thread(fleet.stills.view, fleet.database, viewer, still, fleet.clock.now())
    headers = {"Cache-Control": "no-store"}
    if row.px_per_mm is not None:
        headers["X-Pixels-Per-Millimetre"] = f"{row.px_per_mm:.3f}"
    return Response(jpeg, media_type="image/jpeg", headers=headers)
