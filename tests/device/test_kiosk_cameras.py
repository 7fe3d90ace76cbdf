"""The kiosk and its cameras: what is coded and kept follows the session, and a lamp that lies stops capture."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from nacl.public import PrivateKey

from device import chores
from device.cameras.recording import Keep
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.kiosk import Kiosk
from device.kit import kit
from device.panel import Panel
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.session.states import Phase
from device.settings import Settings
from device.vault import Vault
from lab.clock import LabClock
from wire.schedule import Booking, Consent, Schedule

KEY = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()


class LyingPanel(Panel):
    """A panel whose camera lamp can be made to stay dark, as a broken wire would."""

    dark = False

    @property
    def camera_lamp(self) -> bool:
        return not self.dark and bool(self._camera_lamp_pin.is_lit)


class Room:
    """A kiosk with real workers behind its cameras and mock pins behind its panel."""

    def __init__(self, kiosk: Kiosk, panel: LyingPanel, cameras: dict[str, Camera], vault: Vault) -> None:
        self.kiosk, self.panel, self.cameras, self.vault = kiosk, panel, cameras, vault

    async def until(self, true: Callable[[], Any], within_s: float = 25) -> None:
        try:
            async with asyncio.timeout(within_s):
                while not true():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        except TimeoutError:
            statuses = [camera.status() for camera in self.cameras.values()]
            raise AssertionError(f"never; {self.kiosk.state.phase} {self.vault.permission} {statuses}") from None

    def book(self, record: str, **changes: Any) -> None:
        now = self.kiosk.clock.now().wall
        booking = Booking(
            id="b-1", start=now, planned_ms=1_800_000, therapist="demo-therapist", students=("s-0418",), record=record,
            consents=(Consent(student="s-0418"),),
        ).model_copy(update=changes)  # fmt: skip
        self.kiosk.post(s.ScheduleSet(Schedule(revision=1, as_of=now, bookings=(booking,))))

    async def start(self) -> None:
        await self.kiosk.press("screen")
        await self.until(lambda: self.kiosk.state.phase in {Phase.LIVE, Phase.BUFFERING})

    async def pause(self) -> None:
        self.kiosk.state = replace(self.kiosk.state, deaf_until_ns=0)
        await self.kiosk.press("screen")

    def keeps(self) -> set[Keep]:
        return {camera.status().keep for camera in self.cameras.values()}

    async def rows(self, type_: str) -> list[dict[str, Any]]:
        found = await self.kiosk.journal.call(Ledger.rows)
        return [row.data for row in found if row.type == type_]


@contextlib.asynccontextmanager
async def room_in(folder: Path, idle: str = "watch", size: tuple[int, int] = (160, 90)) -> AsyncIterator[Room]:
    settings = Settings.model_validate(
        {
            "data_dir": folder,
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": ["mqtt://127.0.0.1:1"]},
            "cameras": {"idle": idle, "overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
            "recording": {"fleet_key": KEY},
        }
    )
    journal = Journal(Ledger.open(folder / "ledger.db"))
    panel = LyingPanel(settings.panel, lambda _gesture: None, MockFactory())
    panel.start()
    cameras: dict[str, Camera] = {}
    kiosk = Kiosk(settings, LabClock("boot-1", 0), journal, panel, cameras)
    vault = kiosk.vault = Vault(settings, kiosk.clock, cameras, kiosk.post)
    for role, uri in (("overhead", "scene:desk"), ("front", "scene:student")):
        cameras[role] = Camera(
            CameraSpec(role, uri, *size, 20.0, bitrate_bps=200_000), mat=kit().mat.plain,
            on_change=kiosk.camera, on_step=kiosk.camera_step, on_event=vault.told, on_burial=vault.buried,
        )  # fmt: skip
    kiosk.post(s.Booted("0"))
    tasks = [
        asyncio.ensure_future(one)
        for one in (kiosk.run(), chores.judge(kiosk), vault.run(), *(camera.run() for camera in cameras.values()))
    ]
    room = Room(kiosk, panel, cameras, vault)
    try:
        await room.until(lambda: kiosk.state.phase is Phase.IDLE and vault.holdings.room_bytes is not None)
        yield room
    finally:
        await asyncio.gather(*(camera.stop() for camera in cameras.values()))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await vault.close()
        panel.stop()
        await journal.close()


def scenario(folder: Path, story: Callable[[Room], Awaitable[None]], idle: str = "watch") -> None:
    async def run() -> None:
        async with room_in(folder, idle) as room:
            await story(room)

    asyncio.run(run())


def segments(folder: Path) -> set[str]:
    return {path.suffix for path in (folder / "segments").iterdir() if path.is_file()}


def test_pictures_are_coded_in_a_session_only_and_a_pause_ends_it_with_the_cameras(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        await room.until(lambda: all(camera.status().state == "open" for camera in room.cameras.values()))
        assert all(camera.status().packets == 0 for camera in room.cameras.values())
        await room.start()
        await room.until(lambda: all(camera.status().packets > 5 for camera in room.cameras.values()))
        await room.pause()
        await room.until(lambda: not any(camera.status().device_open for camera in room.cameras.values()))
        counts = [camera.status().packets for camera in room.cameras.values()]
        await asyncio.sleep(0.6)
        assert [camera.status().packets for camera in room.cameras.values()] == counts
        assert segments(tmp_path) == set(), "an unplanned session keeps no picture"

    scenario(tmp_path, story)


def test_with_consent_to_record_always_segments_begin_with_the_press_and_end_with_a_pause(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.book("always")
        await room.start()
        await room.until(lambda: all(camera.status().segment for camera in room.cameras.values()))
        await room.until(lambda: all(camera.status().packets > 20 for camera in room.cameras.values()))
        assert segments(tmp_path) == {".part"}
        await room.pause()
        await room.until(lambda: segments(tmp_path) == {".seg"})
        sealed: list[dict[str, Any]] = []
        async with asyncio.timeout(10):
            while len(sealed) < 2:
                sealed = await room.rows("segment.sealed")
                await asyncio.sleep(0.02)
        assert {row["role"] for row in sealed} == {"overhead", "front"}
        changes = [(row["keep"], row["reason"]) for row in await room.rows("recording.changed")]
        assert changes == [("all", "always"), ("nothing", "paused")]

    scenario(tmp_path, story)


@pytest.mark.parametrize(
    "changes", [{"consents": ()}, {"record": "never"}, {"model": "push-in"}, {"students": ("s-0418", "s-0419")}]
)
def test_without_the_right_to_not_one_byte_of_a_picture_reaches_the_disk(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    async def story(room: Room) -> None:
        room.book(**{"record": "always", **changes})
        await room.start()
        await room.until(lambda: all(camera.status().packets > 30 for camera in room.cameras.values()))
        writable = [path for camera in room.cameras.values() for path in _open_for_writing(camera)]
        assert writable == [], "a worker that may keep nothing holds nothing that it could write to"
        assert segments(tmp_path) == set()
        assert room.keeps() == {Keep.NOTHING}

    scenario(tmp_path, story)


def _open_for_writing(camera: Camera) -> list[Path]:
    """The files that a camera's worker could write to, by the kernel's own account."""
    fds = Path(f"/proc/{camera.status().pid}/fd").iterdir()
    return [
        fd.readlink() for fd in fds if fd.resolve().is_file() and "memfd" not in f"{fd.readlink()}" and _is_writable(fd)
    ]


def _is_writable(fd: Path) -> bool:
    flags = (fd.parent.parent / "fdinfo" / fd.name).read_text().split("flags:")[1].split()[0]
    return int(flags, 8) & 0o3 != 0


def test_recording_when_offline_waits_in_memory_and_writes_with_the_outage_alone(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.kiosk.post(s.LinkChanged(up=True))
        await room.until(lambda: room.kiosk.state.link_up)
        room.book("when-offline")
        await room.start()
        await room.until(lambda: room.keeps() == {Keep.PRE_ROLL})
        await room.until(lambda: all(camera.status().packets > 30 for camera in room.cameras.values()))
        assert segments(tmp_path) == set()
        room.kiosk.post(s.LinkChanged(up=False))
        await room.until(lambda: all(camera.status().segment for camera in room.cameras.values()))
        room.kiosk.post(s.LinkChanged(up=True))
        await room.until(lambda: segments(tmp_path) == {".seg"})
        async with asyncio.timeout(10):
            while len(sealed := await room.rows("segment.sealed")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert all(row["frames"] > 30 for row in sealed), "what was seen before the outage was noticed is in it"

    scenario(tmp_path, story)


def test_a_consent_taken_back_in_mid_session_ends_recording_and_not_the_session(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.book("always")
        await room.start()
        await room.until(lambda: room.keeps() == {Keep.ALL})
        now = room.kiosk.clock.now().wall
        room.book("always", consents=(Consent(student="s-0418", revoked_at=now - timedelta(seconds=1)),))
        await room.until(lambda: room.keeps() == {Keep.NOTHING})
        assert room.kiosk.state.phase in {Phase.LIVE, Phase.BUFFERING}
        await room.until(lambda: ".part" not in segments(tmp_path))

    scenario(tmp_path, story)


def test_not_this_student_leaves_nothing_of_the_session_on_the_disk_and_stays_so_over_a_restart(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.book("always")
        await room.start()
        await room.until(lambda: all(camera.status().segment for camera in room.cameras.values()))
        await room.kiosk.ask("not-this-student", "")
        await room.until(lambda: segments(tmp_path) == set())
        async with asyncio.timeout(10):
            while len(await room.rows("segment.destroyed")) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert room.keeps() == {Keep.NOTHING}
        assert await room.kiosk.journal.call(Ledger.wrong_students) == {room.kiosk.state.session.id}  # type: ignore[union-attr]

    scenario(tmp_path, story)


def test_privacy_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.book("always")
        await room.start()
        await room.until(lambda: room.keeps() == {Keep.ALL})
        slow = asyncio.Event()
        append = room.kiosk.journal.append

        async def stuck(facts: Any) -> Any:
            await slow.wait()
            return await append(facts)

        room.kiosk.journal.append = stuck  # type: ignore[method-assign]
        pausing = asyncio.ensure_future(room.pause())
        await room.until(lambda: not any(camera.status().device_open for camera in room.cameras.values()))
        await room.until(lambda: room.keeps() == {Keep.NOTHING})
        await asyncio.sleep(0.6)  # while it waits, readiness is judged by the state that still stands
        assert room.keeps() == {Keep.NOTHING}
        assert room.kiosk.state.phase is not Phase.PAUSED, "it is not shown before it is durable"
        slow.set()
        await pausing
        await room.until(lambda: room.kiosk.state.phase is Phase.PAUSED)

    scenario(tmp_path, story)


def test_another_bookings_card_stops_what_is_written_at_once_and_destroys_nothing(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        room.book("always")
        await room.until(lambda: room.kiosk.state.schedule is not None)
        held = room.kiosk.state.schedule
        assert held is not None
        room.kiosk.post(s.ScheduleSet(held.model_copy(update={"cards": {10: "s-0418", 11: "s-0502"}})))
        await room.start()
        await room.until(lambda: all(camera.status().segment for camera in room.cameras.values()))
        slow = asyncio.Event()
        append = room.kiosk.journal.append

        async def stuck(facts: Any) -> Any:
            await slow.wait()
            return await append(facts)

        room.kiosk.journal.append = stuck  # type: ignore[method-assign]
        room.kiosk.post(s.CardsSeen((11,)))
        await room.until(lambda: room.keeps() == {Keep.NOTHING})
        assert room.kiosk.state.said is None, "it is not shown before it is durable"
        slow.set()
        await room.until(lambda: room.kiosk.state.said is not None)
        await room.until(lambda: ".part" not in segments(tmp_path))
        assert ".seg" in segments(tmp_path), "what was recorded before is kept"
        assert room.vault.permission.reason == "other-card"
        assert await room.rows("student.wrong") == [{"student": "s-0502", "by": "card", "card": 11}]
        await room.vault.recover(frozenset(), await room.kiosk.journal.call(Ledger.wrong_students), None)
        await asyncio.sleep(0.3)
        assert ".seg" in segments(tmp_path), "nor is it destroyed by the next start"
        room.kiosk.post(s.CardsSeen((10,)))
        await room.until(lambda: room.keeps() == {Keep.ALL})
        assert (await room.rows("recording.changed"))[-1] == {"keep": "all", "reason": "always"}

    scenario(tmp_path, story)


def test_a_lamp_that_stays_dark_stops_capture_until_it_shines(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        await room.until(lambda: all(camera.status().state == "open" for camera in room.cameras.values()))
        assert room.panel.camera_lamp
        room.panel.dark = True
        await room.until(lambda: not any(camera.status().device_open for camera in room.cameras.values()))
        (signal,) = room.kiosk.judgement.signals[:1]
        assert (signal.id, signal.severity) == ("lamp.mismatch", "blocked")
        await asyncio.sleep(1)
        assert not any(camera.status().device_open for camera in room.cameras.values()), "it stays so"
        room.panel.dark = False
        await room.until(lambda: all(camera.status().state == "open" for camera in room.cameras.values()))
        assert not any(one.id == "lamp.mismatch" for one in room.kiosk.judgement.signals)

    scenario(tmp_path, story)


def test_the_rungs_of_the_ladder_are_rows_in_a_session_and_only_there(tmp_path: Path) -> None:
    async def story(room: Room) -> None:
        front = room.cameras["front"]
        for in_session in (False, True):
            if in_session:
                await room.start()
            await room.until(lambda: front.status().state == "open")
            before = front.status().restarts
            assert front.worker is not None
            front.worker.kill()
            await room.until(lambda before=before: front.status().restarts > before)  # type: ignore[misc]
            await room.until(lambda: front.status().state == "open")
            assert room.kiosk.last_steps["front"] == "respawn (died)"
        found = await room.rows("camera.recovery")
        assert [(row["role"], row["rung"], row["cause"]) for row in found] == [("front", "respawn", "died")]

    scenario(tmp_path, story)
