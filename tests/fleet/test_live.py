"""Readers are told what changed, by words of kiosks and by their silence, at most twice a second."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from fleet import live
from fleet.live import Changes
from fleet.roll import Roll
from tests.fleet.world import Fleet, HandClock, Kiosk
from wire.messages import Readiness
from wire.signals import Verdict


def run(scene: Callable[[Changes], Awaitable[None]], roll: Roll | None = None, clock: HandClock | None = None) -> None:
    """Play `scene` while changes are carried."""

    async def play() -> None:
        changes = Changes()
        carrying = asyncio.create_task(changes.run(roll or Roll(), clock or HandClock()))
        await asyncio.sleep(0)
        try:
            async with asyncio.timeout(20):
                await scene(changes)
        finally:
            changes.close()
            carrying.cancel()
            with suppress(asyncio.CancelledError):
                await carrying

    asyncio.run(play())


def listening(changes: Changes) -> tuple[AsyncIterator[set[str]], asyncio.Task[set[str]]]:
    news = changes.subscribe()
    return news, asyncio.create_task(_next(news))


async def _next(news: AsyncIterator[set[str]]) -> set[str]:
    return await anext(news)


def test_what_another_thread_tells_reaches_every_reader() -> None:
    async def scene(changes: Changes) -> None:
        _, one = listening(changes)
        _, two = listening(changes)
        await asyncio.sleep(0)
        thread = threading.Thread(target=changes.tell, args=(["lincoln-12"],))
        thread.start()
        assert await one == await two == {"lincoln-12"}
        thread.join()

    run(scene)


def test_much_that_happens_at_once_is_one_piece_of_news() -> None:
    async def scene(changes: Changes) -> None:
        news, first = listening(changes)
        await asyncio.sleep(0)
        changes.tell(["a"])
        assert await first == {"a"}
        began = time.monotonic()
        for number in range(100):
            changes.tell([f"kiosk-{number}"])
        assert len(await anext(news)) == 100
        assert time.monotonic() - began >= live.EVERY_S * 0.9

    run(scene)


def test_silence_is_news(monkeypatch: pytest.MonkeyPatch, fleet: Fleet, kiosk: Kiosk) -> None:
    monkeypatch.setattr(live, "TICK_S", 0.02)
    monkeypatch.setattr(live, "EVERY_S", 0.02)
    fleet.take(kiosk.is_born())
    roll, clock = fleet.parts.roll, fleet.clock

    async def scene(changes: Changes) -> None:
        news, first = listening(changes)
        await asyncio.sleep(0.1)
        assert not first.done()
        clock.pass_(46)
        assert await first == {kiosk.id}
        clock.pass_(45)
        assert await anext(news) == {kiosk.id}

    run(scene, roll, clock)


def test_a_verdict_that_grows_too_old_is_news(monkeypatch: pytest.MonkeyPatch, fleet: Fleet, kiosk: Kiosk) -> None:
    monkeypatch.setattr(live, "TICK_S", 0.02)
    fleet.take(kiosk.is_born(), kiosk.is_ready())
    fleet.clock.pass_(80)
    fleet.take(kiosk.asks())

    async def scene(changes: Changes) -> None:
        _, first = listening(changes)
        await asyncio.sleep(0.1)
        assert not first.done()
        fleet.clock.pass_(11)
        assert await first == {kiosk.id}

    run(scene, fleet.parts.roll, fleet.clock)


def test_when_the_service_stops_every_subscription_ends() -> None:
    async def scene(changes: Changes) -> None:
        news, first = listening(changes)
        await asyncio.sleep(0)
        changes.close()
        with pytest.raises(StopAsyncIteration):
            await first
        changes.tell(["late"])
        assert [told async for told in news] == []

    run(scene)


def test_nobody_is_told_before_anybody_listens() -> None:
    changes = Changes()
    changes.tell(["lincoln-12"])

    async def story() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(aiter(changes.subscribe())), 0.2)

    asyncio.run(story())


def test_a_replayed_verdict_has_no_age_and_is_not_believed(fleet: Fleet, kiosk: Kiosk) -> None:
    told = Readiness(verdict=Verdict.READY, at=fleet.clock.at)
    raw = kiosk.is_ready()
    fleet.take(type(raw)(raw.topic, told.model_dump_json().encode(), retained=True))
    entry = fleet.entry(kiosk)
    assert entry.readiness == told
    assert entry.readiness_at is None
