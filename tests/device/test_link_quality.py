"""What the echoes say of the line, and the measured upload over a real broker."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device.link import Life, Link
from device.link_quality import ENOUGH, WINDOW, LinkQuality
from device.settings import LinkSettings
from lab.relay import Relay, Way
from tests.broker import running_mosquitto
from tests.device.tiny_fleet import TinyFleet
from wire.codec import encode
from wire.messages import Presence, PresenceState


def heard(*answers: float | None) -> LinkQuality:
    quality = LinkQuality()
    for number, took_ms in enumerate(answers):
        quality.asked(number)
        if took_ms is not None:
            quality.answered(number, took_ms)
    return quality


def test_too_few_tell_nothing() -> None:
    assert heard(10, 20, 30, 40).median_ms is None
    assert heard(10, 20, 30, 40, None).lost_share is None


def test_the_newest_may_still_be_on_its_way() -> None:
    assert heard(10, 20, 30, 40, 50, None).lost_share == 0.0
    assert heard(10, None, 30, 40, 50, None).lost_share == 0.2


def test_another_connection_begins_anew() -> None:
    quality = heard(10, 20, 30, 40, 50)
    quality.forget()
    assert quality.median_ms is None
    quality.answered(4, 10)
    assert quality.median_ms is None


@given(st.lists(st.none() | st.floats(0, 5_000), max_size=40))
def test_figures_are_of_the_last_minute_only(answers: list[float | None]) -> None:
    quality, newest = heard(*answers), answers[-WINDOW:]
    took = [one for one in newest if one is not None]
    assert (quality.median_ms is None) is (len(took) < ENOUGH)
    if quality.median_ms is not None:
        assert min(took) - 0.1 <= quality.median_ms <= max(took) + 0.1
    assert quality.lost_share is None or 0 <= quality.lost_share <= 1


def _is_up(link: Link) -> bool:
    return link.up


async def _becomes(link: Link, *, up: bool) -> None:
    async with asyncio.timeout(30):
        while _is_up(link) is not up:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.needs_mosquitto
def test_upload_is_measured_and_a_slow_line_is_found_slow() -> None:
    async def life() -> Life:
        both = (PresenceState.ONLINE, PresenceState.OFFLINE)
        return Life(*(encode(Presence(state=one, birth=1, boot="b", version="0")) for one in both))

    async def take(_channel: object, _payload: bytes) -> None:
        return None

    async def story(broker_port: int) -> None:
        relay = Relay(broker_port)
        await relay.start()
        settings = LinkSettings(urls=(f"mqtt://127.0.0.1:{relay.port}",))
        link = Link(settings, "lincoln", "lincoln-12", life=life, on_message=take, on_change=lambda _up, _reason: None)
        running = asyncio.ensure_future(link.run())
        try:
            await _becomes(link, up=True)
            assert (await link.measure_upload(2_000_000) or 0) >= 2_000_000
            relay.cut(Way.LATE)
            slow = await link.measure_upload(6_000_000)
            assert slow is not None
            assert slow < 6_000_000
            assert _is_up(link)
            relay.cut(Way.RESET)
            await _becomes(link, up=False)
            assert await link.measure_upload(2_000_000) is None
        finally:
            running.cancel()
            await asyncio.wait({running})
            await relay.stop()

    with running_mosquitto() as broker, TinyFleet(broker.port):
        asyncio.run(story(broker.port))
