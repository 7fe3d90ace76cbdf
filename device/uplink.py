"""What the kiosk says to the fleet, and what it does at the fleet's word."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from device import commands
from device.errors import CommandRefused, LedgerUnwritable, Refused
from device.health import Sensors, Vitals, look
from device.kiosk import Kiosk
from device.link import ECHO_EVERY_S, ECHO_IN_SESSION_S, Life, Link
from device.outbox import Outbox
from device.preflight.looks import Looks
from device.release import VERSION
from device.session import states as s
from device.session.journal import Journal
from device.session.ledger import Ledger
from device.snapshot import CameraView, Snapshot
from device.uploader import Uploader
from device.wear_count import WearCount
from device.worksheet_still import SealedStill, sealed_still
from wire.calls import HELP_ANSWERED, HelpAnswered
from wire.codec import encode, read, validate
from wire.errors import BadPayload
from wire.messages import Command, Config, Health, LedgerAck, Presence, PresenceState, Readiness, Reply
from wire.schedule import Schedule
from wire.topics import Channel
from wire.uploads import UploadTicket

_log = logging.getLogger(__name__)

HEALTH_EVERY_S: Final = 15.0


class Uplink:
    """Birth, readiness, health, ledger and replies up; schedule, acknowledgements and commands down."""

    def __init__(self, kiosk: Kiosk, journal: Journal, sensors: Sensors | None = None) -> None:
        self._kiosk, self._journal, self._sensors = kiosk, journal, sensors or Sensors()
        of = kiosk.settings
        self.outbox = Outbox(journal, self._publish_ledger)
        self.link = Link(
            of.link, of.kiosk.campus, of.kiosk.id, life=self._life, on_message=self._take, on_change=self._link_changed,
            on_time=kiosk.clock.heard,
        )  # fmt: skip
        self.looks = Looks(kiosk, journal, self.link.echo, lambda: kiosk.senses.sound.facts if kiosk.senses else None)
        self._birth = 0
        self._said: tuple[Any, ...] = ()
        self._wear = WearCount(journal, of.data_dir, self._sensors.diskstats)
        self.uploader = (
            Uploader(kiosk, kiosk.vault, journal, self.link, self.outbox.written) if kiosk.vault is not None else None
        )
        self._commands: asyncio.Queue[Command] = asyncio.Queue(16)

    async def run_readiness(self) -> None:
        """Say what the kiosk thinks of itself, at once on each change, until cancelled."""
        while True:
            snapshot = self._kiosk.snapshot()
            in_session = snapshot.state.phase in s.IN_SESSION
            self.link.echo_every_s = ECHO_IN_SESSION_S if in_session else ECHO_EVERY_S
            self.outbox.written()
            said = (
                snapshot.verdict,
                [(one.id, one.role, one.severity, one.since, one.outranked) for one in snapshot.signals],
                snapshot.state.phase,
                snapshot.state.session.id if snapshot.state.session else None,
                snapshot.preflight.last,
            )
            if said != self._said and self.link.up and self._publish_readiness(snapshot):
                self._said = said
            await self._kiosk.changed(HEALTH_EVERY_S)

    async def run_health(self) -> None:
        """Look at the machine every 15 s and say so, until cancelled."""
        while True:
            vitals = replace(await look(self._kiosk.settings.data_dir, self._sensors), wear=await self._wear.look())
            self._kiosk.vitals = vitals
            oldest = await self._journal.call(Ledger.oldest_unacked)
            self._kiosk.oldest_unacked_at = oldest.at if oldest else None
            self._kiosk.backlog_bytes = await self._journal.call(Ledger.backlog_bytes)
            snapshot = self._kiosk.snapshot()
            self.link.publish(Channel.HEALTH, encode(self._health(snapshot, vitals)), qos=0)
            if self.link.up:
                self._publish_readiness(snapshot)  # said again with its present age
            await asyncio.sleep(HEALTH_EVERY_S)

    async def run_commands(self) -> None:
        """Carry out what the fleet asked, one at a time, until cancelled; a look of seconds holds up no other."""
        look: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            while True:
                command = await self._commands.get()
                if command.name == "preflight" and (look is None or look.done()):
                    look = tasks.create_task(self._reply_to(command), name="kiosk.commands.preflight")
                else:
                    await self._reply_to(command)

    async def _reply_to(self, command: Command) -> None:
        self.link.publish(Channel.REPLY, encode(await self._answer(command)), qos=1)

    async def reconnect(self) -> str:
        """Have the link begin anew, as a remedy; what was done, in words."""
        self.link.reconnect()
        return "the connection was closed; the next address is tried within seconds"

    async def say_goodbye(self) -> None:
        """Tell the fleet that this kiosk is switched off on purpose."""
        await self.link.say_goodbye(encode(self._presence(PresenceState.OFFLINE)))

    async def _life(self) -> Life:
        """Commit the next birth, so that no death of an earlier connection can count for the coming one."""
        try:
            self._birth = await self._journal.call(_next_birth)
        except LedgerUnwritable as error:  # a fleet that hears of a full disk is worth a birth that may come twice
            _log.warning("%s; it counts in memory only", error)
            self._birth = max(self._birth, await self._journal.call(_last_birth)) + 1
        return Life(encode(self._presence(PresenceState.ONLINE)), encode(self._presence(PresenceState.OFFLINE)))

    def _presence(self, state: PresenceState) -> Presence:
        boot = self._kiosk.clock.now().boot
        return Presence(state=state, birth=self._birth, boot=boot, version=VERSION, epoch=self._journal.epoch)

    def _link_changed(self, up: bool, reason: str) -> None:  # noqa: FBT001  # the link's own callback
        self._kiosk.link_since = self._kiosk.clock.now().wall
        self._kiosk.post(s.LinkChanged(up, reason))
        self._said = ()
        self.outbox.link(up=up)
        _log.info("the fleet answers") if up else _log.warning("link down: %s", reason)

    async def _take(self, channel: Channel, payload: bytes) -> None:
        match channel:
            case Channel.LEDGER_ACK:
                await self.outbox.take_ack(read(LedgerAck, payload))
                self._kiosk.tell_news()  # fewer rows wait
            case Channel.SCHEDULE:
                schedule = read(Schedule, payload)
                held = self._kiosk.state.schedule
                if held is None or schedule.as_of >= held.as_of:
                    try:
                        await self._journal.call(_keeps("schedule", schedule.model_dump(mode="json")))
                    except LedgerUnwritable as error:  # it is sent again within the hour, and at every connection
                        _log.warning("%s; it counts until the next boot", error)
                    self._kiosk.post(s.ScheduleSet(schedule))
            case Channel.UPLOAD_TICKET:
                if self.uploader is not None:
                    self.uploader.take_ticket(read(UploadTicket, payload))
            case Channel.CONFIG:
                if self._kiosk.senses is not None:
                    self._kiosk.senses.desired = read(Config, payload)
            case Channel.COMMAND:
                self._queue(read(Command, payload))
            case _:
                _log.debug("nothing to do for a message on %s", channel)

    def _queue(self, command: Command) -> None:
        try:
            self._commands.put_nowait(command)
        except asyncio.QueueFull:
            _log.warning("a command was dropped: %d wait already", self._commands.qsize())

    async def _answer(self, command: Command) -> Reply:
        """Run it, write it down, and say how it went; a still is let go if it may not be sent in that very moment."""
        error = commands.refusal(command, epoch=self._journal.epoch, now=self._kiosk.clock.now())
        done: dict[str, Any] | SealedStill | None = None
        detail: str | None = None
        try:
            if error is None and not await self._journal.call(_first_time(command.id)):
                error = "repeated"
            if error != "repeated":
                try:
                    done = None if error else await self._carry_out(command)
                    await self._write_down(command, error, done)
                    if isinstance(done, SealedStill):
                        done.require()
                except CommandRefused as refused:
                    done, error, detail = None, refused.reason, str(refused)[:200]
                    await self._write_down(command, error, done)
        except LedgerUnwritable as refused:  # what cannot be remembered could not be kept from running twice
            _log.warning("command %s: %s", command.name, refused)
            done = None if isinstance(done, SealedStill) else done
            error = error or (None if done else "storage")
        result = done.result if isinstance(done, SealedStill) else done
        return Reply(id=command.id, ok=error is None, result=result, error=error, detail=detail)

    async def _write_down(self, command: Command, error: str | None, done: object) -> None:
        ran = {"id": command.id, "name": command.name, "ok": error is None, "error": error}
        fact = s.Fact("command.run", ran, None, self._kiosk.clock.now())
        await self._journal.append([done.fact, fact] if isinstance(done, SealedStill) else [fact])
        self.outbox.written()

    async def _carry_out(self, command: Command) -> dict[str, Any] | SealedStill:
        if command.name == "identify":
            self._kiosk.identify()
            return {"shown_s": 15}
        if command.name in {"netcheck", "tone"}:
            return await self._sense(command.name)
        if command.name == "still":
            return await sealed_still(self._kiosk, self._kiosk.settings.recording.fleet_key, command.id, command.args)
        if command.name == HELP_ANSWERED:
            return await self._hear_answer(command)
        looked = (await self.looks.asked()).model_dump(mode="json")
        said = _readiness(self._kiosk.snapshot()).model_dump(mode="json", exclude={"preflight"})
        cameras = {one["role"]: one["evidence"].get("state") for one in looked["checks"] if one["name"] == "camera"}
        return {**said, **looked, "cameras": cameras}

    async def _hear_answer(self, command: Command) -> dict[str, Any]:
        """Somebody answers the room's call for an adult: on the screen once it is in the ledger."""
        try:
            await self._kiosk.tell(s.HelpAnswered(validate(HelpAnswered, command.args)))
        except BadPayload as error:
            raise CommandRefused("bad_args", str(error)) from error
        except Refused as error:
            raise CommandRefused("no_call", str(error)) from error
        return {"shown": True}

    async def _sense(self, name: str) -> dict[str, Any]:
        senses = self._kiosk.senses
        if senses is None:
            raise CommandRefused("not-here", "this kiosk has nothing to look with")
        if name == "netcheck":
            return (await senses.network.look()).json()
        await senses.sound.play_asked(self._kiosk.state, self._kiosk.clock.now())
        return {"played": True}

    def _health(self, snapshot: Snapshot, vitals: Vitals) -> Health:
        said = _health(snapshot, vitals, self.link, self._kiosk.last_steps)
        return said.model_copy(update={"ledger_answers_refused": self.outbox.answers_refused})

    def _publish_readiness(self, snapshot: Snapshot) -> bool:
        return self.link.publish(Channel.READINESS, encode(_readiness(snapshot)), qos=1, retain=True)

    def _publish_ledger(self, payload: bytes) -> bool:
        return self.link.publish(Channel.LEDGER, payload, qos=1)


