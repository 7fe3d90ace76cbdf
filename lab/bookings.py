"""The demo's bookings with `--record`: each kiosk has one open now, with consent, asked of the fleet's own API."""

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from device.kit import kit
from lab.simulated import Model

_log = logging.getLogger(__name__)

PLANNED: Final = timedelta(minutes=45)
LATER: Final = timedelta(hours=1)
STUDENT: Final = "s-0418"
LATER_STUDENT: Final = "s-0502"
_FIRST_CARDS: Final = ("blue fox", "red boat")
BOOKINGS: Final = 2
"""So many each kiosk has."""
_AGAIN_S: Final = 0.3


async def book(models: Iterable[Model], fleet_url: str, token: str) -> None:
    """Have every kiosk booked from now on, as soon as the fleet knows it; nothing more is to be done then.

    One booking of a student whose consent allows to record always, and a later one of another student. At the first
    kiosk the one holds the blue fox and the other the red boat: the lab can lay both on the desk.
    """
    kiosks = list(models)
    cards = cards_by_campus(kiosks)
    async with httpx.AsyncClient(base_url=f"{fleet_url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as fleet:
        for model in kiosks:
            while not await _is_known(fleet, model):  # noqa: ASYNC110  # another process raises no event here
                await asyncio.sleep(_AGAIN_S)
            for booking in bookings(model, kiosks, datetime.now(UTC)):
                await _send(fleet, "POST", "/bookings", booking)
        for campus, held in cards.items():
            await _send(fleet, "PUT", f"/campuses/{campus}/cards", {"cards": held})


def bookings(model: Model, models: list[Model], now: datetime) -> list[dict[str, Any]]:
    """What one kiosk's room is booked for."""
    start = now.replace(microsecond=0)
    return [
        {
            "kiosk": model.id,
            "therapist": f"demo-therapist-{models.index(model) + 1}",
            "student": student_of(student, model, models),
            "start": at.isoformat(),
            "minutes": PLANNED // timedelta(minutes=1),
            "record": "always",
            "consent": True,
        }
        for student, at in ((STUDENT, start), (LATER_STUDENT, start + LATER))
    ]


def cards_by_campus(models: list[Model]) -> dict[str, dict[str, str]]:
    """Who holds which card: a card is one student's in a whole campus, so each further kiosk of one has others."""
    numbers = {name: number for number, name in kit().cards.names.items()}
    others = [number for name, number in numbers.items() if name not in _FIRST_CARDS]
    held: dict[str, dict[str, str]] = {}
    for model in models:
        of = held.setdefault(model.campus, {})
        free = [one for one in (*(numbers[name] for name in _FIRST_CARDS), *others) if str(one) not in of]
        for number, student in zip(free, (STUDENT, LATER_STUDENT), strict=False):
            of[str(number)] = student_of(student, model, models)
    return held


def student_of(student: str, model: Model, models: list[Model]) -> str:
    """Nobody can sit at two desks: each further kiosk of the demo has students of its own."""
    letters, number = student.split("-")
    return f"{letters}-{int(number) + 10 * models.index(model):04}"


async def _is_known(fleet: httpx.AsyncClient, model: Model) -> bool:
    try:
        return (await fleet.get(f"/kiosks/{model.id}")).is_success
    except httpx.HTTPError:
        return False


async def _send(fleet: httpx.AsyncClient, method: str, path: str, told: dict[str, Any]) -> None:
    while True:
        try:
            answer = await fleet.request(method, path, json=told)
        except httpx.HTTPError:  # it is killed and started again on purpose in this lab
            await asyncio.sleep(_AGAIN_S)
            continue
        if answer.is_server_error:
            await asyncio.sleep(_AGAIN_S)
            continue
        if not answer.is_success:
            _log.error("the demo's booking was refused: %s", answer.text)
        return
