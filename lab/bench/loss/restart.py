"""The agent killed with SIGKILL, again and again, and how soon its kiosk is ready again.

The lab starts it after half a second, as its unit will. "Answers" is `/healthz`; "ready" is idle again, a
link whose echoes are answered, and both cameras giving pictures.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import httpx

from device.session.ledger_files import epochs
from lab.bench.figures import median
from lab.bench.idle import cpu_s
from lab.bench.loss.parts import emptied, trouble
from lab.bench.loss.table import Row, Table
from lab.bench.neighbours import Neighbours
from lab.demo import Options, parts
from lab.simulated import ROLES, SimulatedKiosk
from wire.ledger import row_of

_GOAL_S: Final = 5.0
_WITHIN_S: Final = 60.0
_POLL_S: Final = 0.02


def restart(table: Table, folder: Path, kills: int) -> None:
    """Kill it that often, outside a session."""
    name = "agent killed (kill -9), ready again"
    if why := trouble():
        table.skip(name, why)
        return
    with Neighbours() as neighbours:
        answers_s, idle_s, ready_s, used_s = asyncio.run(_killed(emptied(folder), kills))
    (found,) = epochs(next(folder.glob("*/data/ledger.db")))
    seqs = [row_of(one.body).seq for one in found[1]]
    lost, doubled = len(set(range(1, max(seqs) + 1)) - set(seqs)), len(seqs) - len(set(seqs))
    note = (
        f"answers after {median(answers_s):.1f} s in the middle, {max(answers_s):.1f} s at most; takes a press after "
        f"{median(idle_s):.1f} and {max(idle_s):.1f} s; with link and pictures after {median(ready_s):.1f} "
        f"and {max(ready_s):.1f} s (goal 5, in the middle); "
        f"the agent's own CPU until it takes a press {median(used_s):.1f} s; {neighbours}"
    )
    missed = f"more than {_GOAL_S:.0f} s" if median(ready_s) > _GOAL_S else ""
    samples = {"answers_s": answers_s, "idle_s": idle_s, "ready_s": ready_s, "cpu_s": used_s}
    table.add(Row(name, kills, "kills", lost, doubled, len(seqs), note, missed, samples))


async def _killed(folder: Path, kills: int) -> tuple[list[float], list[float], list[float], list[float]]:
    answers_s, idle_s, ready_s, used_s = list[float](), list[float](), list[float](), list[float]()
    async with (
        parts(Options(kiosks=1, port=0), folder, lambda _text: None) as demo,
        httpx.AsyncClient() as client,
    ):
        kiosk = next(iter(demo.kiosks.values()))
        await _until(lambda: _is_ready(kiosk, client))
        for _ in range(kills):
            pid = kiosk.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            began_s = time.monotonic()
            await _until(lambda: _answers(kiosk, client))
            answers_s.append(round(time.monotonic() - began_s, 2))
            await _until(lambda: _is_idle(kiosk, client))
            idle_s.append(round(time.monotonic() - began_s, 2))
            used_s.append(round(cpu_s(kiosk.pid), 2) if kiosk.pid else 0.0)
            await _until(lambda: _is_ready(kiosk, client))
            ready_s.append(round(time.monotonic() - began_s, 2))
            await asyncio.sleep(2.0)
    return answers_s, idle_s, ready_s, used_s


async def _answers(kiosk: SimulatedKiosk, client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get(f"{kiosk.url}/healthz", timeout=2)).is_success
    except httpx.HTTPError:
        return False


async def _is_idle(kiosk: SimulatedKiosk, client: httpx.AsyncClient) -> bool:
    found = await kiosk.state(client)
    return found is not None and found["state"] == "idle"


async def _is_ready(kiosk: SimulatedKiosk, client: httpx.AsyncClient) -> bool:
    found = await kiosk.state(client)
    return (
        found is not None
        and found["state"] == "idle"
        and bool(found["link"]["up"])
        and all(found["cameras"][role]["last_frame_age_s"] is not None for role in ROLES)
    )


async def _until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not await true():  # noqa: ASYNC110  # other processes raise no event here
            await asyncio.sleep(_POLL_S)
