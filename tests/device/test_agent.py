"""The agent whole: real broker, real ledger file, real camera workers, mock pins; only the fleet is a small one."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from device import agent
from device.errors import StartError
from device.session.ledger import Ledger
from device.settings import Settings
from lab.broker import start_broker
from lab.clock import LabClock
from lab.demo import free_port
from lab.kit import Hand, SimulatedKit
from tests.device.tiny_fleet import TinyFleet
from wire.codec import encode, read
from wire.messages import Command, LedgerAck, Readiness, Reply
from wire.preflight import Preflight
from wire.schedule import Schedule
from wire.topics import Channel, Topic

pytestmark = pytest.mark.needs_mosquitto
EPOCH_BEGAN = datetime(1970, 1, 1, tzinfo=UTC)


class Running:
    """A running agent, with its hands, its clock, its page and its fleet."""

    def __init__(self, settings: Settings, kit: SimulatedKit, clock: LabClock, fleet: TinyFleet) -> None:
        self.settings, self.kit, self.clock, self.fleet = settings, kit, clock, fleet

    async def hand(self, what: Hand) -> None:
        await asyncio.to_thread(self.kit.move, what, self.settings.panel)

    async def state(self) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.settings.screen.port}/api/state", timeout=5) as answer:
                return dict(json.load(answer))

        return await asyncio.to_thread(ask)

    async def act(self, name: str, value: str) -> None:
        """A tap on the screen."""
        address = f"http://127.0.0.1:{self.settings.screen.port}"
        body = json.dumps({"name": name, "value": value}).encode()
        request = urllib.request.Request(f"{address}/api/action", body, {"Origin": address})
        await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=5).close())

    async def until(self, true: Callable[[dict[str, Any]], Any], within_s: float = 20) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(urllib.error.URLError):
                    found = await self.state()
                    if true(found):
                        return found
                await asyncio.sleep(0.05)

    async def command(self, **changes: Any) -> Reply:
        told = Command(
            id=uuid.uuid4().hex, name="identify", expires_at=datetime.now(UTC) + timedelta(seconds=30), epoch=self.epoch
        ).model_copy(update=changes)
        before = len(self.fleet.of(Channel.REPLY))
        self.fleet.send(self.topic(Channel.COMMAND), encode(told))
        async with asyncio.timeout(20):
            while len(self.fleet.of(Channel.REPLY)) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        reply = read(Reply, self.fleet.of(Channel.REPLY)[-1])
        assert reply.id == told.id
        return reply

    def topic(self, channel: Channel) -> Topic:
        return Topic(self.settings.kiosk.campus, self.settings.kiosk.id, channel)

    def kept(self, name: str) -> Any:
        """What the ledger keeps beside its rows."""
        ledger = Ledger.open(self.settings.data_dir / agent.LEDGER_FILE)
        try:
            return ledger.kept(name)
        finally:
            ledger.close()

    @property
    def epoch(self) -> str:
        ledger = Ledger.open(self.settings.data_dir / agent.LEDGER_FILE)
        try:
            return ledger.epoch
        finally:
            ledger.close()


def settings_in(folder: Path, broker_port: int) -> Settings:
    camera = {"width": 320, "height": 180, "fps": 10}
    return Settings.model_validate(
        {
            "data_dir": folder / "data",
            "kiosk": {"id": "lincoln-12", "campus": "lincoln"},
            "link": {"urls": [f"mqtt://127.0.0.1:{broker_port}"]},
            "screen": {"port": free_port()},
            "cameras": {
                "idle": "closed",
                "overhead": {"uri": "scene:desk", **camera},
                "front": {"uri": "scene:student", **camera},
            },
        }
    )


@contextlib.asynccontextmanager
async def broker_and_fleet(folder: Path) -> AsyncIterator[tuple[int, TinyFleet]]:
    broker = await start_broker(folder, free_port())
    fleet = await asyncio.to_thread(TinyFleet, broker.port)
    try:
        yield broker.port, fleet
    finally:
        await asyncio.to_thread(fleet.__exit__, None, None, None)
        await broker.stop()


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    async with broker_and_fleet(folder) as (port, fleet), agent_in(settings_in(folder, port), fleet) as found:
        yield found


@contextlib.asynccontextmanager
async def agent_in(
    settings: Settings, fleet: TinyFleet, boot: str = "boot-1", clock: LabClock | None = None
) -> AsyncIterator[Running]:
    kit, clock = SimulatedKit(), clock or LabClock(boot, time.monotonic_ns())
    task = asyncio.ensure_future(agent.run(settings, agent.Hardware(clock=clock, pin_factory=kit.pin_factory)))
    found = Running(settings, kit, clock, fleet)
    try:
        await found.until(lambda state: state["state"] == "idle" and state["link"]["up"])
        yield found
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(task, 15)


def scenario(folder: Path, story: Callable[[Running], Awaitable[None]]) -> None:
    async def run() -> None:
        async with running(folder) as found:
            await story(found)

    asyncio.run(run())


def test_cameras_are_opened_by_the_press_and_closed_after_the_end(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        assert (await on.state())["camera_lamp"] is False
        await on.hand(Hand.PRESS)
        live = await on.until(lambda state: state["state"] == "live")
        assert live["camera_lamp"]
        assert {one["state"] for one in live["cameras"].values()} == {"open"}
        await asyncio.sleep(6)
        await on.hand(Hand.HOLD)
        await on.until(lambda state: state["state"] == "idle")
        await on.until(lambda state: not state["camera_lamp"])
        await on.until(lambda state: state["backlog"]["rows"] == 0)
        types = [on.fleet.rows[seq] for seq in sorted(on.fleet.rows)]
        assert sorted(on.fleet.rows) == list(range(1, len(types) + 1))
        assert types.count("camera.opened") == types.count("camera.closed") == 2

    scenario(tmp_path, story)


def test_m4_m5_a_command_runs_once_in_time_and_for_this_epoch_only(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        assert (await on.command()).ok
        late = await on.command(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert (late.ok, late.error) == (False, "expired")
        assert (await on.command(epoch=str(uuid.uuid4()))).error == "wrong_epoch"
        assert (await on.command(name="reboot")).error == "unknown_command"
        same = uuid.uuid4().hex
        assert (await on.command(id=same)).ok
        assert (await on.command(id=same)).error == "repeated"
        looked = await on.command(name="preflight")
        assert looked.result is not None
        assert looked.result["cameras"] == {"overhead": "open", "front": "open"}
        closed = await on.until(lambda state: not state["camera_lamp"])
        told = Preflight.model_validate(looked.result)
        assert {one.ok for one in told.checks if one.name == "link"} == {True}
        assert closed["preflight"] == {"looking": False, "last": told.model_dump(mode="json")}
        async with asyncio.timeout(10):
            while read(Readiness, on.fleet.of(Channel.READINESS)[-1]).preflight != told:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await on.hand(Hand.PRESS)
        await on.until(lambda state: state["session"])
        refused = await on.command(name="preflight")
        assert (refused.ok, refused.error) == (False, "in-session")
        assert refused.detail == "A session runs at this kiosk; nothing disturbs it. Ask again when it is over."

    scenario(tmp_path, story)


def test_who_answers_a_call_is_told_by_a_command_and_is_durable(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        answer = {"by_role": "point-person", "by": "pp-17"}
        early = await on.command(name="help-answered", args=answer)
        assert (early.ok, early.error) == (False, "no_call")
        await on.act("help", "adult")
        wrong = await on.command(name="help-answered", args={"by_role": "Mrs. Lane"})
        assert (wrong.ok, wrong.error) == (False, "bad_args")
        late = await on.command(name="help-answered", args=answer, expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert late.error == "expired"
        told = await on.command(name="help-answered", args=answer)
        assert (told.ok, told.result) == (True, {"shown": True})
        await on.until(lambda state: state["backlog"]["rows"] == 0)
        types = [on.fleet.rows[seq] for seq in sorted(on.fleet.rows)]
        assert [one for one in types if one.startswith("help.")] == ["help.called", "help.answered"]

    scenario(tmp_path, story)


def test_a_look_of_seconds_holds_up_no_other_command(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        asked = [
            Command(
                id=uuid.uuid4().hex, name=name, expires_at=datetime.now(UTC) + timedelta(seconds=30), epoch=on.epoch
            )
            for name in ("preflight", "identify")
        ]
        for one in asked:
            on.fleet.send(on.topic(Channel.COMMAND), encode(one))
        async with asyncio.timeout(30):
            while len(on.fleet.of(Channel.REPLY)) < len(asked):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        replies = [read(Reply, one) for one in on.fleet.of(Channel.REPLY)]
        assert [(one.id, one.ok) for one in replies] == [(asked[1].id, True), (asked[0].id, True)]

    scenario(tmp_path, story)


def since_1970() -> LabClock:
    """A kiosk that was switched on without a battery and without NTP."""
    return LabClock("boot-1", time.monotonic_ns(), EPOCH_BEGAN - datetime.now(UTC), synchronized=False)


def has(state: dict[str, Any], signal: str) -> bool:
    return any(one["id"] == signal for one in state["readiness"]["signals"])


def test_t1_with_an_unset_clock_only_harmless_commands_run(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            broker_and_fleet(tmp_path) as (port, fleet),
            agent_in(settings_in(tmp_path, port), fleet, clock=since_1970()) as on,
        ):
            await on.until(lambda state: has(state, "clock.unset"))
            assert (await on.command(expires_at=datetime(1999, 1, 1, tzinfo=UTC))).ok
            assert (await on.command(name="still")).error == "clock_untrusted"

    asyncio.run(run())


def test_t4_without_ntp_the_kiosk_goes_by_the_fleets_time(tmp_path: Path) -> None:
    async def run() -> None:
        async with broker_and_fleet(tmp_path) as (port, fleet):
            fleet.wrong = timedelta(0)
            async with agent_in(settings_in(tmp_path, port), fleet, clock=since_1970()) as on:
                found = await on.until(lambda state: state["clock"] == "synced")
                assert found["time"]["source"] == "fleet"
                assert abs(datetime.fromisoformat(found["at"]) - datetime.now(UTC)) < timedelta(seconds=5)
                assert datetime.fromisoformat(found["time"]["shows"]).year == 1970
                late = await on.command(expires_at=datetime.now(UTC) - timedelta(seconds=5))
                assert late.error == "expired", "expiries are judged again"
                await on.until(lambda _state: "clock.set" in fleet.rows.values())

    asyncio.run(run())


def test_t5_a_jump_of_five_years_is_refused_and_told_until_the_fleet_says_the_same(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        five_years = timedelta(days=5 * 365)
        on.clock.set(five_years)
        found = await on.until(lambda state: state["time"]["refused"] == "jumped" and state["clock"] == "held")
        assert found["time"]["source"] == "carried"
        assert abs(datetime.fromisoformat(found["at"]) - datetime.now(UTC)) < timedelta(seconds=5)
        assert (await on.command()).ok, "not expired: the liar judges nothing"
        await on.until(lambda _state: "clock.set" in on.fleet.rows.values())
        on.fleet.wrong = five_years
        found = await on.until(lambda state: state["clock"] == "synced")
        assert (found["time"]["source"], found["time"]["refused"]) == ("ntp", None)
        assert datetime.fromisoformat(found["at"]) - datetime.now(UTC) > timedelta(days=1_800)

    scenario(tmp_path, story)


def test_readiness_is_said_at_once_and_a_schedule_is_kept_through_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        async with broker_and_fleet(tmp_path) as (port, fleet):
            await story(settings_in(tmp_path, port), fleet)

    async def story(settings: Settings, fleet: TinyFleet) -> None:
        async with agent_in(settings, fleet) as on:
            fleet.send(on.topic(Channel.SCHEDULE), encode(Schedule(revision=7, as_of=datetime.now(UTC))))
            await on.until(lambda _state: bool(fleet.of(Channel.READINESS)))
            assert read(Readiness, fleet.of(Channel.READINESS)[-1]).state == "idle"
            await on.until(lambda _state: on.kept("schedule") is not None)
            await on.hand(Hand.PRESS)
            await on.until(lambda state: state["state"] == "idle")  # a schedule without a booking: the screen asks
        async with agent_in(replace_port(settings), fleet, boot="boot-2") as on:
            await on.hand(Hand.PRESS)
            await asyncio.sleep(0.5)
            assert (await on.state())["state"] == "idle"
            await on.hand(Hand.PRESS)
            await on.until(lambda state: state["state"] in {"starting", "live"})

    asyncio.run(run())


def test_a_fork_opens_a_new_epoch_and_everything_from_there_arrives_again(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        await on.until(lambda state: state["backlog"]["rows"] == 0)
        before = on.epoch
        on.fleet.send(on.topic(Channel.LEDGER_ACK), encode(LedgerAck(epoch=before, fork_at=2)))
        async with asyncio.timeout(10):
            while on.epoch == before:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await on.until(lambda state: state["backlog"]["rows"] == 0)
        assert "ledger.forked" in on.fleet.rows.values()

    scenario(tmp_path, story)


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    async def run() -> None:
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = settings_in(tmp_path, 1)
        with pytest.raises(StartError, match=rf"port {port} .*choose another with port = \.\.\. under \[screen\]"):
            await agent.run(
                settings.model_copy(update={"screen": settings.screen.model_copy(update={"port": port})}),
                replace(agent.Hardware(), pin_factory=SimulatedKit().pin_factory),
            )
        server.close()
        await server.wait_closed()

    asyncio.run(run())


def replace_port(settings: Settings) -> Settings:
    return settings.model_copy(update={"screen": settings.screen.model_copy(update={"port": free_port()})})


def test_f1_a_disk_that_refuses_ends_neither_link_nor_agent_when_a_schedule_comes(tmp_path: Path) -> None:
    async def story(on: Running) -> None:
        holder = sqlite3.connect(on.settings.data_dir / agent.LEDGER_FILE, isolation_level=None)
        holder.execute("begin immediate")  # nothing else can be written until it ends
        told = Schedule(revision=9, as_of=datetime.now(UTC), bookings=())
        on.fleet.send(on.topic(Channel.SCHEDULE), encode(told))
        await asyncio.sleep(7)
        holder.execute("rollback")
        holder.close()
        reply = await on.command()
        assert reply.ok, "the link still hears"

    scenario(tmp_path, story)
