"""What a kiosk has besides cameras: disk, key, pins and clock, each looked at once."""

import contextlib
import io
import logging
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gpiozero.exc import PinFactoryFallback

from device.agent import Hardware
from device.audio.cards import cards, found
from device.audio.sound import Hearing
from device.board import board_model
from device.cameras.crypt import Sealer, fleet_key
from device.cameras.errors import CameraError
from device.errors import PanelError, ShelfError
from device.gestures import Gesture
from device.panel import Panel
from device.segments import Shelf
from device.session.clock import Instant
from device.session.states import ROLES
from device.settings import Settings
from device.vault import BEGIN_S
from wire.errors import WireError
from wire.ledger import ClockTrust
from wire.segments import Kind, SegmentFacts, key_id, scan

_log = logging.getLogger(__name__)

_PROBE_BYTES: Final = 64 * 1024
_PIECES: Final = ((Kind.INIT, 0, 0), (Kind.FRAGMENT, 0, 250), (Kind.END, 250, 0))
_PIECE_BYTES: Final = 100_000
"""About what a quarter of a second of 3 Mbit/s takes."""
_TRUST: Final = {
    ClockTrust.UNSET: "not set since power-on, or not believed; it sets itself when there is a network",
    ClockTrust.HELD: "set, and no time source vouches for it now",
    ClockTrust.SYNCED: "set by a time source",
}