def _readiness(snapshot: Snapshot) -> Readiness:
    session = snapshot.state.session
    return Readiness(
        verdict=snapshot.verdict,
        signals=snapshot.signals,
        at=snapshot.at.wall,
        state=snapshot.state.phase.value,
        session=session.id if session else None,
        room=snapshot.place.room,
        preflight=snapshot.preflight.last,
    )


def _health(snapshot: Snapshot, vitals: Vitals, link: Link, steps: Mapping[str, str]) -> Health:
    power, wear, clock = vitals.throttling, vitals.wear, snapshot.clock
    return Health(
        at=snapshot.at.wall,
        uptime_s=vitals.uptime_s,
        temperature_c=vitals.temperature_c,
        undervoltage_now=power.undervoltage_now if power else None,
        undervoltage_since_boot=power.undervoltage_since_boot if power else None,
        throttled_now=power.throttled_now if power else None,
        throttled_since_boot=power.throttled_since_boot if power else None,
        cpu_load_1m=vitals.cpu_load_1m,
        memory_used_share=vitals.memory_used_share,
        storage_free_bytes=vitals.storage_free_bytes,
        storage_total_bytes=vitals.storage_total_bytes,
        agent_rss_bytes=vitals.agent_rss_bytes,
        clock=snapshot.at.trust.value,
        clock_source=clock.source.value if clock else None,
        clock_off_s=None if clock is None or clock.off is None else round(clock.off.total_seconds(), 3),
        link_round_trip_ms=link.round_trip_ms,
        backlog_rows=snapshot.backlog_rows,
        model=vitals.model,
        cameras={role: _camera(view, steps.get(role)) for role, view in snapshot.cameras.items()},
        segments=snapshot.recording.segments,
        segment_bytes=snapshot.recording.bytes,
        recording_room_bytes=snapshot.recording.room_bytes,
        storage_written_today_bytes=wear.today_bytes if wear else None,
        storage_written_bytes=wear.total_bytes if wear else None,
        storage_years_left=wear.years_left if wear else None,
        cameras_set_up_at=snapshot.setup.at,
        cameras_set_up_by=snapshot.setup.by,
    )


def _camera(view: CameraView, last_step: str | None) -> dict[str, Any]:
    return {
        "state": view.state,
        "fps": view.fps,
        "last_frame_age_s": view.last_frame_age_s,
        "native": None if view.native is None else asdict(view.native),
        "px_per_mm": None if view.mat is None else view.mat.get("px_per_mm"),
        "restarts": view.restarts,
        "lost": view.lost,
        "last_step": last_step,
    }


def _last_birth(ledger: Ledger) -> int:
    return int(ledger.kept("birth") or 0)


def _next_birth(ledger: Ledger) -> int:
    birth = _last_birth(ledger) + 1
    ledger.keep("birth", birth)
    return birth


def _keeps(key: str, value: Any) -> Callable[[Ledger], None]:
    return lambda ledger: ledger.keep(key, value)


def _first_time(command: str) -> Callable[[Ledger], bool]:
    return lambda ledger: ledger.first_time(command)
