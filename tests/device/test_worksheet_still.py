"""The fleet asks for a worksheet: sealed in memory, written down, and never without consent."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from nacl.public import PrivateKey, SealedBox

from device.cameras.stills import fitted
from device.errors import CommandRefused, LedgerUnwritable
from device.kit import kit
from device.readiness import Judgement
from device.session import states as s
from device.session.ledger import Ledger
from device.session.ledger_files import epochs
from device.session.states import Phase
from device.settings import Settings
from device.uplink import Uplink
from device.vision.mat import find_markers
from device.worksheet_still import SealedStill, sealed_still
from lab.kit import Hand
from tests.device.test_agent import Running, agent_in, broker_and_fleet, settings_in
from tests.device.test_kiosk_cameras import Room, room_in
from wire.codec import encode
from wire.ledger import Row, row_of
from wire.messages import Command, Reply
from wire.schedule import Booking, Consent, Schedule
from wire.segments import key_id
from wire.signals import ActiveSignal, Severity, Verdict
from wire.stills import MAX_JPEG_BYTES, StillReply, hash_of
from wire.topics import Channel

FLEET = PrivateKey.generate()
PUBLIC = bytes(FLEET.public_key)
KEY = base64.b64encode(PUBLIC).decode()
HD = (1280, 720)


def opened(result: dict[str, Any]) -> bytes:
    """The JPEG in a reply."""
    return SealedBox(FLEET).decrypt(base64.b64decode(result["sealed"]))


def middles_in(jpeg: bytes) -> dict[int, Any]:
    """Where the mat's markers are in a picture, by their ids."""
    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert grey is not None
    return {one.number: one.corners_px.mean(axis=0) for one in find_markers(np.asarray(grey, np.uint8))}


def px_per_mm_in(jpeg: bytes) -> float:
    """The scale as the mat itself tells it, whose markers have known places."""
    middles = middles_in(jpeg)
    placed = {one.id: (one.x_mm, one.y_mm) for one in kit().mat.markers}
    seen = sorted(middles.keys() & placed.keys())
    assert len(seen) >= 3
    scales = [
        np.linalg.norm(middles[a] - middles[b]) / np.linalg.norm(np.subtract(placed[a], placed[b]))
        for a in seen
        for b in seen
        if a < b
    ]
    return float(np.mean(scales))


# The whole way, in a real agent


def story(folder: Path, told: Callable[[Running], Awaitable[None]], **recording: str) -> None:
    async def run() -> None:
        async with broker_and_fleet(folder) as (port, fleet):
            plain = settings_in(folder, port).model_dump(mode="json")
            plain["cameras"]["overhead"] |= {"width": HD[0], "height": HD[1]}
            plain["recording"] = recording
            async with agent_in(Settings.model_validate(plain), fleet) as on:
                await told(on)

    asyncio.run(run())


async def book(on: Running, **changes: Any) -> None:
    """A booking open now, and the kiosk holds it: a press before that would start an unplanned session."""
    now = datetime.now(UTC)
    booking = Booking(
        id="b-1", start=now, planned_ms=1_800_000, therapist="t-1", students=("s-0418",),
        consents=(Consent(student="s-0418"),),
    ).model_copy(update=changes)  # fmt: skip
    on.fleet.send(on.topic(Channel.SCHEDULE), encode(Schedule(revision=1, as_of=now, bookings=(booking,))))
    async with asyncio.timeout(20):
        while not _holds_schedule(on):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)


def _holds_schedule(on: Running) -> bool:
    ledger = Ledger.open(on.settings.data_dir / "ledger.db")
    try:
        return ledger.kept("schedule") is not None
    finally:
        ledger.close()


