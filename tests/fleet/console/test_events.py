import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from fleet.clock import SystemClock
from fleet.console import events
from fleet.console.board import Question, board
from fleet.console.events import Shown, Watched, stream
from fleet.errors import StoreDown
from fleet.live import Changes
from fleet.roll import Roll
from fleet.views import KioskView
from tests.fleet.console.made_up import NOW, kiosk, session, span
from wire.signals import Verdict


def shown() -> Shown:
    return Shown(
        render_row=lambda row, _now: f"<li>{row.id}</li>",
        render_summary=lambda found: f"{found.total} in all",
        render_showing=lambda _found: "",
    )


def told(texts: list[str]) -> list[tuple[str, object]]:
    """Each event's name and kiosk."""
    parsed = []
    for text in texts:
        name, _, data = text.strip().partition("\n")
        parsed.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: ")).get("id")))
    return parsed


def look(reader: Shown, *kiosks: KioskView, now: datetime = NOW) -> list[tuple[str, object]]:
    return told(reader.news(board(kiosks, Question(), now, UTC), now))


def test_what_only_grew_older_is_no_news() -> None:
    reader = shown()
    live = session([span(0, 60)], "running", age_s=4.0)
    look(reader, kiosk(state="live", session=live, heard_s=3.0))
    older = kiosk(state="live", session=live.model_copy(update={"age_s": 9.0}), heard_s=8.0)
    assert look(reader, older, now=NOW + timedelta(seconds=5)) == []


def test_fresh_evidence_is_news() -> None:
    reader = shown()
    look(reader, kiosk(heard_s=10.0))
    assert look(reader, kiosk(heard_s=1.0)) == [("kiosk", "lincoln-12")]


def test_a_row_that_leaves_and_comes_back_is_sent_again() -> None:
    reader = shown()
    assert look(reader, kiosk("a-1"), kiosk("b-1")) == [("kiosk", "a-1"), ("kiosk", "b-1"), ("order", None)]
    assert look(reader, kiosk("b-1")) == [("order", None)]
    assert look(reader, kiosk("a-1"), kiosk("b-1")) == [("kiosk", "a-1"), ("order", None)]


def test_a_change_of_place_is_told_with_the_row() -> None:
    reader = shown()
    look(reader, kiosk("a-1"), kiosk("b-1"))
    moved = look(reader, kiosk("a-1"), kiosk("b-1", verdict=Verdict.BLOCKED))
    assert moved == [("kiosk", "b-1"), ("order", None)]


def test_a_watched_kiosk_that_changed_in_silence_is_told_too() -> None:
    watched = Watched("a-1")
    assert told(watched.news("ready")) == [("kiosk", "a-1")]
    assert watched.news("ready") == []
    assert told(watched.news("unknown")) == [("kiosk", "a-1")], "nobody said so, but it is another"


class Scene:
    """A stream over the fleet's real changes, and how often it looked."""

    def __init__(self) -> None:
        self.changes = Changes()
        self.looks = 0
        self.fails = False

    async def look(self) -> list[str]:
        self.looks += 1
        if self.fails:
            raise StoreDown("locked")
        return [events.event("look", {"n": self.looks})]

    def open(self) -> AsyncGenerator[str, None]:
        return stream(self.changes.subscribe(), self.look, lambda: events.event("tick", {}))


async def until_look(texts: AsyncIterator[str], number: int) -> None:
    async with asyncio.timeout(10):
        async for text in texts:
            if text == events.event("look", {"n": number}):
                return
    raise AssertionError(f"the stream ended before look {number}")


def test_a_change_makes_it_look_again_and_leaving_frees_it() -> None:
    async def scene() -> None:
        told = Scene()
        ticking = asyncio.create_task(told.changes.run(Roll(), SystemClock()))
        async with aclosing(told.open()) as texts:
            await until_look(texts, 1)
            told.changes.tell(["a-1"])
            await until_look(texts, 2)
            assert told.changes._readers
        assert not told.changes._readers, "nothing is kept for a reader who left"
        ticking.cancel()

    asyncio.run(scene())


def test_it_looks_by_itself_and_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.3)

    async def scene() -> None:
        told = Scene()
        await until_look(told.open(), 3)

    asyncio.run(scene())


def test_a_store_that_is_down_ends_it_quietly() -> None:
    async def scene() -> list[str]:
        told = Scene()
        told.fails = True
        return [text async for text in told.open()]

    assert len(asyncio.run(scene())) == 2


def test_a_long_read_stream_asks_to_be_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LIFE_S", 0.0)

    async def scene() -> list[str]:
        return [text async for text in Scene().open()]

    assert asyncio.run(scene())[-1] == events.event("again", {})