@dataclass(frozen=True, slots=True)
class Part:
    """What was found of anything but a camera."""

    says: str
    """One line for people; when it is not ok: what is wrong, where, and what to do."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True

    def json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"ok": self.ok, "says": self.says, **self.facts}


def look_at_storage(settings: Settings) -> Part:
    """Whether the disk can be written, and has room for an hour of both cameras."""
    folder, of = settings.data_dir, settings.recording
    needed = round(BEGIN_S / 8 * sum(settings.cameras.spec(role).bitrate_bps for role in ROLES))
    facts: dict[str, Any] = {"folder": str(folder), "writable": False, "room_bytes": None, "hour_bytes": needed}
    try:
        with _as_found(folder):
            _write_a_little(folder)
            facts["writable"] = True
            room = facts["room_bytes"] = Shelf(folder / "segments").room(of.quota_bytes, of.reserve_bytes)
    except OSError as error:
        return _broken(f"{folder} cannot be written ({error.strerror}); check data_dir in kiosk.toml", facts)
    except ShelfError as error:
        return _broken(str(error), facts)
    says = (
        f"{folder} has room for {room / 1e9:.1f} GB of video, and an hour of both cameras takes {needed / 1e9:.1f} GB"
    )
    if room >= needed:
        return Part(says, facts)
    if not of.fleet_key:
        return Part(f"{says}; nothing is recorded here, so that is enough", facts)
    return _broken(f"{says}; free some space, or change quota_gb or reserve_gb under [recording]", facts)


def look_at_seal(settings: Settings, now: Instant) -> Part:
    """Whether what this kiosk seals has the form that the fleet opens; sealed in memory, never from a camera."""
    if not settings.recording.fleet_key:
        return Part("no key of the fleet is configured: nothing is ever recorded here", {"key_id": None})
    spec = settings.cameras.spec(ROLES[0])
    about = SegmentFacts(
        segment=str(uuid.uuid4()), kiosk=settings.kiosk.id, campus=settings.kiosk.campus, session="selftest",
        role=spec.role, width=spec.width, height=spec.height, fps=spec.fps, boot=now.boot, mono_ns=now.mono_ns,
        at=now.wall, clock=now.trust,
    )  # fmt: skip
    try:
        key = fleet_key(settings.recording.fleet_key)
        sealer = Sealer(about, key)
        file = sealer.header + b"".join(sealer.seal(*one, os.urandom(_PIECE_BYTES)) for one in _PIECES)
        scanned = scan(io.BytesIO(file))
    except (CameraError, WireError) as error:
        return _broken(f"{error} (fleet_key under [recording] in kiosk.toml)", {"key_id": None})
    facts = {"key_id": key_id(key)}
    is_whole = scanned.ended and scanned.hash == sealer.hash and len(scanned.records) == len(_PIECES)
    if not is_whole or scanned.header.key_id != key_id(key):
        return _broken(f"what was sealed here is damaged: {scanned.damage or 'not what it was'}", facts)
    return Part(f"video can be sealed for the fleet's key {key_id(key)}", facts)


def look_at_sound(settings: Settings, hearing: Hearing) -> Part:
    """Whether microphone and loudspeaker are listed under their USB ids; neither is opened."""
    of = settings.audio
    if not of.fitted:
        return Part("no microphone or loudspeaker belongs to this kit", {"fitted": False})
    known = cards(hearing.root)
    if known is None:
        return _broken("this machine has no ALSA; load the driver of its sound", {"fitted": True})
    microphone, speaker = found(known, of.microphone, "capture"), found(known, of.speaker, "play")
    facts = {"fitted": True, "microphone": microphone and microphone.name, "speaker": speaker and speaker.name}
    missing = [name for name, one in (("microphone", microphone), ("loudspeaker", speaker)) if one is None]
    if missing:
        listed = ", ".join(f"{one.name} ({one.usb_id or 'no USB'})" for one in known) or "no sound card at all"
        return _broken(f"no {' and no '.join(missing)} is plugged in; this machine lists {listed}", facts)
    return Part(f"microphone {facts['microphone']} and loudspeaker {facts['speaker']} are plugged in", facts)


def look_at_clock(now: Instant) -> Part:
    """How far the clock is to be trusted. A kiosk without a network yet is no broken one."""
    says = f"{now.wall:%Y-%m-%d %H:%M:%S} UTC, {_TRUST[now.trust]}"
    return Part(says, {"trust": now.trust.value, "at": now.wall.isoformat()})


@contextlib.contextmanager
def panel(settings: Settings, hardware: Hardware, *, agent_runs: bool) -> Iterator[Part]:
    """The pins, with the cameras' lamp lit for as long as this lasts: a camera may be open."""
    if agent_runs:
        yield Part("the running agent holds button and lamps", {"fitted": None})
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PinFactoryFallback)  # a machine without pins is no reason for four lines
            pins = Panel(settings.panel, _heard, hardware.pin_factory)
    except PanelError as error:
        is_pi = (board_model() or "").startswith("Raspberry Pi")
        says = f"{error}; stop what else uses these pins, and put this user into the group gpio"
        yield _broken(says, {"fitted": False}) if is_pi else Part("no button or lamps here", {"fitted": False})
        return
    pins.start()
    try:
        pins.show_cameras(open_=True)
        facts = {"fitted": True, "camera_lamp": pins.camera_lamp}
        if pins.camera_lamp:
            yield Part("button and lamps can be had", facts)
        else:
            yield _broken(f"the cameras' lamp on BCM {settings.panel.camera_lamp_pin} does not light", facts)
    finally:
        pins.show_cameras(open_=False)
        pins.stop()


def _broken(says: str, facts: Mapping[str, Any]) -> Part:
    return Part(says, facts, ok=False)


def _heard(gesture: Gesture) -> None:
    _log.debug("the button: %s", gesture.kind)


def _write_a_little(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(_PROBE_BYTES))
        probe.flush()
        os.fsync(probe.fileno())


@contextlib.contextmanager
def _as_found(folder: Path) -> Iterator[None]:
    """Take away the folders that are made meanwhile: made by another user, they would be closed to the agent."""
    innermost = folder / "segments" / "quarantine"
    missing = [one for one in (innermost, *innermost.parents) if not one.exists()]
    try:
        yield
    finally:
        for one in missing:
            with contextlib.suppress(OSError):  # it was never made, or somebody uses it by now
                one.rmdir()