@pytest.mark.needs_mosquitto
def test_a_worksheet_comes_sealed_with_its_scale_and_leaves_nothing_but_a_row(tmp_path: Path) -> None:
    async def told(on: Running) -> None:
        early = await on.command(name="still")
        assert (early.ok, early.error, early.result) == (False, "no-session", None)
        assert early.detail == "No session runs on this kiosk."
        await book(on)
        await on.hand(Hand.PRESS)
        state = await on.until(
            lambda now: now["state"] == "live" and (now["cameras"]["overhead"]["mat"] or {}).get("px_per_mm")
        )
        assert state["recording"]["keep"] == "nothing", "its policy is never to record, and that is another matter"
        assert state["cameras"]["overhead"]["mat"]["sharp_enough"] is False

        reply = await on.command(name="still", args={"role": "overhead", "view": "worksheet"})
        assert reply.ok, (reply.error, reply.detail)
        rows = [row_of(row.body) for _, rows in epochs(on.settings.data_dir / "ledger.db") for row in rows]
        taken = [row for row in rows if row.type == "still.taken"]
        assert reply.result is not None
        figures = StillReply.model_validate(reply.result)
        jpeg = opened(reply.result)
        assert (figures.key_id, figures.bytes, figures.hash) == (key_id(PUBLIC), len(jpeg), hash_of(jpeg))
        assert (figures.origin, figures.sharp, figures.session) == ("mat", False, state["session"]["id"])
        assert figures.px_per_mm == pytest.approx(HD[0] / 640, rel=0.01)
        assert px_per_mm_in(jpeg) == pytest.approx(figures.px_per_mm, rel=0.01)
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert image.shape == (figures.height_px, figures.width_px, 3)
        assert abs(figures.captured_at - datetime.now(UTC)) < timedelta(seconds=20)

        assert [row.session for row in taken] == [figures.session]
        said = taken[0].data
        assert said.pop("command") == reply.id
        assert said == {name: reply.result[name] for name in said}
        assert [row.data["ok"] for row in rows if row.type == "command.run"] == [False, True]
        kept = b"".join(path.read_bytes() for path in on.settings.data_dir.rglob("*") if path.is_file())
        assert hash_of(jpeg).encode() in kept
        assert b"JFIF" not in kept
        for start in range(0, len(jpeg) - 24, 997):
            assert jpeg[start : start + 24] not in kept
        assert reply.result["sealed"][:64].encode() not in kept

        front = await on.command(name="still", args={"role": "front"})
        assert (front.error, "face" in (front.detail or "")) == ("bad-args", True)

    story(tmp_path, told, fleet_key=KEY)


@pytest.mark.needs_mosquitto
def test_without_a_fleet_key_no_picture_leaves_the_kiosk(tmp_path: Path) -> None:
    async def told(on: Running) -> None:
        await book(on)
        await on.hand(Hand.PRESS)
        await on.until(lambda now: now["state"] == "live")
        reply = await on.command(name="still")
        assert (reply.ok, reply.error, reply.result) == (False, "no-key", None)

    story(tmp_path, told)


# Each reason, and what changes in between


def in_room(folder: Path, told: Callable[[Room], Awaitable[None]]) -> None:
    async def run() -> None:
        async with room_in(folder, size=(640, 360)) as room:
            await told(room)

    asyncio.run(run())


async def ask(room: Room, **args: Any) -> SealedStill:
    return await sealed_still(room.kiosk, KEY, "command-1", args)


async def refusal(room: Room, **args: Any) -> str:
    with pytest.raises(CommandRefused) as refused:
        await ask(room, **args)
    assert str(refused.value).endswith("."), "it is a sentence for a person"
    assert len(str(refused.value)) <= 200
    return refused.value.reason


def test_every_refusal_has_its_word(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        assert await refusal(room) == "no-session"
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()
        assert (await ask(room)).result["session"] == room.kiosk.state.session.id  # type: ignore[union-attr]
        assert await refusal(room, role="front") == "bad-args"
        assert await refusal(room, zoom=2) == "bad-args"
        for changes, word in (
            ({"consents": ()}, "no-consent"),
            ({"model": "push-in"}, "push-in"),
            ({"id": "b-2"}, "unplanned"),
        ):
            room.book("always", **changes)
            assert await refusal_soon(room, word)
        room.kiosk.post(s.ScheduleSet(Schedule(revision=2, as_of=room.kiosk.clock.now().wall - timedelta(hours=25))))
        assert await refusal_soon(room, "schedule-old")
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule.bookings)  # type: ignore[union-attr]
        await room.kiosk.ask("not-this-student", "")
        assert await refusal(room) == "not-this-student"
        await hears_presses(room)
        await room.kiosk.press("screen")
        assert await refusal(room) == "paused"

    in_room(tmp_path, told)


async def hears_presses(room: Room) -> None:
    """The first seconds of a session are deaf; an event that was on its way keeps them so."""
    while room.kiosk.state.deaf_until_ns:
        room.kiosk.state = replace(room.kiosk.state, deaf_until_ns=0)
        await asyncio.sleep(0.3)


async def refusal_soon(room: Room, word: str) -> bool:
    """Whether this becomes the answer when the kiosk has taken in what it was told."""
    async with asyncio.timeout(10):
        while True:
            try:
                await ask(room)
            except CommandRefused as refused:
                if refused.reason == word:
                    return True
            await asyncio.sleep(0.02)


