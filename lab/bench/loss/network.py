"""Brokers, fleets and networks that break in mid-stream: every row arrives once, none is acknowledged and not kept."""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from lab.bench.loss.parts import Parts, emptied, trouble, until
from lab.bench.loss.table import Row, Table
from lab.relay import Relay, Way

_KIOSKS: Final = 3
_ROWS_PER_S: Final = 120.0


def broker_kills(table: Table, folder: Path, kills: int) -> None:
    """Kill the broker that often, each time in mid-stream."""
    name = "broker killed in mid-stream (kill -9)"
    if why := trouble():
        table.skip(name, why)
        return
    chance = random.Random(3)
    early = 0
    with Parts(emptied(folder)) as parts:
        parts.start_fleet()
        parts.start_kiosks(_KIOSKS, _ROWS_PER_S)
        for _ in range(kills):
            before = parts.acked
            until(lambda before=before: parts.acked > before, "rows flow")  # type: ignore[misc]  # bound now
            time.sleep(chance.uniform(0.0, 0.2))
            parts.kill_broker()
            early += parts.acked_but_not_held()
            parts.start_broker()
        parts.finish()
        lost, doubled, facts = parts.compare()
    note = f"{_KIOSKS} kiosks writing; acknowledged and not kept: {early}; retries hastened to 0.3 s"
    table.add(Row(name, kills, "kills", lost + early, doubled, facts, note))


def fleet_kills(table: Table, folder: Path, kills: int, how: str = "before-answer") -> None:
    """Kill the fleet that often after it committed rows and before it answered."""
    name = "fleet killed between store and acknowledgement"
    if why := trouble():
        table.skip(name, why)
        return
    chance = random.Random(4)
    early = 0
    with Parts(emptied(folder)) as parts:
        parts.start_kiosks(_KIOSKS, _ROWS_PER_S)
        for _ in range(kills):
            parts.start_fleet(how, chance.randint(1, 4))
            assert parts.fleet is not None
            parts.fleet.wait(60)
            time.sleep(0.1)  # an answer that is on its way arrives
            early += parts.acked_but_not_held()
        parts.start_fleet()
        parts.finish()
        lost, doubled, facts = parts.compare()
    note = f"{_KIOSKS} kiosks writing; acknowledged and not kept: {early}"
    table.add(
        Row(name + ("" if how == "before-answer" else f" ({how})"), kills, "kills", lost + early, doubled, facts, note)
    )


def bad_networks(table: Table, folder: Path, rounds: int, each_s: float) -> None:
    """Break the network in each way again and again, for some seconds, with rows under way."""
    if why := trouble():
        table.skip("networks that break", why)
        return
    for way in Way:
        with Parts(emptied(folder)) as parts, Relayed(parts.port) as network:
            parts.start_fleet()
            parts.start_kiosks(_KIOSKS, _ROWS_PER_S, network.port)
            for _ in range(rounds):
                before = parts.acked
                until(lambda before=before: parts.acked > before, f"rows flow after {way}")  # type: ignore[misc]  # bound now
                network.do(lambda relay, way=way: relay.cut(way))  # type: ignore[misc]  # bound now
                time.sleep(each_s)
                network.do(Relay.restore)
            parts.finish()
            early = parts.acked_but_not_held()
            lost, doubled, facts = parts.compare()
        table.add(Row(f"network: {way.words}", rounds, f"times {each_s:g} s", lost + early, doubled, facts))


class Relayed:
    """A relay on a loop of its own."""

    def __init__(self, to_port: int) -> None:
        self._relay = Relay(to_port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._relay.start(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._relay.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._relay.port

    def do(self, what: Callable[[Relay], None]) -> None:
        """Do something to the network."""
        self._loop.call_soon_threadsafe(what, self._relay)
