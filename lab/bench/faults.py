"""On the running demo: a press to first pictures, a fault to the kiosk's screen and to the fleet's board."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx

from lab.bench.figures import Results, at_most, median, percentile
from lab.demo import Options, parts
from lab.faults import Fault
from lab.kit import Hand
from lab.relay import Way
from lab.simulated import SimulatedKiosk

_POLL_S: Final = 0.02
_SCREEN_GOAL_S: Final = 2.0
_BOARD_GOAL_S: Final = 5.0
_COLD_GOAL_MS: Final = 1_500.0


def measure(results: Results, folder: Path, rounds: int) -> None:
    """Unplug a camera, cut a network, press from cold; each that often."""
    screen_s, board_s, link_s, frames_ms = asyncio.run(_break(folder, rounds))
    for name, samples in (
        ("fault_to_screen_s", screen_s),
        ("fault_to_board_s", board_s),
        ("reset_to_screen_s", link_s),
    ):
        results.samples(name, "s", samples)
    results.samples("press_to_pictures_cold_ms", "ms", frames_ms)
    note = f"worst of {rounds}"
    results.add(at_most("camera unplugged to kiosk screen", max(screen_s), _SCREEN_GOAL_S, "s", note))
    results.add(at_most("camera unplugged to fleet board", max(board_s), _BOARD_GOAL_S, "s", note))
    results.add(at_most("network reset to kiosk screen", max(link_s), _SCREEN_GOAL_S, "s", note))
    results.add(
        at_most("resume to both cameras' pictures, cold, p95", percentile(frames_ms, 95), _COLD_GOAL_MS, "ms",
                f"median {median(frames_ms):.0f} ms; from the ledger's own times")
    )  # fmt: skip


async def _break(folder: Path, rounds: int) -> tuple[list[float], list[float], list[float], list[float]]:
    screen_s, board_s, link_s = [], [], []
    async with parts(Options(kiosks=1, port=0), folder, _quiet) as demo, httpx.AsyncClient() as client:
        kiosk = next(iter(demo.kiosks.values()))
        token = {"Authorization": f"Bearer {demo.people.api_token}"}

        async def screen() -> dict[str, Any]:
            return await kiosk.state(client) or {"readiness": {"signals": []}, "link": {"up": False}, "state": ""}

        async def board() -> dict[str, Any]:
            answer = await client.get(f"{demo.fleet_url}/api/v1/kiosks/{kiosk.model.id}", headers=token)
            return dict(answer.json()) if answer.is_success else {"signals": []}

        await _until(lambda: _well(screen))
        for _ in range(rounds):
            begun = time.monotonic()
            kiosk.camera("front", Fault.UNPLUGGED)
            seen = await asyncio.gather(
                _until(lambda: _missing(screen, "readiness"), begun), _until(lambda: _missing(board, None), begun)
            )
            screen_s.append(seen[0])
            board_s.append(seen[1])
            kiosk.camera("front", Fault.NONE)
            await _until(lambda: _well(screen))
            begun = time.monotonic()
            kiosk.relay.cut(Way.RESET)
            link_s.append(await _until(lambda: _unlinked(screen), begun))
            kiosk.relay.restore()
            await _until(lambda: _well(screen))
        frames_ms = await _cold_starts(kiosk, screen, demo.fleet_url, token, client, rounds)
    return screen_s, board_s, link_s, frames_ms


async def _cold_starts(  # one story with its actors
    kiosk: SimulatedKiosk,
    screen: Callable[[], Awaitable[dict[str, Any]]],
    fleet_url: str,
    token: dict[str, str],
    client: httpx.AsyncClient,
    rounds: int,
) -> list[float]:
    """Pause closes both cameras; the resume opens them. The ledger says when pictures were back."""
    kiosk.button(Hand.PRESS)
    await _until(lambda: _in(screen, "live"))
    await asyncio.sleep(6)
    for _ in range(rounds):
        kiosk.button(Hand.PRESS)
        await _until(lambda: _in(screen, "paused"))
        await asyncio.sleep(1.5)
        kiosk.button(Hand.PRESS)
        await _until(lambda: _in(screen, "live"))
        await asyncio.sleep(3)
    answer = await client.get(
        f"{fleet_url}/api/v1/kiosks/{kiosk.model.id}/ledger", params={"limit": 1000}, headers=token
    )
    found, resumed_ns, back = [], None, 0
    for row in answer.json()["items"]:
        if row["type"] == "session.resumed":
            resumed_ns, back = row["mono_ns"], 0
        elif row["type"] == "camera.back" and resumed_ns is not None:
            back += 1
            if back == 2:
                found.append((row["mono_ns"] - resumed_ns) / 1e6)
                resumed_ns = None
    return found


async def _until(true: Callable[[], Awaitable[bool]], begun: float | None = None) -> float:
    """Seconds from `begun` until it was seen."""
    since = time.monotonic() if begun is None else begun
    async with asyncio.timeout(90):
        while not await true():  # noqa: ASYNC110  # other processes raise no event here
            await asyncio.sleep(_POLL_S)
    return time.monotonic() - since


async def _missing(look: Callable[[], Awaitable[dict[str, Any]]], inside: str | None) -> bool:
    found = await look()
    return any(one["id"] == "camera.missing" for one in (found[inside] if inside else found)["signals"])


async def _well(screen: Callable[[], Awaitable[dict[str, Any]]]) -> bool:
    found = await screen()
    return bool(found["link"]["up"]) and not found["readiness"]["signals"] and found["state"] == "idle"


async def _unlinked(screen: Callable[[], Awaitable[dict[str, Any]]]) -> bool:
    return not (await screen())["link"]["up"]


async def _in(screen: Callable[[], Awaitable[dict[str, Any]]], state: str) -> bool:
    return bool((await screen())["state"] == state)


def _quiet(_text: str) -> None:
    """The bench's own output is its figures."""
