"""When the agent looks at the network, and that it measures nothing while a session runs; the page and the command."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from device import cli
from device.link_quality import LinkQuality
from device.netcheck.dns import Resolver
from device.netcheck.machine import Machine
from device.netcheck.run import World
from device.netcheck.watch import AGAIN_S, EVERY_S, NetWatch
from device.screen.netcheck_page import NetcheckPage
from device.screen.page import Page
from device.settings import Settings
from tests.broker import free_port
from tests.device.netcheck import network as net


class Line:
    """A link that counts how often it is measured."""

    def __init__(self, bps: int = 9_000_000) -> None:
        self.up, self.quality, self.bps, self.measured = True, LinkQuality(), bps, 0

    async def measure_upload(self, enough_bps: int) -> int | None:
        assert enough_bps == 2_000_000
        self.measured += 1
        return self.bps


def watching(
    settings: Settings, line: Line, story: Callable[[NetWatch], Awaitable[None]], *, in_session: bool = False
) -> None:
    machine = Machine(ports=settings.data_dir, leases=(), synchronized=settings.data_dir, environment={})
    world = World(machine, Resolver(servers=[], only_these=True))
    asyncio.run(_awaited(story(NetWatch(settings, world, line, lambda: in_session))))


async def _awaited(coming: Awaitable[None]) -> None:
    await coming


def test_upload_is_measured_outside_sessions_only(tmp_path: Path) -> None:
    with net.answering(net.closing) as broker:
        settings = net.settings(tmp_path, link={"urls": [f"mqtt://127.0.0.1:{broker}"]})

        async def outside(watch: NetWatch) -> None:
            found = await watch.look()
            assert found.upload_bps == 9_000_000
            assert await watch.in_words() == "Nothing is wrong with the network as far as it can be seen from here."

        async def inside(watch: NetWatch) -> None:
            assert (await watch.look()).upload_bps is None

        line, busy = Line(), Line()
        watching(settings, line, outside)
        watching(settings, busy, inside, in_session=True)
    assert line.measured == 2
    assert busy.measured == 0


def test_two_who_ask_at_once_have_one_look(tmp_path: Path) -> None:
    line = Line()

    async def story(watch: NetWatch) -> None:
        first, second = await asyncio.gather(watch.look(), watch.look())
        assert first is second

    watching(net.settings(tmp_path), line, story)
    assert line.measured == 1


def test_it_is_time_each_hour_sooner_while_something_is_found_and_never_in_a_session(tmp_path: Path) -> None:
    with net.answering(net.says("HTTP/1.1 511 x\r\n\r\n")) as fleet:
        settings = net.settings(tmp_path, network={"fleet_url": f"http://127.0.0.1:{fleet}"})

        async def story(watch: NetWatch) -> None:
            assert watch._is_time(came_up=True), "the first look"
            await watch.look()
            assert watch.result is not None
            assert watch.result.filtered
            assert watch._looked_at is not None
            assert not watch._is_time(came_up=False)
            assert watch._is_time(came_up=True), "what was found is looked at anew when the link is back"
            watch._looked_at -= AGAIN_S
            assert watch._is_time(came_up=False)

        watching(settings, Line(), story)

        async def calm(watch: NetWatch) -> None:
            await watch.look()
            assert watch._looked_at is not None
            watch._looked_at -= AGAIN_S
            assert not watch._is_time(came_up=True)
            watch._looked_at -= EVERY_S
            assert watch._is_time(came_up=False)

        async def in_session(watch: NetWatch) -> None:
            assert not watch._is_time(came_up=True)

    with net.answering(net.closing) as broker:
        well = net.settings(tmp_path, link={"urls": [f"mqtt://127.0.0.1:{broker}"]})
        watching(well, Line(), calm)
        watching(well, Line(), in_session, in_session=True)


def test_the_page_shows_the_rules_at_once_and_what_was_found_when_it_was(tmp_path: Path) -> None:
    with net.answering(net.says("HTTP/1.1 302 x\r\nLocation: http://login.example/<b>\r\n\r\n")) as fleet:
        settings = net.settings(tmp_path, network={"fleet_url": f"http://127.0.0.1:{fleet}"})

        async def story(watch: NetWatch) -> None:
            app = FastAPI()
            NetcheckPage(settings, watch, Page()).add_to(app)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://kiosk") as client:
                before = (await client.get("/netcheck")).text
                assert f"127.0.0.1:{fleet}" in before
                assert "It has not looked yet" in before
                assert (await client.get("/api/netcheck")).status_code == 404
                await watch.look()
                after = (await client.get("/netcheck")).text
                assert "a captive portal" in after
                assert "<b>" not in after
                rows = (await client.get("/api/netcheck")).json()["rows"]
                assert {row["name"] for row in rows} >= {"link", "address", "portal", "port", "upload"}

        watching(settings, Line(), story)


def _toml(tmp_path: Path, broker: int) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text(
        f'data_dir = "{tmp_path}"\n[kiosk]\nid = "lincoln-12"\ncampus = "lincoln"\n[screen]\nport = {free_port()}\n'
        f'[link]\nurls = ["mqtt://127.0.0.1:{broker}"]\n[cameras.overhead]\nuri = "scene:desk"\n'
        '[cameras.front]\nuri = "scene:student"\n'
    )
    return path


def test_the_command_prints_rows_and_fails_when_something_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = free_port()
    assert cli.main(["netcheck", "--json", "--config", str(_toml(tmp_path, closed))]) == 1
    told = capsys.readouterr()
    found = json.loads(told.out)
    assert found["ok"] is False
    assert [row["where"] for row in found["rows"] if row["name"] == "port"] == [f"127.0.0.1:{closed}"]
    assert told.err.splitlines()[-1].endswith(f"port 127.0.0.1:{closed}")
    assert cli.main(["netcheck", "--rules", "--config", str(_toml(tmp_path, closed))]) == 0
    assert f"TCP 127.0.0.1:{closed}" in capsys.readouterr().out
    assert cli.main(["netcheck", "--config", str(_toml(tmp_path, closed))]) == 1
    assert "If the fleet runs, let TCP port" in capsys.readouterr().out
