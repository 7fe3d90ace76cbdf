"""A school day in small: what `carrel-lab demo --day` plays, moment by moment, with faults that are caused for real.

It is a day on a fast clock: where nothing happens for long, the clock of fleet and kiosks is set forward to what comes
next (`lab/day_clock.py`); whatever is measured, and a session's minutes, takes as long as it takes. Each moment is told
in words with the day's time, and kept in `day.jsonl` of the data folder; it stands for a while, so that a person or
`scripts/day_pictures.py` can look at it.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as time_of_day
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from lab.day_clock import DayClock
from lab.faults import Fault
from lab.kit import Hand
from lab.simulated import SimulatedKiosk

COVERED: Final = time_of_day(10, 2)
MISSED: Final = time_of_day(10, 4)
"""When the booking begins to which nobody comes."""
MISSED_MINUTES: Final = 5
OVERDUE: Final = time_of_day(10, 7)
"""Three minutes after its start."""
NEXT: Final = time_of_day(10, 15)
LATER: Final = time_of_day(11, 0)
EVENING: Final = time_of_day(15, 30)
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
        kiosks: at least two; in the first one's room a lens is covered just before a booking to which nobody comes
            (earlier it would be no news: a shutter may be closed on purpose), in the second one's is the session.
        clock: the day's, at its beginning.
        fleet: a client of the fleet's API.
        lab: the lab's address, where notices arrive.
        folder: where `day.jsonl` goes.
        say: tells a moment to whoever reads along.
    """

    def __init__(
        self, kiosks: list[SimulatedKiosk], clock: DayClock, fleet: httpx.AsyncClient, lab: str, folder: Path,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._kiosks, self._clock, self._fleet, self._lab = kiosks, clock, fleet, lab
        self._path, self._say = folder / "day.jsonl", say
        self.moments: list[Moment] = []

    async def play(self) -> list[Moment]:
        """The whole day, from a green board to its health score.

        Raises:
            TimeoutError: something that had to happen did not.
        """
        empty, room = self._kiosks[0], self._kiosks[1]
        coming, missed = await self._book(room, empty)
        one = await self._until(partial(self._seen_well, coming))
        words = f"The board is green: {one['room_name']} is ready. {one['reasons'][0]}"
        await self._tell("green-board", words, one, FIRST_STANDS_S)

        self._forward(COVERED)
        await self._cover(empty, missed)

        self._forward(OVERDUE)
        one = await self._until(lambda: self._seen(missed, overdue="start"))
        await self._tell("overdue", f"{one['room_name']}: {one['reasons'][0]}", one)
        self._forward(MISSED, MISSED_MINUTES)
        one = await self._until(lambda: self._seen(missed, phase="missed"))
        await self._tell("missed", f"{one['room_name']}: {one['reasons'][0]}", one)
        answer = await self._fleet.patch(f"/bookings/{missed}", json={"reason": "student-absent"})
        answer.raise_for_status()
        one = await self._until(lambda: self._seen(missed, phase="fell"))
        await self._tell("no-show", f"{one['room_name']}: {one['reasons'][0]}", one)

        self._forward(NEXT)
        room.button(Hand.PRESS)
        one = await self._until(lambda: self._seen(coming, phase="running"))
        await self._tell("session", f"The session of {_clock(one['start'])} runs in {one['room_name']}.", one)
        room.button(Hand.HOLD)
        one = await self._until(lambda: self._seen(coming, phase="held"))
        await self._tell("held", f"{one['room_name']}: {one['reasons'][0]}", one)
        self._forward(EVENING)
        await self._scores()
        return self.moments

    async def _cover(self, room: SimulatedKiosk, booking: str) -> None:
        """A hand on the lens: on the board, told to the point person, on the room's own screen; then away again."""
        before = len(await self._mails("is covered"))
        room.camera("overhead", Fault.COVERED)
        began_s = time.monotonic()
        one = await self._until(lambda: self._seen(booking, verdict="attention"))
        board_s = time.monotonic() - began_s
        await self._until(lambda: self._more_mails("is covered", before))
        notice_s = time.monotonic() - began_s
        told = one | {"board_s": round(board_s, 2), "notice_s": round(notice_s, 2)}
        words = f"{one['reasons'][0]} On the board after {board_s:.1f} s, at the point person after {notice_s:.1f} s."
        await self._tell("covered", words, told)
        await self._tell("aide", f"The room's own screen says what to do: {one['needs'][0]}", one)
        room.camera("overhead", Fault.NONE)
        one = await self._until(lambda: self._seen(booking, verdict="ready"))
        await self._tell("recovered", f"{one['room_name']} is ready again. {one['reasons'][0]}", one)

    async def _book(self, room: SimulatedKiosk, empty: SimulatedKiosk) -> tuple[str, str]:
        """The day's bookings, by the API, and the address that a person would have booked at."""
        for one in self._kiosks:
            await self._until(partial(self._known, one.model.id))
        plan = [(room, 1, self._today(NEXT), 20), (empty, 2, self._today(MISSED), MISSED_MINUTES)]
        plan += [(one, n, self._today(LATER), 30) for n, one in enumerate(self._kiosks[2:], 3)]
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

    def _today(self, at: time_of_day) -> datetime:
        return datetime.combine(self._clock.now().at.astimezone().date(), at).astimezone()

    def _forward(self, to: time_of_day, minutes: int = 0) -> None:
        """Set every clock forward; what took longer than the day gives it is said later, not undone."""
        at = max(self._today(to) + timedelta(minutes=minutes), self._clock.now().at)
        self._clock.set_forward(at)
        for one in self._kiosks:
            one.set_clock(at)

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
        now = self._clock.now().at.astimezone()
        moment = Moment(name, now.isoformat(timespec="milliseconds"), words, told)
        self.moments.append(moment)
        line = json.dumps({"name": name, "at": moment.at, "words": words, "told": told})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self._say(f"{now:%H:%M:%S}  {words}")
        await asyncio.sleep(stands_s)


def _clock(at: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone():%H:%M}"
