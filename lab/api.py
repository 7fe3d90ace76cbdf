"""The lab's own address: switches for tests, and a page with the same switches for people."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from device.kit import kit
from lab.causes import Cause
from lab.faults import Fault
from lab.kit import Hand
from lab.notices import Postbox
from lab.relay import Way
from lab.simulated import ROLES, SimulatedKiosk


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LinkOrder(_Order):
    """Cut or restore a kiosk's network."""

    up: bool
    how: Way = Way.SILENT


class ButtonOrder(_Order):
    """Move a kiosk's button."""

    gesture: Hand


class CameraOrder(_Order):
    """Do something to a camera's pixels or to its source."""

    fault: Fault


def _known(number: int) -> int:
    names = kit().cards.names
    if number not in names:
        told = ", ".join(f"{one} ({name})" for one, name in names.items())
        raise ValueError(f"there is no card {number}; there are {told}")
    return number


class CardsOrder(_Order):
    """Lay picture cards on a kiosk's desk, instead of those that lay there."""

    cards: tuple[Annotated[int, AfterValidator(_known)], ...]


class CauseOrder(_Order):
    """Have something wrong in the world around a kiosk, or mend it."""

    cause: Cause
    on: bool = True
    role: Literal["overhead", "front"] = "overhead"
    """Of which camera, where it is about one."""


class PowerOrder(_Order):
    """Pull a kiosk's plug; without `for_s` it stays out until `cut` is false."""

    cut: bool
    for_s: float | None = Field(default=None, ge=0, le=3600)


class ClockOrder(_Order):
    """Set a kiosk's clock; null shows the machine's time again. `synchronized` is NTP's word for it, true or not."""

    set: AwareDatetime | None
    synchronized: bool = True


router = APIRouter()
_page = Environment(loader=PackageLoader("lab"), autoescape=select_autoescape()).get_template("lab.html")


def create_lab(
    kiosks: Mapping[str, SimulatedKiosk], describe: Callable[[], Awaitable[dict[str, Any]]], box: Postbox
) -> FastAPI:
    """The lab's app.

    Args:
        kiosks: the simulated kiosks by id.
        describe: the demo's description as `--json` prints it, as of now.
        box: where the fleet's mails and webhooks end.
    """
    app = FastAPI(title="Carrel lab", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.kiosks, app.state.describe, app.state.box = kiosks, describe, box
    app.mount("/static", StaticFiles(directory=Path(str(files("lab"))) / "static"), name="static")
    app.middleware("http")(_this_machine_only)
    app.include_router(router)
    return app


async def _this_machine_only(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Another site's page in the same browser must not play with the switches."""
    host = request.headers.get("host", "")
    origin = request.headers.get("origin")
    if host.rpartition(":")[0] not in {"127.0.0.1", "localhost", "[::1]"} or (origin and origin != f"http://{host}"):
        return JSONResponse({"error": "only from this machine"}, status_code=403)
    return await call_next(request)


def _kiosk(request: Request, kiosk: str) -> SimulatedKiosk:
    kiosks: Mapping[str, SimulatedKiosk] = request.app.state.kiosks
    if kiosk not in kiosks:
        raise HTTPException(404, f"no kiosk {kiosk}; there are {', '.join(kiosks)}")
    return kiosks[kiosk]


Kiosk = Annotated[SimulatedKiosk, Depends(_kiosk)]


@router.get("/", response_class=HTMLResponse)
async def page(request: Request) -> HTMLResponse:
    """The switches for people."""
    models = [one.model for one in request.app.state.kiosks.values()]
    description = await request.app.state.describe()
    two = dict(islice(kit().cards.names.items(), 2))  # the demo's schedule knows no others
    switches = {"faults": list(Fault), "roles": ROLES, "cards": two, "causes": list(Cause)}
    return HTMLResponse(_page.render(kiosks=models, description=description, **switches))


@router.get("/notices")
async def notices(request: Request) -> dict[str, Any]:
    """The mails and webhooks of the fleet that arrived here."""
    box: Postbox = request.app.state.box
    return box.arrived()


@router.get("/state")
async def state(request: Request) -> dict[str, Any]:
    """What every kiosk is doing."""
    kiosks: Mapping[str, SimulatedKiosk] = request.app.state.kiosks
    async with httpx.AsyncClient() as client:
        return {
            "demo": await request.app.state.describe(),
            "kiosks": {
                id_: {"powered": one.powered, "link_up": one.relay.up, "state": await one.state(client)}
                for id_, one in kiosks.items()
            },
        }


@router.post("/kiosks/{kiosk}/link")
async def link(one: Kiosk, order: LinkOrder) -> dict[str, Any]:
    """Cut or restore the network."""
    if order.up:
        one.relay.restore()
    else:
        one.relay.cut(order.how)
    return {"up": one.relay.up}


@router.post("/kiosks/{kiosk}/button")
async def button(one: Kiosk, order: ButtonOrder) -> dict[str, Any]:
    """Move the button."""
    with _powered():
        one.button(order.gesture)
    return {"gesture": order.gesture}


@router.post("/kiosks/{kiosk}/cameras/{role}")
async def camera(one: Kiosk, role: Literal["overhead", "front"], order: CameraOrder) -> dict[str, Any]:
    """Do something to a camera."""
    one.camera(role, order.fault)
    return {"role": role, "fault": order.fault}


@router.post("/kiosks/{kiosk}/cards")
async def cards(one: Kiosk, order: CardsOrder) -> dict[str, Any]:
    """Lay picture cards on the desk."""
    lying = tuple(dict.fromkeys(order.cards))
    one.cards(lying)
    return {"cards": lying}


@router.post("/kiosks/{kiosk}/fault")
async def fault(one: Kiosk, order: CauseOrder) -> dict[str, Any]:
    """Change the world around it."""
    with _powered():
        await one.cause(order.cause, on=order.on, role=order.role)
    return {"cause": order.cause, "on": order.on}


@router.post("/kiosks/{kiosk}/power")
async def power(one: Kiosk, order: PowerOrder) -> dict[str, Any]:
    """Pull the plug, or put it back."""
    await (one.cut_power(order.for_s) if order.cut else one.restore_power())
    return {"powered": one.powered}


@router.post("/kiosks/{kiosk}/clock")
async def clock(one: Kiosk, order: ClockOrder) -> dict[str, Any]:
    """Set the wall clock."""
    with _powered():
        one.set_clock(order.set, synchronized=order.synchronized)
    return {"offset_s": one.clock_offset_s, "synchronized": one.synchronized}


@contextmanager
def _powered() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HTTPException(409, str(error)) from error
