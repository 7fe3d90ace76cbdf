"""The courier: each notice leaves, is tried again while it is not taken, and says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.channels import Mail, Port, Webhook
from fleet.courier import CLAIM, FIRST_WAIT_S, GIVE_UP, LONGEST_WAIT_S, Courier, wait_s
from fleet.notice_settings import Smtp, WebhookRules
from fleet.notices import Channel, Notice
from lab.sinks import MailSink, WebhookSink, in_thread
from tests.fleet.incidents.desk import ALWAYS, breaks, route, told
from tests.fleet.serving import until
from tests.fleet.world import Fleet, Kiosk, running_fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    with running_fleet(tmp_path, school_hours=ALWAYS) as running:
        yield running


@pytest.fixture
def mails() -> Iterator[MailSink]:
    sink = MailSink()
    with in_thread(sink):
        yield sink


@contextmanager
def courier(fleet: Fleet, ports: dict[Channel, Port]) -> Iterator[Courier]:
    """A courier without its thread: a test says when it looks."""
    diary = fleet.watch.diary
    one = Courier(fleet.database, fleet.clock, diary, ports, "https://fleet.example", chance=lambda: 1.0)
    try:
        yield one
    finally:
        one.stop()


def by_mail(fleet: Fleet, sink: MailSink) -> dict[Channel, Port]:
    return {
        Channel.EMAIL: Mail(Smtp(host="127.0.0.1", port=sink.port, security="none", sender="c@d.example"), fleet.clock)
    }


def mail_rows(fleet: Fleet) -> list[Any]:
    return [row for row in told(fleet) if row.channel != "in-page"]


def settled(fleet: Fleet) -> Callable[[], bool]:
    """Whether nobody is at any notice any more."""
    return lambda: all(row.claimed_us is None for row in mail_rows(fleet))


def test_what_is_taken_is_marked_and_not_sent_again(fleet: Fleet, kiosk: Kiosk, mails: MailSink) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    with courier(fleet, by_mail(fleet, mails)) as one:
        assert one.look() == 1
        until(settled(fleet), "it was sent")
        assert one.look() == 0
        fleet.clock.pass_(3_600)
        assert one.look() == 0
    [row] = mail_rows(fleet)
    assert (row.state, row.attempts, row.error) == ("sent", 1, None)
    assert len(mails.mails) == 1
    assert f"https://fleet.example/incidents/{row.incident}" in mails.mails[0].text


def test_what_is_not_taken_is_tried_again_later_and_says_why(fleet: Fleet, kiosk: Kiosk, mails: MailSink) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    mails.refuse += ["451 later", "451 later"]
    with courier(fleet, by_mail(fleet, mails)) as one:
        for wait in (FIRST_WAIT_S, 2 * FIRST_WAIT_S):
            assert one.look() == 1
            until(settled(fleet), "it was tried")
            [row] = mail_rows(fleet)
            assert row.state == "queued"
            assert "451 later" in row.error
            fleet.clock.pass_(wait - 1)
            assert one.look() == 0
            fleet.clock.pass_(1)
        assert one.look() == 1
        until(settled(fleet), "it was sent")
    assert [(row.state, row.attempts) for row in mail_rows(fleet)] == [("sent", 3)]


def test_an_address_that_never_takes_it_is_given_up_at_once(fleet: Fleet, kiosk: Kiosk, mails: MailSink) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    mails.refuse.append("550 nobody here")
    with courier(fleet, by_mail(fleet, mails)) as one:
        one.look()
        until(settled(fleet), "it was tried")
        fleet.clock.pass_(3_600)
        assert one.look() == 0
    assert [(row.state, row.attempts) for row in mail_rows(fleet)] == [("failed", 1)]


def test_after_a_day_nobody_tries_any_more(fleet: Fleet, kiosk: Kiosk, mails: MailSink) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    mails.refuse += ["451 later"] * 500
    tries = 0
    with courier(fleet, by_mail(fleet, mails)) as one:
        for _ in range(400):
            tries += one.look()
            until(settled(fleet), "it was tried")
            if mail_rows(fleet)[0].state == "failed":
                break
            fleet.clock.pass_(LONGEST_WAIT_S)
    assert mail_rows(fleet)[0].state == "failed"
    assert tries == GIVE_UP.total_seconds() // LONGEST_WAIT_S + 1


def test_one_that_fails_holds_up_no_other_channel_and_few_of_its_own(fleet: Fleet, kiosk: Kiosk) -> None:
    hooks, gone = WebhookSink(), MailSink(port=1)
    with in_thread(hooks):
        for n in range(3):
            route(fleet, f"ada-{n}", address="it@school.example")
        route(fleet, "hook", Channel.WEBHOOK, address=hooks.url)
        breaks(fleet, kiosk)
        ports = by_mail(fleet, gone)
        ports[Channel.WEBHOOK] = Webhook(WebhookRules(allow_private=True), fleet.parts.settings.data_dir, fleet.clock)
        with courier(fleet, ports) as one:
            one.look()
            until(settled(fleet), "all were tried")
    assert {row.channel: row.state for row in mail_rows(fleet)} == {"email": "queued", "webhook": "sent"}
    assert len(hooks.calls) == 1


def test_a_channel_that_is_not_configured_is_said(fleet: Fleet, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    with courier(fleet, {}) as one:
        one.look()
    [row] = mail_rows(fleet)
    assert (row.state, row.error) == ("queued", "this fleet has no email configured")


def test_killed_between_send_and_mark_it_is_sent_again_with_the_same_id(
    fleet: Fleet, kiosk: Kiosk, mails: MailSink
) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    real = by_mail(fleet, mails)[Channel.EMAIL]

    class Dies:
        """The process is gone after the server took the mail: nothing of it is marked."""

        def send(self, notice: Notice, address: str, url: str) -> None:
            real.send(notice, address, url)
            raise SystemExit

    with courier(fleet, {Channel.EMAIL: Dies()}) as one:
        one.look()
        until(lambda: mails.mails, "it came")
    with courier(fleet, {Channel.EMAIL: real}) as one:
        assert one.look() == 0, "somebody seems to be at it"
        fleet.clock.pass_(CLAIM.total_seconds())
        assert one.look() == 1
        until(settled(fleet), "it was sent again")
    assert len({mail.message["Message-ID"] for mail in mails.mails}) == 1
    assert len(mails.mails) == 2


def test_what_waits_too_long_for_a_free_hand_is_left_for_later(fleet: Fleet, kiosk: Kiosk) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)
    sent: list[str] = []

    class Slow:
        def send(self, notice: Notice, _address: str, _url: str) -> None:
            sent.append(notice.id)

    with courier(fleet, {Channel.EMAIL: Slow()}) as one:
        row = next(iter(mail_rows(fleet)))
        one._send(row, fleet.clock.mono_s - 1)
    assert sent == []


def test_two_processes_send_each_notice_once(fleet: Fleet, kiosk: Kiosk, mails: MailSink) -> None:
    for n in range(30):
        route(fleet, f"ada-{n}")
    breaks(fleet, kiosk)
    ports = by_mail(fleet, mails)
    with courier(fleet, ports) as one, courier(fleet, ports) as two:
        for _ in range(3):
            one.look(), two.look()
        until(lambda: all(row.state == "sent" for row in mail_rows(fleet)), "all are sent")
    assert len(mails.mails) == len({mail.message["Message-ID"] for mail in mails.mails}) == 30


def test_a_defect_with_one_costs_no_other(fleet: Fleet, kiosk: Kiosk, caplog: pytest.LogCaptureFixture) -> None:
    route(fleet, "ada")
    breaks(fleet, kiosk)

    class Broken:
        def send(self, _notice: Notice, _address: str, _url: str) -> None:
            raise ZeroDivisionError

    with courier(fleet, {Channel.EMAIL: Broken()}) as one:
        one.look()
        until(settled(fleet), "it was tried")
    [row] = mail_rows(fleet)
    assert (row.state, row.error) == ("queued", "a defect: ZeroDivisionError")
    assert "met a defect" in caplog.text


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waits_grow_and_stay_bounded(attempts: int, chance: float) -> None:
    assert FIRST_WAIT_S / 2 <= wait_s(attempts, chance) <= LONGEST_WAIT_S
    assert wait_s(attempts + 1, 1.0) >= wait_s(attempts, 1.0)
    assert timedelta(seconds=wait_s(attempts, 0.0)) < GIVE_UP
