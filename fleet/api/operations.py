"""What operators and their machines ask: is it alive, is it ready, what does it count."""

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Response
from pydantic import BaseModel

from fleet.api.deps import Fleet
from fleet.metrics import CONTENT_TYPE
from fleet.parts import FleetParts

router: Final = APIRouter(tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    ok: bool = True


class Ready(BaseModel):
    """Whether the service does its work, and if not, why."""

    ok: bool
    reasons: list[str]


@router.get("/healthz", operation_id="getHealthz", summary="Whether the process lives")
async def get_healthz() -> Alive:
    """Always true when it can be asked."""
    return Alive()


@router.get(
    "/readyz",
    operation_id="getReadyz",
    summary="Whether the service does its work",
    responses={503: {"model": Ready, "description": "It does not; `reasons` say why"}},
)
async def get_readyz(fleet: Fleet, response: Response) -> Ready:
    """True while the database can be written and a broker is connected."""
    reasons = _reasons(fleet)
    if reasons:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Ready(ok=not reasons, reasons=reasons)


@router.get("/metrics", operation_id="getMetrics", summary="Counters for Prometheus", response_class=Response)
def get_metrics(fleet: Fleet) -> Response:
    """In Prometheus' text format."""
    fleet.metrics.broker_connected.set(fleet.broker is not None and fleet.broker.connected)
    return Response(fleet.metrics.exposition(), media_type=CONTENT_TYPE)


def _reasons(fleet: FleetParts) -> list[str]:
    reasons = []
    if fleet.keeper is None or not fleet.keeper.works:
        reasons.append("the database takes nothing that kiosks send")
    if fleet.broker is None or not fleet.broker.connected:
        reasons.append("no broker is connected")
    return reasons
