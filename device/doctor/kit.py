"""The kit around the machine: pins as they are drawn, cameras that are there. Neither is opened."""

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from device.board import board_model
from device.cameras.ladder import CameraState
from device.cameras.uri import parse_uri
from device.doctor.rows import Row, attention, blocked, ok, unknown
from device.kit import kit
from device.selftest.camera import libcamera_id
from device.session.states import ROLES
from device.settings import Settings

_PINS: Final = ("button_pin", "lamp_pin", "camera_lamp_pin", "overhead_shutter_pin", "front_shutter_pin")
_HELD: Final = frozenset({CameraState.OPEN, CameraState.OPENING})
_MENDS: Final = frozenset({CameraState.STALLED, CameraState.RESTARTING})


def pins(settings: Settings, dev: Path = Path("/dev")) -> list[Row]:
    """Whether the settings' pins are the kit's, each for one thing, and whether this machine has any."""
    set_, drawn = settings.panel, kit().panel
    used = {name: getattr(set_, name) for name in _PINS if getattr(set_, name) is not None}
    where = "[panel] in kiosk.toml"
    twice = sorted({pin for pin in used.values() if list(used.values()).count(pin) > 1})
    says = ", ".join(f"{name.removesuffix('_pin')} BCM {pin}" for name, pin in used.items())
    if twice:
        rows = [blocked("pins", where, f"BCM {', '.join(map(str, twice))} stands for two things: {says}",
                        "Give each its own pin, as hardware/README.md draws them.")]  # fmt: skip
    elif other := [name for name, pin in used.items() if pin != getattr(drawn, name)]:
        rows = [attention("pins", where, f"{says}; not as the kit is wired: {', '.join(other)}",
                          "Right only if this kiosk is wired in another way; else leave [panel] out.")]  # fmt: skip
    else:
        rows = [ok("pins", where, says)]
    chips, model = sorted(one.name for one in dev.glob("gpiochip*")), board_model()
    if chips:
        rows.append(ok("pins", str(dev), f"{', '.join(chips)} on {model or 'an unnamed board'}"))
    elif (model or "").startswith("Raspberry Pi"):
        rows.append(
            blocked("pins", str(dev), "this Pi shows no GPIO", "Look into dmesg; update the kernel's packages.")
        )
    else:
        rows.append(unknown("pins", str(dev), f"no GPIO on {model or 'this machine'}"))
    return rows


async def cameras(settings: Settings, told: Mapping[str, Any] | None) -> list[Row]:
    """Whether both cameras are there.

    Args:
        settings: the kiosk's.
        told: what the running agent says of itself; None where none runs.
    """
    rows = []
    for role in ROLES:
        uri = settings.cameras.spec(role).uri
        said = (told or {}).get("cameras", {}).get(role)
        state = said.get("state") if isinstance(said, dict) else None
        # A closed camera tells nothing, so it is looked for as if no agent ran.
        rows.append(await _as_found(role, uri) if state in {None, "closed"} else _as_told(role, uri, str(state)))
    return rows


def _as_told(role: str, uri: str, state: str) -> Row:
    if state in _HELD:
        return ok(role, uri, f"the agent has it {state}")
    says, do = f"the agent finds it {state}", "Check its cable; carrel-kiosk state says what was tried."
    return attention(role, uri, says, do) if state in _MENDS else blocked(role, uri, says, do)


async def _as_found(role: str, uri: str) -> Row:
    parsed = parse_uri(uri)
    match parsed.scheme:
        case "scene":
            return attention(role, uri, "draws its picture itself: nobody is seen",
                             f"Name the real camera under [cameras.{role}] in kiosk.toml.")  # fmt: skip
        case "picamera2":
            return await _pi_camera(role, uri, parsed.target)
        case _:
            return _file(role, uri, Path(parsed.target))


def _file(role: str, uri: str, path: Path) -> Row:
    if path.exists():
        return ok(role, uri, f"is there{f', it is {path.resolve()}' if path.is_symlink() else ''}")
    listed = ", ".join(sorted(str(one) for one in Path("/dev/v4l/by-path").glob("*-index0"))) or "no camera"
    return blocked(role, uri, f"is not there; this machine lists {listed}",
                   f"Plug it in where it was, or change uri under [cameras.{role}].")  # fmt: skip


async def _pi_camera(role: str, uri: str, wanted: str) -> Row:
    try:
        found = await asyncio.to_thread(libcamera_id, wanted)
    except subprocess.CalledProcessError as error:
        last = (error.stderr or "").strip().splitlines()[-1:] or ["it does not say why"]
        return blocked(role, uri, f"libcamera does not list it: {last[0][:200]}",
                       "Switch the kiosk off, seat the ribbon at both ends, and switch it on.")  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return blocked(role, uri, f"libcamera does not answer: {error}", "Switch the kiosk off and on.")
    return ok(role, uri, f"libcamera lists {found}")
