"""The real service is killed with a notice in its hands: it leaves all the same, and once to whoever can tell."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from lab.sinks import MailSink, WebhookSink, in_thread
from tests.broker import needs_mosquitto, running_mosquitto
from tests.fleet.incidents.desk import signal
from tests.fleet.serving import Outbox, Service, running_service, until
from tests.fleet.world import Kiosk
from wire.signals import Verdict

pytestmark = [needs_mosquitto, pytest.mark.timeout(300)]


def settings(mails: MailSink) -> list[str]:
    return [
        '[school_hours]\ndays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]\nbegins = 00:00:00\nends = 00:00:00',
        f'[smtp]\nhost = "127.0.0.1"\nport = {mails.port}\nsecurity = "none"\nsender = "carrel@school.example"',
        "[webhook]\nallow_private = true",
    ]


def add_route(service: Service, **told: Any) -> None:
    answer = httpx.post(
        service.url("/api/v1/notice-routes"), json=told, headers={"Authorization": f"Bearer {service.token}"}
    )
    assert answer.status_code == 201, answer.text


def sent(service: Service, channel: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(f"/api/v1/notices?state=sent&channel={channel}")["items"]
    return found


def test_killed_between_send_and_mark(tmp_path: Path) -> None:
    """The mail server and the receiver have it, and the service dies before it hears so."""
    kiosk, mails, hooks = Kiosk(), MailSink(silent=True), WebhookSink(silent=True)
    with (
        in_thread(mails, hooks),
        running_mosquitto() as broker,
        running_service(tmp_path, broker.url, *settings(mails)) as service,
    ):
        until(service.is_ready, "ready")
        add_route(service, role="it", channel="email", address="it@school.example")
        add_route(service, role="it", channel="webhook", address=hooks.url)
        with Outbox(kiosk, broker.port) as outbox:
            until(lambda: service.get("/api/v1/kiosks")["items"], "the kiosk is known")
            said = kiosk.is_ready(Verdict.ATTENTION, signal())
            outbox.client.publish(said.topic, said.payload, qos=1, retain=True)
            until(lambda: mails.mails and hooks.calls, "both came")
            service.kill()
        assert (len(mails.mails), len(hooks.calls)) == (1, 1)
        mails.silent = hooks.silent = False
        began = time.monotonic()
        service.start()
        [opened] = service.get("/api/v1/incidents?kiosk=lincoln-12")["items"]
        until(lambda: sent(service, "email") and sent(service, "webhook"), "both are marked", within_s=150)
        assert time.monotonic() - began < 150
        # No mail server can be asked whether it has a mail already: it comes twice and is known by its id.
        assert {one.message["Message-ID"].split("@")[0] for one in mails.mails} == {
            f"<{sent(service, 'email')[0]['id']}"
        }
        assert {one.headers["webhook-id"] for one in hooks.calls} == {sent(service, "webhook")[0]["id"]}
        assert {one.told["data"]["incident"] for one in hooks.calls} == {opened["id"]}
        count = len(mails.mails), len(hooks.calls)
        service.kill()
        service.start()
        time.sleep(4)
        assert (len(mails.mails), len(hooks.calls)) == count, "what is marked is not sent again"
        assert service.get("/api/v1/notices?state=queued")["items"] == []


def test_killed_at_any_time_no_incident_is_without_its_notices(tmp_path: Path) -> None:
    """Incident and notices are one transaction: after each kill either both are there or neither."""
    mails = MailSink()
    kiosks = [Kiosk(f"lincoln-{n}") for n in range(10, 14)]
    with (
        in_thread(mails),
        running_mosquitto() as broker,
        running_service(tmp_path, broker.url, *settings(mails)) as service,
    ):
        until(service.is_ready, "ready")
        add_route(service, role="it", channel="email", address="it@school.example")
        for n, kiosk in enumerate(kiosks):
            with Outbox(kiosk, broker.port) as outbox:
                until(lambda: service.get("/api/v1/kiosks")["items"], "a kiosk is known")
                said = kiosk.is_ready(Verdict.ATTENTION, signal())
                outbox.client.publish(said.topic, said.payload, qos=1).wait_for_publish(5)
                time.sleep(0.04 * n)
                service.kill()
            service.start()
        until(service.is_ready, "ready")
        incidents = [one for one in service.get("/api/v1/incidents?limit=200")["items"] if one["role"]]
        notices = service.get("/api/v1/notices?channel=email&limit=200")["items"]
        told = [one["incident"] for one in notices if one["kind"] == "incident.opened"]
        assert sorted(set(told) & {one["id"] for one in incidents}) == sorted(one["id"] for one in incidents)
        assert len(told) == len(set(told))
