"""The whole network check: everything at once where one does not need the other, ten seconds at most."""

import asyncio
import secrets
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from device.netcheck import machine as local
from device.netcheck import probes, verdicts
from device.netcheck.dns import Answer, Outcome, Resolver
from device.netcheck.machine import Machine
from device.netcheck.probes import Knock, Reach
from device.netcheck.rows import Mark, Result, Row
from device.netcheck.targets import Target, names, targets, time_servers
from device.settings import Settings

RESOLVE_WITHIN_S: Final = 3.0
PROBE_WITHIN_S: Final = 3.0
_TEST_NET: Final = "192.0.2.1"
"""For documentation only (RFC 5737): what way the machine would send there tells its address, and nothing is sent."""
_KNOCKS: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """What the running agent knows by its own link."""

    median_ms: float | None = None
    lost_share: float | None = None
    upload_bps: int | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What the check stands on; tests and lab hand it others."""

    machine: Machine = field(default_factory=Machine)
    resolver: Resolver = field(default_factory=Resolver)


async def check(settings: Settings, world: World | None = None, figures: Figures | None = None) -> Result:
    """Look at everything between this kiosk and its fleet; takes at most about 10 s and never raises.

    Args:
        settings: the kiosk's; only addresses in them are asked.
        world: the machine.
        figures: of the running agent's own link; None where none runs.
    """
    begun = time.monotonic()
    world, figures = world or World(), figures or Figures()
    rows = await asyncio.to_thread(_of_machine, world.machine)
    found, name_rows = await _resolve(settings, world.resolver)
    here = targets(settings)
    reached, portal_rows, time_rows = await asyncio.gather(
        _knock(here, found), _portals(here, found), _times(settings, world, found)
    )
    knocked, tls_rows = reached, await _hands(settings, here, found, reached)
    rows += name_rows + portal_rows + time_rows + _ports(here, knocked) + tls_rows
    rows.append(_round_trip(here, knocked, figures))
    rows.append(verdicts.of_upload(figures.upload_bps, needed_bps(settings)))
    return Result(tuple(rows), round(time.monotonic() - begun, 1))


def needed_bps(settings: Settings) -> int:
    """What both cameras send while somebody watches, bits per second."""
    return settings.cameras.overhead.bitrate_bps + settings.cameras.front.bitrate_bps


def _of_machine(machine: Machine) -> list[Row]:
    address = probes.our_address(_TEST_NET)
    return [
        verdicts.of_ports(local.ports(machine)),
        verdicts.of_address(address, local.lease(machine)),
        verdicts.of_proxy(local.proxy(machine)),
    ]


async def _resolve(settings: Settings, resolver: Resolver) -> tuple[dict[str, Answer], list[Row]]:
    """Addresses by host, those that need no resolver too, and what there is to say."""
    named = names(settings)
    made_up = [f"carrel-{secrets.token_hex(4)}.{name}" for name in named]
    answers = await asyncio.gather(*(resolver.resolve(name, RESOLVE_WITHIN_S) for name in (*named, *made_up)))
    found = dict(zip(named, answers, strict=False))
    rows = [
        verdicts.of_name(name, found[name], invented)
        for name, invented in zip(named, answers[len(named) :], strict=True)
    ]
    for one in (*targets(settings), *time_servers(settings)):
        if not one.has_name:
            found[one.host] = Answer(Outcome.OK, ("127.0.0.1" if one.host == "localhost" else one.host,))
    return found, rows


async def _knock(here: Sequence[Target], found: dict[str, Answer]) -> dict[Target, list[Knock]]:
    async def knocks(target: Target) -> list[Knock]:
        addresses = found[target.host].addresses
        if not addresses:
            return []
        first = await probes.knock(addresses[0], target.port, PROBE_WITHIN_S)
        if first.reach is not Reach.OPEN:
            return [first]
        return [first, *[await probes.knock(addresses[0], target.port, PROBE_WITHIN_S / 3) for _ in range(_KNOCKS - 1)]]

    return dict(zip(here, await asyncio.gather(*map(knocks, here)), strict=True))


def _ports(here: Sequence[Target], knocked: dict[Target, list[Knock]]) -> list[Row]:
    is_open = {target: bool(knocks) and knocks[0].reach is Reach.OPEN for target, knocks in knocked.items()}
    return [
        verdicts.of_knock(
            target,
            knocked[target][0],
            others_open=any(is_open[one] for one in here if one != target and one.purpose == target.purpose),
        )
        for target in here
        if knocked[target]
    ]


async def _portals(here: Sequence[Target], found: dict[str, Answer]) -> list[Row]:
    """Plain HTTP at the fleet's hosts: on port 80, or where the settings say http:// themselves (the lab)."""
    asked = {one.host: (one.port if one.scheme == "http" else 80, one) for one in here if one.purpose != "broker"}
    asked |= {one.host: (80, one) for one in here if one.host not in asked and one.has_name}

    async def portal(port: int, target: Target) -> Row | None:
        addresses = found[target.host].addresses
        if not addresses:
            return None
        page = await probes.ask_page(target.host, addresses[0], port, "/healthz", PROBE_WITHIN_S)
        return verdicts.of_portal(Target(target.purpose, target.host, port), page)

    rows = await asyncio.gather(*(portal(port, target) for port, target in asked.values()))
    return [row for row in rows if row is not None]


