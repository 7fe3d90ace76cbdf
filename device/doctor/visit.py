"""The whole visit: every room of the kiosk in turn, and a room that cannot be entered keeps nobody from the next."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from device import health
from device.agent import LEDGER_FILE, Hardware
from device.appliance.waiting import waited_for
from device.doctor import books, kit, machine, papers
from device.doctor.rows import Report, Row, attention, blocked, ok, unknown
from device.netcheck.machine import is_synchronized
from device.netcheck.rows import Mark
from device.netcheck.run import check
from device.selftest import parts
from device.settings import Settings
from wire.settings_file import read_settings
from wire.signal_table import words
from wire.signals import Verdict

_AGENT: Final = "agent"


class Ask(Protocol):
    """What the running agent's page says at a path; None where none answers."""

    def __call__(self, port: int, path: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Practice:
    """What the doctor goes by; the tests' is of their own."""

    ask: Ask
    places: machine.Places = field(default_factory=machine.Places)
    hardware: Hardware = field(default_factory=Hardware)
    network: bool = True
    """Whether to look at the network too, which takes up to ten seconds."""


async def visit(config: Path, practice: Practice) -> Report:
    """Look at everything; changes nothing, and takes at most about twenty seconds.

    Args:
        config: the kiosk's settings, which may not be there.
        practice: what to go by.
    """
    at = practice.places
    rows = [*await asyncio.to_thread(machine.versions, at), *await asyncio.to_thread(machine.units, at)]
    waiting = await asyncio.to_thread(waited_for, config)
    if waiting is not None:
        do = (
            "Apply this kiosk's bundle."
            if waiting.kind == "no-settings"
            else "Put the file right, or apply the bundle anew."
        )
        return Report(None, (*rows, blocked("settings", str(config), waiting.detail.replace(f"{config}: ", ""), do)))
    settings = read_settings(Settings, config)
    told = await asyncio.to_thread(practice.ask, settings.screen.port, "/api/state")
    told = told if isinstance(told, dict) and "readiness" in told else None
    now = practice.hardware.clock.now()
    vitals = await health.look(settings.data_dir, practice.hardware.sensors)
    rows += [ok("settings", str(config), "every key is known"), *_agent(settings, told)]
    rows += await asyncio.to_thread(machine.disks, settings.data_dir, vitals, at)
    rows += [_part("storage", "[recording]", parts.look_at_storage(settings))]
    rows += machine.power(vitals)
    rows += [_clock(practice, parts.look_at_clock(now), told)]
    rows += papers.look_at_papers(settings, now.wall)
    rows += [_part("seal", "[recording] fleet_key", parts.look_at_seal(settings, now))]
    rows += kit.pins(settings, at.dev)
    rows += await kit.cameras(settings, told)
    rows += [_part("sound", "[audio]", parts.look_at_sound(settings, practice.hardware.hearing))]
    rows += await _network(settings, practice)
    rows += await asyncio.to_thread(books.look_at_ledger, settings.data_dir / LEDGER_FILE)
    return Report(settings.kiosk.id, tuple(rows))


def _agent(settings: Settings, told: Mapping[str, Any] | None) -> list[Row]:
    where = f"127.0.0.1:{settings.screen.port}"
    if told is None:
        return [blocked(_AGENT, where, "no agent answers", f"See journalctl -u {machine.AGENT}.")]
    verdict, signals = told["readiness"].get("verdict"), told["readiness"].get("signals", ())
    rows = [ok(_AGENT, where, f"{told.get('state')}, {verdict}, {told.get('backlog', {}).get('rows')} rows to send")]
    for one in signals:
        severity, says = one.get("severity"), words(str(one.get("id")), one.get("role"), "it")
        make = blocked if severity == Verdict.BLOCKED else attention
        rows.append(make(_AGENT, str(one.get("id")), says, f"Since {one.get('since')}; see carrel-kiosk state."))
    return rows


def _part(name: str, where: str, part: parts.Part) -> Row:
    """What the self-test found of a part that it does not have to open."""
    if part.ok:
        return ok(name, where, part.says, **part.facts)
    return blocked(name, where, part.says, "", **part.facts)


def _clock(practice: Practice, part: parts.Part, told: Mapping[str, Any] | None) -> Row:
    set_ = is_synchronized(practice.hardware.network.machine)
    says = f"{part.says}{'' if set_ else '; no time service has set it since the machine booted'}"
    source = ((told or {}).get("time") or {}).get("source")
    says += f"; the agent goes by {source}" if source else ""
    if part.facts["trust"] == "unset":
        return attention("clock", "the machine's", says, "Open UDP 123 to a time server; see carrel-kiosk netcheck.")
    return (
        ok("clock", "the machine's", says, **part.facts)
        if set_
        else unknown("clock", "the machine's", says, **part.facts)
    )


async def _network(settings: Settings, practice: Practice) -> list[Row]:
    if not practice.network:
        return [unknown("network", "carrel-kiosk netcheck", "was left out")]
    found = await check(settings, practice.hardware.network)
    rows = [attention("network", f"{row.name} {row.where}", row.says, row.do) for row in found.troubles]
    fine = sum(row.mark is Mark.OK for row in found.rows)
    return rows or [
        ok("network", "carrel-kiosk netcheck", f"{fine} of {len(found.rows)} looked at are fine, none is not")
    ]
