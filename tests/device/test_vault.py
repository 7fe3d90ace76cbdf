"""The vault: plans follow permissions, segments become rows, and what has to go is gone from the disk (F1, F5)."""

import asyncio
import base64
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from nacl.public import PrivateKey

from device import vault as vaults
from device.cameras.recording import NOTHING, Failed, Keep, Plan, Sealed
from device.cameras.segment_file import SegmentFile
from device.cameras.source import CameraSpec
from device.cameras.supervisor import Camera
from device.session import states as s
from device.session.clock import Instant
from device.session.consent import Permission
from device.session.states import Session
from device.settings import Settings
from device.vault import Vault
from tests.device.cameras.test_recorder import SPEC, pictures
from wire.ledger import ClockTrust, checked

S = 1_000_000_000
KEY = base64.b64encode(bytes(PrivateKey.generate().public_key)).decode()
SESSION = Session("a-session", None, frozenset(("overhead",)), 10**18)
ALL, NONE = Permission(Keep.ALL, "always"), Permission(Keep.NOTHING, "policy")


@dataclass
class StandIn:
    """A camera that takes plans and follows them at once."""

    spec: CameraSpec = SPEC
    plans: list[Plan] = field(default_factory=list)
    pid: int | None = 7
    follows: bool = True

    def record(self, plan: Plan) -> None:
        self.plans.append(plan)

    def status(self) -> "StandIn":
        return self

    @property
    def plan(self) -> int:
        return self.plans[-1].number if self.plans and self.follows else 0


class Clock:
    def __init__(self) -> None:
        self.at = Instant(500 * S, datetime(2026, 3, 2, 9, tzinfo=UTC), "boot-1", ClockTrust.SYNCED)

    def now(self) -> Instant:
        return self.at


class Kiosk:
    def __init__(self, folder: Path, **recording: Any) -> None:
        self.settings = Settings.model_validate(
            {
                "data_dir": folder,
                "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
                "link": {"urls": ["mqtt://127.0.0.1:1"]},
                "cameras": {"overhead": {"uri": "scene:desk"}, "front": {"uri": "scene:student"}},
                "recording": {"fleet_key": KEY, **recording},
            }
        )
        self.clock, self.posted = Clock(), cast("list[s.Noted]", [])
        self.cameras = {"overhead": StandIn(), "front": StandIn()}
        self.folder = folder / "segments"
        self.vault = Vault(self.settings, self.clock, cast("dict[str, Camera]", self.cameras), self._post)

    def _post(self, event: s.Event) -> None:
        assert isinstance(event, s.Noted)
        checked(event.type, event.data)  # every row fits its type
        self.posted.append(event)

    def follow(self, permission: Permission, session: Session | None = SESSION) -> None:
        self.vault.follow(permission, session, self.clock.now())

    def rows(self, type_: str) -> list[dict[str, Any]]:
        return [one.data for one in self.posted if one.type == type_]

    @property
    def plan(self) -> Plan:
        return self.cameras["overhead"].plans[-1] if self.cameras["overhead"].plans else NOTHING

    def keeps(self) -> Keep:
        return self.plan.keep

    def record(
        self, seconds: float, *, finish: bool, role: str = "overhead", session: str = "a-session"
    ) -> Sealed | str:
        """Write a segment as a camera's worker would; unfinished, as one that died."""
        plan = replace(
            self.plan, keep=Keep.ALL, folder=str(self.folder), fleet_key=KEY, kiosk="lincoln-12", campus="lincoln",
            session=session, boot="boot-1", clock="synced", at=self.clock.at.wall.isoformat(),
            mono_ns=self.clock.at.mono_ns, anchor_ns=100 * S,
        )  # fmt: skip
        packets = pictures(seconds)
        file = SegmentFile(plan, replace(SPEC, role=role), packets[0])
        for packet in packets:
            file.add(packet)
        if finish:
            return file.finish()
        file.abandon()
        return file.segment

    def files(self) -> set[str]:
        return {path.name for path in self.folder.rglob("*") if path.is_file()}

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def kiosk_in(folder: Path, **recording: Any) -> AsyncIterator[Kiosk]:
    """A kiosk whose vault has had its first look."""
    kiosk = Kiosk(folder, **recording)
    running = asyncio.create_task(kiosk.vault.run())
    await kiosk.until(lambda: kiosk.vault.holdings.room_bytes is not None)
    try:
        yield kiosk
    finally:
        running.cancel()
        await asyncio.wait({running})
        await kiosk.vault.close()


