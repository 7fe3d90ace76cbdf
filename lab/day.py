"""A school day in small: what `carrel-lab demo --day` plays, moment by moment, with faults that are caused for real.

It runs at the machine's own pace. What a day spreads over hours is put next to each other by its bookings' times: one
is missed within minutes, one is next, one is later. Each moment is told in words, and kept in `day.jsonl` of the data
folder, with what was measured; it stands for a while, so that a person or `scripts/day_pictures.py` can look at it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from lab.faults import Fault
from lab.kit import Hand
from lab.simulated import SimulatedKiosk

NEXT_IN: Final = timedelta(minutes=2)
"""When the session of the day begins: the day's 10:15."""
MISSED_AGO: Final = timedelta(minutes=2, seconds=20)
"""The booking to which nobody comes began so long ago: it is overdue after three minutes."""
MISSED_MINUTES: Final = 5
STANDS_S: Final = 4.0
FIRST_STANDS_S: Final = 12.0
"""Browsers that watch have to come up."""
_WITHIN_S: Final = 240.0
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, as it is kept."""

    name: str
    at: str
    words: str
    told: dict[str, Any]


class Day:
    """Plays the day on a running demo.

    Args:
        kiosks: at least two; the first is where the session is, the second where nobody comes.
        fleet: a client of the fleet's API.
        lab: the lab's address, where notices arrive.
        folder: where `day.jsonl` goes.
        say: tells a moment to whoever reads along.
    """

    def __init__(
        self, kiosks: list[SimulatedKiosk], fleet: httpx.AsyncClient, lab: str, folder: Path, say: Callable[[str], None]
    ) -> None:
        self._kiosks, self._fleet, self._lab = kiosks, fleet, lab
        self._path, self._say = folder / "day.jsonl", say
        self.moments: list[Moment] = []

    async def play(self) -> list[Moment]:
        """The whole day, from a green board to its health score.

        Raises:
            TimeoutError: something that had to happen did not.
        """
        room, empty = self._kiosks[0], self._kiosks[1]
        coming, missed = await self._book(room, empty)
        one = await self._until(partial(self._seen_well, coming))
        words = f"The board is green: {one['room_name']} is ready. {one['reasons'][0]}"
        await self._tell("green-board", words, one, FIRST_STANDS_S)

        await self._cover(room, coming)

        room.button(Hand.PRESS)
        one = await self._until(lambda: self._seen(coming, phase="running"))
        await self._tell("session", f"The session of {_clock(one['start'])} runs in {one['room_name']}.", one)

        one = await self._until(lambda: self._seen(missed, overdue="start"))
        await self._tell("overdue", f"{one['room_name']}: {one['reasons'][0]}", one)
        one = await self._until(lambda: self._seen(missed, phase="missed"))
        await self._tell("missed", f"{one['room_name']}: {one['reasons'][0]}", one)
        answer = await self._fleet.patch(f"/bookings/{missed}", json={"reason": "student-absent"})
        answer.raise_for_status()
        one = await self._until(lambda: self._seen(missed, phase="fell"))
        await self._tell("no-show", f"{one['room_name']}: {one['reasons'][0]}", one)

        room.button(Hand.HOLD)
        one = await self._until(lambda: self._seen(coming, phase="held"))
        await self._tell("held", f"{one['room_name']}: {one['reasons'][0]}", one)
        await self._scores()
        return self.moments

    async def _cover(self, room: SimulatedKiosk, coming: str) -> None:
        """A hand on the lens: on the board, told to the point person, on the room's own screen; then away again."""
        before = len(await self._mails("is covered"))
        room.camera("overhead", Fault.COVERED)
        began_s = time.monotonic()
        one = await self._until(lambda: self._seen(coming, verdict="attention"))
        board_s = time.monotonic() - began_s
        await self._until(lambda: self._more_mails("is covered", before))
        notice_s = time.monotonic() - began_s
        told = one | {"board_s": round(board_s, 2), "notice_s": round(notice_s, 2)}
        words = f"{one['reasons'][0]} On the board after {board_s:.1f} s, at the point person after {notice_s:.1f} s."
        await self._tell("covered", words, told)
        await self._tell("aide", f"The room's own screen says what to do: {one['needs'][0]}", one)
        room.camera("overhead", Fault.NONE)
        one = await self._until(lambda: self._seen(coming, verdict="ready"))
        await self._tell("recovered", f"{one['room_name']} is ready again. {one['reasons'][0]}", one)

    async def _book(self, room: SimulatedKiosk, empty: SimulatedKiosk) -> tuple[str, str]:
        """The day's bookings, by the API, and the address that a person would have booked at."""
        for one in self._kiosks:
            await self._until(partial(self._known, one.model.id))
        now = datetime.now(UTC).replace(microsecond=0)
        plan = [(room, 1, now + NEXT_IN, 20), (empty, 2, now - MISSED_AGO, MISSED_MINUTES)]
        plan += [(one, n, now + timedelta(minutes=45), 30) for n, one in enumerate(self._kiosks[2:], 3)]
        made = [await self._booked(*line) for line in plan]
        return made[0], made[1]

    async def _booked(self, kiosk: SimulatedKiosk, n: int, start: datetime, minutes: int) -> str:
        told = {
            "kiosk": kiosk.model.id, "therapist": f"th-{n:03}", "student": f"s-{400 + n:04}",
            "start": start.isoformat(), "minutes": minutes, "point_person": "front-office",
        }  # fmt: skip
        answer = await self._fleet.post("/bookings", json=told)
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def _scores(self) -> None:
        """The day's health score of every campus, once minutes were added up."""
        campuses = sorted({one.model.campus for one in self._kiosks})
        found = {campus: await self._until(partial(self._score, campus)) for campus in campuses}
        words = ", ".join(f"{campus} {told['score'] * 100:.0f} %" for campus, told in found.items())
        await self._tell("score", f"Ready for this share of the day: {words}.", found)

    async def _known(self, kiosk: str) -> dict[str, Any] | None:
        answer = await self._fleet.get(f"/kiosks/{kiosk}")
        return dict(answer.json()) if answer.is_success and answer.json()["verdict"] != "unknown" else None

    async def _seen(self, booking: str, **as_: str) -> dict[str, Any] | None:
        """The booking on the board, if it is shown so."""
        answer = await self._fleet.get("/readiness")
        answer.raise_for_status()
        for one in answer.json()["items"]:
            if one["booking"] == booking and all(one[name] == value for name, value in as_.items()):
                return dict(one)
        return None

    async def _seen_well(self, booking: str) -> dict[str, Any] | None:
        """The booking, once its kiosk has looked at its page."""
        one = await self._seen(booking, verdict="ready")
        return one if one is not None and one["reasons"][0].startswith("Page readable") else None

    async def _score(self, campus: str) -> dict[str, Any] | None:
        answer = await self._fleet.get(f"/campuses/{campus}/health")
        answer.raise_for_status()
        told = answer.json()
        return None if told["score"] is None else dict(told)

    async def _mails(self, about: str) -> list[dict[str, Any]]:
        async with httpx.AsyncClient() as client:
            arrived = (await client.get(f"{self._lab}/notices")).json()
        return [one for one in arrived["mails"] if about in one["subject"]]

    async def _more_mails(self, about: str, than: int) -> list[dict[str, Any]] | None:
        found = await self._mails(about)
        return found if len(found) > than else None

    async def _until(self, look: Callable[[], Awaitable[Any]]) -> Any:
        async with asyncio.timeout(_WITHIN_S):
            while True:
                with suppress(httpx.TransportError):
                    if (found := await look()) is not None:
                        return found
                await asyncio.sleep(_LOOK_S)

    async def _tell(self, name: str, words: str, told: dict[str, Any], stands_s: float = STANDS_S) -> None:
        moment = Moment(name, datetime.now(UTC).isoformat(timespec="milliseconds"), words, told)
        self.moments.append(moment)
        line = json.dumps({"name": name, "at": moment.at, "words": words, "told": told})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._say(f"{datetime.now().astimezone():%H:%M:%S}  {words}")
        await asyncio.sleep(stands_s)


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%H:%M}"
