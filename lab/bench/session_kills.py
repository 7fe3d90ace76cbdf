"""The same kills on a running demo: a recorded session whose two camera workers are killed and hung in turn.

The session must go on as the same one, and its ledger must show each gap.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from device.cameras.source import ROLES
from device.segments import Shelf
from fleet.segment_keys import SegmentKeys
from fleet.settings import load
from lab.bench.figures import Results, at_most, median
from lab.bench.kills import BACK_GOAL_S
from lab.bench.neighbours import Neighbours
from lab.bench.recordings import look
from lab.demo import Demo, Options, parts
from lab.kit import Hand
from lab.simulated import SimulatedKiosk

_POLL_S: Final = 0.02
_WITHIN_S: Final = 90.0
_PAUSE_S: Final = 1.5


@dataclass(slots=True)
class _Story:
    """What was seen while the workers of a session were killed."""

    session: str = ""
    back_s: list[float] = field(default_factory=list)
    lost: int = 0
    """How often the kiosk was in another session, or in no live one."""
    gaps: int = 0
    """How many gaps the fleet's copy of the ledger shows: a camera that was lost and came back."""

    def saw(self, state: dict[str, Any]) -> None:
        """Take note of a state in which the session should be live."""
        self.lost += state["state"] != "live" or (state["session"] or {}).get("id") != self.session


def measure(results: Results, folder: Path, kills: int) -> None:
    """Kill or hang each of the two workers that often in one session."""
    with Neighbours() as neighbours:
        story, segments, keys = asyncio.run(_session(folder, kills))
    found = look(segments, keys)
    results.samples("session_worker_to_frames_s", "s", story.back_s)
    note = f"of {len(story.back_s)}, median {median(story.back_s):.2f} s; {neighbours}"
    results.add(
        at_most("in a session, killed or hung to frames back, worst", max(story.back_s), BACK_GOAL_S, "s", note)
    )
    results.add(at_most("sessions lost to it", story.lost, 0, "", "its id and state at each look"))
    missing = abs(len(story.back_s) - story.gaps)
    results.add(at_most("kills without a gap of their own in the ledger", missing, 0, "", f"{story.gaps} gaps"))
    note = "; ".join(found.unreadable[:2]) or f"of {len(found.videos)}"
    results.add(at_most("segments of that session unreadable", len(found.unreadable), 0, "", note))


async def _session(folder: Path, kills: int) -> tuple[_Story, Path, SegmentKeys]:
    story = _Story()
    async with (
        parts(Options(kiosks=1, port=0, record=True), folder, lambda _text: None) as demo,
        httpx.AsyncClient() as client,
    ):
        kiosk = next(iter(demo.kiosks.values()))

        async def screen() -> dict[str, Any]:
            found = await kiosk.state(client)
            return found or {"state": "", "session": None, "cameras": {}, "recording": {}, "backlog": {}}

        # As long as there is no schedule a press would start an unplanned session, which is not recorded.
        await _until(screen, lambda now: now["state"] == "idle" and _open(now) and bool(now["link"]["up"]))
        await asyncio.sleep(_PAUSE_S)
        kiosk.button(Hand.PRESS)
        begun = await _until(screen, lambda now: now["state"] == "live" and _records(now))
        story.session = begun["session"]["id"]
        for number in range(kills):
            for role in ROLES:
                await _kill(story, screen, role, hangs=number % 4 == 1)
                await asyncio.sleep(_PAUSE_S)
        await _until(screen, lambda now: now["backlog"]["rows"] == 0)
        story.gaps = await _gaps(demo, kiosk, client, story.session)
        segments = folder / kiosk.model.id / "data" / "segments"
        keys = SegmentKeys(load(folder / "fleet" / "fleet.toml").segment_keys_dir)
    Shelf(segments).recover()  # what the next start would do
    return story, segments, keys


async def _kill(story: _Story, screen: Callable[[], Awaitable[dict[str, Any]]], role: str, *, hangs: bool) -> None:
    before = await screen()
    pid = before["cameras"][role]["pid"]
    os.kill(pid, signal.SIGSTOP if hangs else signal.SIGKILL)
    killed = time.monotonic()

    def back(now: dict[str, Any]) -> bool:
        story.saw(now)
        seen = now["cameras"].get(role, {"state": "", "pid": None, "last_frame_age_s": None})
        return seen["state"] == "open" and seen["pid"] not in {None, pid} and seen["last_frame_age_s"] is not None

    await _until(screen, back)
    story.back_s.append(time.monotonic() - killed)
    await _until(screen, _records)


async def _gaps(demo: Demo, kiosk: SimulatedKiosk, client: httpx.AsyncClient, session: str) -> int:
    answer = await client.get(
        f"{demo.fleet_url}/api/v1/kiosks/{kiosk.model.id}/ledger",
        params={"limit": 1000},
        headers={"Authorization": f"Bearer {demo.people.api_token}"},
    )
    types = [row["type"] for row in answer.json()["items"] if row["session"] == session]
    return min(types.count("camera.lost"), types.count("camera.back"))


async def _until(
    screen: Callable[[], Awaitable[dict[str, Any]]], true: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """The first state of which it is true."""
    async with asyncio.timeout(_WITHIN_S):
        while not true(now := await screen()):  # noqa: ASYNC110  # other processes raise no event here
            await asyncio.sleep(_POLL_S)
    return now


def _open(now: dict[str, Any]) -> bool:
    return all(now["cameras"][role]["state"] == "open" for role in ROLES)


def _records(now: dict[str, Any]) -> bool:
    return _open(now) and all(now["cameras"][role]["segment"] for role in ROLES)