def test_both_cameras_follow_what_is_allowed_and_a_change_is_a_row(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            kiosk.follow(NONE)
            assert kiosk.keeps() is Keep.NOTHING
            kiosk.follow(ALL)
            kiosk.follow(ALL)
            assert [plan.keep for plan in kiosk.cameras["front"].plans] == [Keep.ALL]
            assert kiosk.cameras["front"].plans == kiosk.cameras["overhead"].plans
            assert (kiosk.plan.session, kiosk.plan.kiosk, kiosk.plan.fleet_key) == ("a-session", "lincoln-12", KEY)
            kiosk.follow(NONE)
            assert kiosk.keeps() is Keep.NOTHING
            assert [(row["keep"], row["reason"]) for row in kiosk.rows("recording.changed")] == [
                ("all", "always"), ("nothing", "policy"),
            ]  # fmt: skip

    asyncio.run(scenario())


def test_a_clock_that_is_set_gives_a_plan_with_the_new_time_and_nothing_else_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            kiosk.follow(ALL)
            for _ in range(3):
                kiosk.follow(ALL)
            assert len(kiosk.cameras["front"].plans) == 1
            kiosk.clock.at = replace(kiosk.clock.at, wall=kiosk.clock.at.wall + timedelta(hours=1))
            kiosk.follow(ALL)
            kiosk.follow(ALL)
            assert [plan.at[11:13] for plan in kiosk.cameras["front"].plans] == ["09", "10"]

    asyncio.run(scenario())


def test_without_a_key_or_an_hours_room_nothing_is_recorded_and_the_reason_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path / "one", fleet_key="") as kiosk:
            kiosk.follow(ALL)
            assert (kiosk.keeps(), kiosk.vault.permission.reason) == (Keep.NOTHING, "no-key")
        hour_gb = kiosk.vault.bytes_per_s * 3600 / 1e9
        async with kiosk_in(tmp_path / "two", quota_gb=hour_gb * 0.98) as kiosk:
            kiosk.follow(ALL)
            assert (kiosk.keeps(), kiosk.vault.permission.reason) == (Keep.NOTHING, "no-room")
        async with kiosk_in(tmp_path / "three", quota_gb=hour_gb * 1.02) as kiosk:
            kiosk.follow(ALL)
            assert kiosk.keeps() is Keep.ALL
            kiosk.vault.holdings = replace(kiosk.vault.holdings, room_bytes=round(hour_gb * 0.5e9))
            kiosk.follow(ALL)
            assert kiosk.keeps() is Keep.ALL, "what has begun goes on"
            kiosk.follow(NONE, None)
            kiosk.follow(ALL, replace(SESSION, id="the-next"))
            assert kiosk.keeps() is Keep.NOTHING, "another session does not begin with half an hour of room"

    asyncio.run(scenario())


def test_before_the_disk_was_looked_at_nothing_is_recorded(tmp_path: Path) -> None:
    kiosk = Kiosk(tmp_path)
    kiosk.follow(ALL)
    assert kiosk.keeps() is Keep.NOTHING