def test_a_pause_and_a_revocation_in_the_meantime_win(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()

        ready = await ask(room)
        ready.require()
        room.book("never", consents=(Consent(student="s-0418", revoked_at=room.kiosk.clock.now().wall),))
        await room.until(lambda: room.kiosk.state.schedule.bookings[0].consents[0].revoked_at)  # type: ignore[union-attr]
        with pytest.raises(CommandRefused) as revoked:
            ready.require()
        assert revoked.value.reason == "no-consent"

        room.book("never")
        await room.until(lambda: not room.kiosk.state.schedule.bookings[0].consents[0].revoked_at)  # type: ignore[union-attr]
        await hears_presses(room)
        asked = asyncio.ensure_future(ask(room))
        await asyncio.sleep(0)
        await room.kiosk.press("screen")
        with pytest.raises(CommandRefused) as paused:
            await asked
        assert paused.value.reason == "paused"

    in_room(tmp_path, told)


def test_a_pause_counts_before_the_disk_knows_of_it(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()
        ready = await ask(room)
        room.kiosk._ahead = replace(room.kiosk.state, phase=Phase.PAUSED)
        with pytest.raises(CommandRefused) as paused:
            ready.require()
        assert paused.value.reason == "paused"

    in_room(tmp_path, told)


def answered(room: Room, meanwhile: Callable[[], None]) -> "asyncio.Future[tuple[Reply, list[Any]]]":
    """What the uplink answers to `still` when something happens while its row is being written."""
    journal = room.kiosk.journal
    append = journal.append

    async def slow(facts: Sequence[s.Fact]) -> list[Row]:
        if any(fact.type == "still.taken" for fact in facts):
            meanwhile()
        return await append(facts)

    async def answer() -> tuple[Reply, list[Any]]:
        journal.append = slow  # type: ignore[method-assign]
        now = room.kiosk.clock.now().wall
        command = Command(id="command-1", name="still", expires_at=now + timedelta(seconds=30), epoch=journal.epoch)
        reply = await Uplink(room.kiosk, journal)._answer(command)
        rows = await room.rows("still.taken"), await room.rows("command.run")
        return reply, [len(rows[0]), *((one["ok"], one["error"]) for one in rows[1])]

    return asyncio.ensure_future(answer())


def test_a_pause_while_the_row_is_written_keeps_the_picture_here_and_the_ledger_says_both(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()

        def pause() -> None:
            room.kiosk._ahead = replace(room.kiosk.state, phase=Phase.PAUSED)

        reply, rows = await answered(room, pause)
        assert (reply.ok, reply.error, reply.result) == (False, "paused", None)
        assert reply.detail == "The session is paused: the cameras are closed."
        assert rows == [1, (True, None), (False, "paused")]

    in_room(tmp_path, told)


def test_what_cannot_be_written_down_is_not_sent(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()

        def full() -> None:
            raise LedgerUnwritable("the disk is full")

        reply, rows = await answered(room, full)
        assert (reply.ok, reply.error, reply.result) == (False, "storage", None)
        assert rows == [0]

    in_room(tmp_path, told)


def test_where_nothing_is_seen_it_says_so(tmp_path: Path) -> None:
    async def told(room: Room) -> None:
        room.book("never")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        await room.start()
        swapped = ActiveSignal(id="camera.swapped", severity=Severity.ATTENTION, since=room.kiosk.clock.now().wall)
        ready = await ask(room)
        room.kiosk.judgement = Judgement(Verdict.ATTENTION, (swapped,))
        with pytest.raises(CommandRefused, match="exchanged"):
            ready.require()
        assert await refusal(room) == "no-picture"
        room.kiosk.judge()
        room.cameras["overhead"].want_open(False)
        assert await refusal(room) == "no-picture"

    in_room(tmp_path, told)


# How large it is


def noise(width: int, height: int) -> Any:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)


def test_a_small_enough_picture_keeps_its_quality_and_size() -> None:
    image = np.full((900, 600, 3), 230, np.uint8)
    assert fitted(image) == fitted(image, MAX_JPEG_BYTES)
    assert fitted(image, MAX_JPEG_BYTES)[1] is None


def test_a_large_one_loses_quality_first_and_size_last() -> None:
    image = cv2.GaussianBlur(noise(1200, 900), (0, 0), 1.2)
    best, _ = fitted(image)
    less, size = fitted(image, len(best) * 2 // 3)
    assert len(less) <= len(best) * 2 // 3
    assert size is None, "quality was enough"
    hard = noise(1800, 2400)
    data, size = fitted(hard, MAX_JPEG_BYTES)
    assert 0 < len(data) <= MAX_JPEG_BYTES
    assert size is not None
    small = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert small is not None
    assert small.shape[:2] == (size[1], size[0])
    assert size[0] / 1800 == pytest.approx(size[1] / 2400, rel=0.002), "one scale both ways"


def test_what_cannot_be_made_small_enough_is_nothing() -> None:
    assert fitted(noise(640, 480), 100) == (b"", None)