async def _times(settings: Settings, world: World, found: dict[str, Answer]) -> list[Row]:
    synchronized = local.is_synchronized(world.machine)
    servers = time_servers(settings)

    async def ask(target: Target) -> Row:
        addresses = found[target.host].addresses
        said = await probes.ask_time(addresses[0], target.port, PROBE_WITHIN_S) if addresses else None
        return verdicts.of_time(target, said, synchronized=synchronized)

    if not servers:
        return [verdicts.of_time(None, None, synchronized=synchronized)]
    rows = await asyncio.gather(*map(ask, servers))
    if any(row.mark is Mark.OK for row in rows):
        return [row if row.mark is Mark.OK else _spare(row) for row in rows]
    return list(rows)


async def _hands(
    settings: Settings, here: Sequence[Target], found: dict[str, Answer], knocked: dict[Target, list[Knock]]
) -> list[Row]:
    reached = [one for one in here if one.tls and knocked[one] and knocked[one][0].reach is Reach.OPEN]
    of = settings.link

    async def shake(target: Target) -> Row:
        is_broker = target.purpose == "broker"
        ca = of.ca if is_broker else settings.upload.ca or of.ca
        context = await asyncio.to_thread(
            probes.trust, ca, of.certificate if is_broker else None, of.key if is_broker else None
        )
        if not isinstance(context, ssl.SSLContext):
            return Row("tls", target.where, Mark.TROUBLE, f"The kiosk's own papers cannot be read: {context}",
                       "Check ca, certificate and key under [link] in kiosk.toml.")  # fmt: skip
        said = await probes.shake_hands(target, found[target.host].addresses[0], context, PROBE_WITHIN_S / 2)
        return verdicts.of_hands(target, said)

    return list(await asyncio.gather(*map(shake, reached)))


def _round_trip(here: Sequence[Target], knocked: dict[Target, list[Knock]], figures: Figures) -> Row:
    if figures.median_ms is not None:
        return verdicts.of_round_trip(figures.median_ms, figures.lost_share, "the fleet, by its answers")
    for target in here:
        took = [one.took_ms for one in knocked[target] if one.took_ms is not None]
        if took:
            lost = 1 - len(took) / len(knocked[target])
            return verdicts.of_round_trip(round(median(took), 1), round(lost, 2), f"{target.where}, by connecting")
    return verdicts.of_round_trip(None, None, "the fleet")


def _spare(row: Row) -> Row:
    """A time server that is not needed, because another one answers."""
    return Row(row.name, row.where, Mark.UNKNOWN, "No answer; another one answers.", facts=row.facts)