def test_a_sealed_segment_is_one_row_with_its_whole_manifest(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            one = kiosk.record(3, finish=True)
            assert isinstance(one, Sealed)
            kiosk.vault.told(one)
            (row,) = kiosk.rows("segment.sealed")
            assert {row["segment"], row["hash"]} == {one.segment, one.hash}
            assert (row["ms"], row["frames"], row["started_boot"], row["clock"]) == (3000, 60, "boot-1", "synced")
            kiosk.vault.told(Failed("front", "No space left on device"))
            assert kiosk.rows("recording.failed") == [{"role": "front", "reason": "No space left on device"}]
            await kiosk.until(lambda: kiosk.vault.holdings.segments == 1)
            assert kiosk.vault.holdings.bytes == one.bytes

    asyncio.run(scenario())


def test_what_a_dead_worker_was_writing_is_kept_and_the_next_workers_file_is_left_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            dead, other = kiosk.record(3, finish=False), kiosk.record(2, finish=False, role="front")
            kiosk.vault.buried("overhead", None)
            young = kiosk.record(1, finish=False)
            await kiosk.until(lambda: kiosk.rows("segment.recovered"))
            (row,) = kiosk.rows("segment.recovered")
            assert (row["segment"], row["reason"]) == (dead, "worker")
            assert 2_500 <= row["ms"] <= 3_000
            assert kiosk.files() == {f"{dead}.seg", f"{other}.part", f"{young}.part"}

    asyncio.run(scenario())


def test_after_a_power_cut_everything_whole_is_kept_and_what_was_lost_is_said(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = Kiosk(tmp_path)
        cut, told = before.record(3, finish=False), before.record(2, finish=True)
        forgotten = before.record(1, finish=True, role="front")
        assert isinstance(told, Sealed)
        assert isinstance(forgotten, Sealed)
        await before.vault.close()
        alive = before.clock.at.earlier(before.clock.at.mono_ns + 3_200_000_000)
        async with kiosk_in(tmp_path) as kiosk:
            await kiosk.vault.recover(frozenset({told.segment}), frozenset(), alive)
            (row,) = kiosk.rows("segment.recovered")
            assert (row["segment"], row["reason"]) == (cut, "power")
            assert row["lost_ms"] == 3_200 - row["ms"]
            (row,) = kiosk.rows("segment.sealed")
            assert (row["segment"], row["hash"], row["reason"]) == (forgotten.segment, forgotten.hash, "found")
            assert kiosk.files() == {f"{cut}.seg", f"{told.segment}.seg", f"{forgotten.segment}.seg"}
            count = len(kiosk.posted)
            await kiosk.vault.recover(frozenset(), frozenset(), alive)
            assert kiosk.posted[count:] == [], "each is written down once"

    asyncio.run(scenario())


def test_a_corrupt_segment_is_set_aside_told_of_and_blocks_no_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = Kiosk(tmp_path)
        bad, good = before.record(3, finish=True), before.record(2, finish=True)
        assert isinstance(bad, Sealed)
        assert isinstance(good, Sealed)
        await before.vault.close()
        path = before.folder / f"{bad.segment}.seg"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        async with kiosk_in(tmp_path) as kiosk:
            await kiosk.vault.recover(frozenset({bad.segment, good.segment}), frozenset(), None)
            await kiosk.until(lambda: kiosk.rows("segment.recovered"))
            (row,) = kiosk.rows("segment.recovered")
            assert row["segment"] == bad.segment
            assert "quarantined" in row["reason"]
            assert (kiosk.folder / "quarantine" / path.name).read_bytes() == data
            assert (kiosk.folder / f"{good.segment}.seg").exists()

    asyncio.run(scenario())


def test_not_this_student_destroys_what_was_recorded_once_no_recorder_writes_it_any_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            kiosk.follow(ALL)
            mine, open_one = kiosk.record(3, finish=True), kiosk.record(2, finish=False)
            others = kiosk.record(2, finish=True, session="another")
            assert isinstance(mine, Sealed)
            assert isinstance(others, Sealed)
            wrapped = (kiosk.folder / f"{mine.segment}.seg").read_bytes()[:600]
            kiosk.cameras["front"].follows = False
            kiosk.follow(Permission(Keep.NOTHING, "not-this-student"))
            await asyncio.sleep(0.2)
            assert f"{open_one}.part" in kiosk.files(), "a recorder may still write it"
            kiosk.cameras["front"].follows = True
            await kiosk.until(lambda: len(kiosk.rows("segment.destroyed")) == 2)
            assert kiosk.files() == {f"{others.segment}.seg"}
            assert {row["reason"] for row in kiosk.rows("segment.destroyed")} == {"not-this-student"}
            assert not any(wrapped in path.read_bytes() for path in kiosk.folder.rglob("*") if path.is_file())

    asyncio.run(scenario())


def test_a_power_cut_before_the_destruction_only_delays_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = Kiosk(tmp_path)
        before.record(3, finish=True)
        before.record(2, finish=False)
        await before.vault.close()
        async with kiosk_in(tmp_path) as kiosk:
            await kiosk.vault.recover(frozenset(), frozenset({"a-session"}), None)
            await kiosk.until(lambda: len(kiosk.rows("segment.destroyed")) == 2)
            assert kiosk.files() == set()

    asyncio.run(scenario())


def test_old_segments_go_by_age_and_the_oldest_for_a_running_recording_each_with_its_row(tmp_path: Path) -> None:
    async def scenario() -> None:
        before = Kiosk(tmp_path)
        found: list[Sealed] = []
        for hours in (400, 300, 200):
            before.clock.at = replace(
                before.clock.at, wall=datetime(2026, 3, 2, 9, tzinfo=UTC) - timedelta(hours=hours),
                mono_ns=(1_000 - hours) * S,
            )  # fmt: skip
            one = before.record(3, finish=True)
            assert isinstance(one, Sealed)
            found.append(one)
        await before.vault.close()
        async with kiosk_in(tmp_path) as kiosk:
            kiosk.clock.at = replace(kiosk.clock.at, boot="boot-2")
            kiosk.vault.told(Failed("front", "look again"))
            await kiosk.until(lambda: kiosk.rows("segment.destroyed"))
            assert [(row["segment"], row["reason"]) for row in kiosk.rows("segment.destroyed")] == [
                (found[0].segment, "age")
            ]
            kiosk.follow(ALL)
            kiosk.vault._of = kiosk.settings.model_copy(
                update={
                    "recording": kiosk.settings.recording.model_copy(update={"quota_gb": found[1].bytes * 1.5 / 1e9})
                }
            )
            kiosk.vault.told(Failed("front", "look again"))
            await kiosk.until(lambda: len(kiosk.rows("segment.destroyed")) >= 2)
            assert kiosk.rows("segment.destroyed")[1] == {
                "segment": found[1].segment, "role": "overhead", "bytes": found[1].bytes, "reason": "storage",
            }  # fmt: skip

    asyncio.run(scenario())


def test_a_shelf_that_cannot_be_read_records_nothing_and_stops_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with kiosk_in(tmp_path) as kiosk:
            kiosk.follow(ALL)
            assert kiosk.keeps() is Keep.ALL
            shutil.rmtree(kiosk.folder)
            kiosk.vault.told(Failed("front", "look again"))
            await kiosk.until(lambda: kiosk.vault.holdings.room_bytes is None)
            kiosk.follow(ALL)
            assert (kiosk.keeps(), kiosk.vault.permission.reason) == (Keep.NOTHING, "no-room")

    asyncio.run(scenario())


@pytest.mark.parametrize("key", ["bm8=", "not base64!", base64.b64encode(bytes(32)).decode()])
def test_a_key_that_is_none_is_refused_with_the_settings(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="segment-key"):
        Kiosk(tmp_path, fleet_key=key)


def test_the_looks_are_often_enough_for_a_card_that_fills() -> None:
    assert vaults.GO_ON_S > 2 * vaults.LOOK_EVERY_S
